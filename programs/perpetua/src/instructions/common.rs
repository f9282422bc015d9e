//! What several instructions do alike: the moment, the conditions, markets behind the named accounts, conservation.

use std::cell::{Ref, RefMut};

use anchor_lang::{Owner, ZeroCopy, prelude::*};
use perpetua_model::{Condition, Conditions, MARKETS, MarketMuts, MarketRefs, Moment, Tokens};

use crate::{
    error::{OrProgramError, PerpetuaError},
    state::{Exchange, Index, Market, Vault},
    token,
};

/// Bytes of every account's discriminator.
pub(crate) const DISCRIMINATOR: usize = 8;

/// Whether an account names those that are given beside it, each in its field of that name. Anchor's `has_one` says the same
/// and writes every comparison out: 700 bytes and a hundred compute units each.
macro_rules! names {
    ($account:ident: $state:ident => $($named:ident),+) => {{
        // A field that is not a key is no name.
        const _: fn(&$state) -> [&Pubkey; [$(stringify!($named)),+].len()] = |state| [$(&state.$named),+];
        $crate::instructions::common::stores(
            $account.as_ref(),
            &[$((std::mem::offset_of!($state, $named), $named.as_ref().key)),+],
        )?
    }};
}
pub(crate) use names;

/// Whether an account of this program has those keys at those places of its state.
///
/// Errors: the runtime's, if it is borrowed to be written.
pub(crate) fn stores(account: &AccountInfo, keys: &[(usize, &Pubkey)]) -> Result<bool> {
    let data = account.try_borrow_data()?;
    let at = |place: usize| data.get(DISCRIMINATOR + place..)?.first_chunk();
    Ok(keys.iter().all(|(place, key)| at(*place).is_some_and(|stored| same_bytes(stored, key.as_array()))))
}

/// Whether two digests are the same. Four words are compared for less than the system call, which `==` makes, costs.
pub(crate) fn same_bytes(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let (([a, b, c, d], _), ([e, f, g, h], _)) = (one.as_chunks(), other.as_chunks()) else { return false };
    let same = |one: &[u8; 8], other: &[u8; 8]| u64::from_le_bytes(*one) == u64::from_le_bytes(*other);
    same(a, e) && same(b, f) && same(c, g) && same(d, h)
}

/// Whether two keys are the same; see [`same_bytes`].
pub(crate) fn same_key(one: &Pubkey, other: &Pubkey) -> bool {
    same_bytes(one.as_array(), other.as_array())
}

/// Now.
pub(crate) fn moment() -> Result<Moment> {
    let clock = Clock::get()?;
    Ok(Moment { now: clock.unix_timestamp, slot: clock.slot })
}

/// The states that the exchange and the vault's token account are in; a mint and a market add their own.
pub(crate) fn conditions(exchange: &Exchange, vault: &Vault, tokens: &AccountInfo) -> Result<Conditions> {
    let short = vault.state.total().or_program_error()? > token::balance(tokens)?;
    Ok(Conditions::NORMAL
        .with(Condition::Paused, exchange.opening_paused != 0)
        .with(Condition::VaultShort, short)
        .with(Condition::TokensFrozen, token::is_frozen(tokens)?))
}

/// Refuses to end an instruction after which the vault's tokens do not cover its ledgers.
///
/// Errors: [`PerpetuaError::VaultShort`].
pub(crate) fn check_tokens(vault: &Vault, tokens: &AccountInfo) -> Result<()> {
    vault.state.check_conservation(token::balance(tokens)?).or_program_error()
}

/// Refuses to end an instruction that moved no tokens and yet changed the sum of the ledgers.
///
/// Errors: [`PerpetuaError::LedgerMismatch`]; [`PerpetuaError::VaultShort`] if reserves exceed main assets.
pub(crate) fn check_ledgers(vault: &Vault, before: Tokens) -> Result<()> {
    require!(vault.state.total().or_program_error()? == before, PerpetuaError::LedgerMismatch);
    vault.state.check_conservation(before).or_program_error()
}

/// Markets of a vault, given in any order behind the named accounts, to read.
pub(crate) struct ReadMarkets<'a>([Option<Ref<'a, Market>>; MARKETS]);

impl<'a> ReadMarkets<'a> {
    /// Borrows the markets.
    ///
    /// Errors: Anchor's for accounts that are not markets; [`PerpetuaError::WrongAccount`] for another vault's markets
    /// and for one given twice.
    pub(crate) fn load(vault: &Pubkey, given: &'a [AccountInfo<'a>]) -> Result<Self> {
        let mut markets = [const { None }; MARKETS];
        for account in given {
            let market: Ref<Market> = borrow(account)?;
            let vacant = vacancy(&mut markets, vault, &market)?;
            *vacant = Some(market);
        }
        Ok(Self(markets))
    }

    /// The same without the market of `number`, which the instruction names itself.
    ///
    /// Errors: [`PerpetuaError::WrongAccount`] if it is among them, and those of [`Self::load`].
    pub(crate) fn load_others(vault: &Pubkey, given: &'a [AccountInfo<'a>], number: u8) -> Result<Self> {
        let markets = Self::load(vault, given)?;
        let twice = markets.0.iter().flatten().any(|market| market.number == number);
        require!(!twice, PerpetuaError::WrongAccount);
        Ok(markets)
    }

    /// The markets by their numbers.
    pub(crate) fn refs(&self) -> MarketRefs<'_> {
        self.0.each_ref().map(|market| market.as_deref().map(|market| &market.state))
    }

    /// Every market of the vault.
    ///
    /// Errors: [`PerpetuaError::MarketsIncomplete`].
    pub(crate) fn all(&self, vault: &Vault) -> Result<impl Iterator<Item = &perpetua_model::Market>> {
        let given = self.0.iter().flatten().count();
        require!(given == usize::from(vault.market_count), PerpetuaError::MarketsIncomplete);
        Ok(self.0.iter().flatten().map(|market| &market.state))
    }
}

/// Markets of a vault, given in any order behind the named accounts, to change.
pub(crate) struct WriteMarkets<'a>([Option<RefMut<'a, Market>>; MARKETS]);

impl<'a> WriteMarkets<'a> {
    /// Borrows the markets.
    ///
    /// Errors: Anchor's for accounts that are not markets or not writable; [`PerpetuaError::WrongAccount`] for another
    /// vault's markets and for one given twice.
    pub(crate) fn load(vault: &Pubkey, given: &'a [AccountInfo<'a>]) -> Result<Self> {
        let mut markets = [const { None }; MARKETS];
        for (place, account) in given.iter().enumerate() {
            require_new(account, given.iter().take(place))?;
            let market: RefMut<Market> = borrow_mut(account)?;
            let vacant = vacancy(&mut markets, vault, &market)?;
            *vacant = Some(market);
        }
        Ok(Self(markets))
    }

    /// The markets by their numbers.
    pub(crate) fn muts(&mut self) -> MarketMuts<'_> {
        self.0.each_mut().map(|market| market.as_deref_mut().map(|market| &mut market.state))
    }
}

/// Markets to change, each followed by its index to read.
pub(crate) struct PricedMarkets<'a> {
    /// The markets.
    pub(crate) markets: WriteMarkets<'a>,
    indices: [Option<Ref<'a, Index>>; MARKETS],
}

impl<'a> PricedMarkets<'a> {
    /// Borrows the markets and their indices.
    ///
    /// Errors: those of [`WriteMarkets::load`]; [`PerpetuaError::WrongAccount`] for another market's index or a market
    /// without one.
    pub(crate) fn load(vault: &Pubkey, given: &'a [AccountInfo<'a>]) -> Result<Self> {
        let (pairs, rest) = given.as_chunks();
        require!(rest.is_empty(), PerpetuaError::WrongAccount);
        let mut markets = [const { None }; MARKETS];
        let mut indices = [const { None }; MARKETS];
        for (place, [account, index]) in pairs.iter().enumerate() {
            require_new(account, pairs.iter().take(place).map(|[market, _]| market))?;
            let market: RefMut<Market> = borrow_mut(account)?;
            require!(same_key(&market.index, index.key), PerpetuaError::WrongAccount);
            let vacant = vacancy(&mut markets, vault, &market)?;
            if let Some(vacant) = indices.get_mut(usize::from(market.number)) {
                *vacant = Some(borrow(index)?);
            }
            *vacant = Some(market);
        }
        Ok(Self { markets: WriteMarkets(markets), indices })
    }

    /// The markets and their indices, by the markets' numbers.
    pub(crate) fn parts(&mut self) -> (MarketMuts<'_>, [Option<&perpetua_model::Index>; MARKETS]) {
        let indices = self.indices.each_ref().map(|index| index.as_deref().map(|index| &index.state));
        (self.markets.muts(), indices)
    }
}

/// Where a market of the vault belongs, if nothing is there yet.
fn vacancy<'m, T>(markets: &'m mut [Option<T>; MARKETS], vault: &Pubkey, market: &Market) -> Result<&'m mut Option<T>> {
    require!(same_key(&market.vault, vault), PerpetuaError::WrongAccount);
    let vacant = markets.get_mut(usize::from(market.number)).filter(|place| place.is_none());
    vacant.ok_or_else(|| PerpetuaError::WrongAccount.into())
}

fn require_new<'a>(account: &AccountInfo, mut before: impl Iterator<Item = &'a AccountInfo<'a>>) -> Result<()> {
    require!(!before.any(|other| same_key(other.key, account.key)), PerpetuaError::WrongAccount);
    Ok(())
}

/// What [`AccountLoader::load`] does, for as long as the account lives rather than a loader.
fn borrow<'a, T: ZeroCopy + Owner>(account: &'a AccountInfo<'a>) -> Result<Ref<'a, T>> {
    AccountLoader::<T>::try_from(account)?;
    let data = account.try_borrow_data()?;
    let state = Ref::filter_map(data, |data| {
        bytemuck::try_from_bytes(data.get(DISCRIMINATOR..DISCRIMINATOR + size_of::<T>())?).ok()
    });
    state.map_err(|_| ErrorCode::AccountDidNotDeserialize.into())
}

/// What [`AccountLoader::load_mut`] does, for as long as the account lives rather than a loader.
pub(crate) fn borrow_mut<'a, T: ZeroCopy + Owner>(account: &'a AccountInfo<'a>) -> Result<RefMut<'a, T>> {
    AccountLoader::<T>::try_from(account)?;
    require!(account.is_writable, ErrorCode::AccountNotMutable);
    let data = account.try_borrow_mut_data()?;
    let state = RefMut::filter_map(data, |data| {
        bytemuck::try_from_bytes_mut(data.get_mut(DISCRIMINATOR..DISCRIMINATOR + size_of::<T>())?).ok()
    });
    state.map_err(|_| ErrorCode::AccountDidNotDeserialize.into())
}
