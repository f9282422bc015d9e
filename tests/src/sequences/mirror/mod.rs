//! The exchange without a chain: what every instruction does, said by the model alone. It predicts every balance, every
//! success and every refusal of the program, and it runs alone at high speed.
//!
//! Each function here mirrors one handler: what it checks, in which order, what it asks the model and which tokens move.

mod admin;
mod environment;
mod governance;
mod keeper;
mod pool;
mod trade;

use std::collections::BTreeMap;

use perpetua::{GuardParameters, MarketParameters, StockParameters, VaultParameters};
use perpetua_client::price::PriceAccount;
use perpetua_model::{
    Condition, Conditions, Index, MARKETS, MarginAccount, Market, MarketMuts, MarketRefs, ModelError, Moment, PoolKind,
    PriceUpdate, ScaledUi, Stock, Ticket, Tokens, Vault,
};

use super::action::{ACTORS, Action, FEEDS, Holder, INDICES, POSTED, SUBS, Target, TicketKey, VAULTS};
use crate::{chain::START, token::ONE};

pub(crate) use admin::{market_with, stock_with};
pub(crate) use environment::price_account;
pub use governance::{Parameters, Proposal, with_knob};
pub(crate) use trade::key;

/// Tokens that everybody has of each vault's mint at the start, raw units.
pub const WEALTH: u64 = 40_000 * ONE;
/// The slot that sequences begin in.
pub const START_SLOT: u64 = 1_000;

/// Why an instruction is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// By the model.
    Model(ModelError),
    /// By the handler's own checks, by the framework or by a token program: the name of the error.
    Program(&'static str),
}

impl Refusal {
    /// The error's name.
    pub fn name(&self) -> String {
        match self {
            Self::Model(error) => format!("{error:?}"),
            Self::Program(name) => (*name).to_owned(),
        }
    }
}

impl From<ModelError> for Refusal {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

/// Whether an instruction went through.
pub type Outcome<T = ()> = Result<T, Refusal>;

pub(crate) const UNAUTHORIZED: Refusal = Refusal::Program("Unauthorized");
const WRONG_ACCOUNT: Refusal = Refusal::Program("WrongAccount");
/// An account is given twice, once to change.
const BORROWED: Refusal = Refusal::Program("AccountBorrowFailed");
/// An account of the program that does not exist.
const MISSING: Refusal = Refusal::Program("AccountOwnedByWrongProgram");
/// The system program: an account that is created exists already.
const EXISTS: Refusal = Refusal::Program("Custom0");
/// The token program: too few tokens.
const TOO_FEW: Refusal = Refusal::Program("Custom1");
/// The token program: the account is frozen.
const FROZEN: Refusal = Refusal::Program("Custom17");

/// The program's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Lists things.
    pub admin: u8,
    /// Pauses and tightens.
    pub guardian: u8,
    /// Owns what fees are paid to.
    pub fee_recipient: u8,
    /// Who was named to become administrator.
    pub next_admin: Option<u8>,
    /// Whether opening is paused.
    pub paused: bool,
}

/// A listed index.
#[derive(Clone, Debug)]
pub struct IndexOf {
    /// Its state.
    pub state: Index,
    /// Its guards as an instruction's argument.
    pub parameters: GuardParameters,
}

/// What the mint of a vault's token says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mint {
    /// Whether transfers are paused.
    pub paused: bool,
    /// Whether a program would be called on transfers.
    pub hook: bool,
    /// Which of several addresses may mint.
    pub authority: u8,
    /// Which it was when the mint was listed or acknowledged last.
    pub acknowledged: u8,
    /// Its UI multiplier.
    pub scaled_ui: ScaledUi,
}

/// What somebody has in token accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Stock tokens, raw units.
    pub tokens: u64,
    /// Shares of the main and the insurance pool.
    pub shares: [u64; 2],
}

/// A market of a vault.
#[derive(Clone, Debug)]
pub struct MarketOf {
    /// Its index.
    pub index: u8,
    /// Its state.
    pub state: Market,
    /// Its configuration as an instruction's argument.
    pub parameters: MarketParameters,
}

/// The stock of a vault.
#[derive(Clone, Debug)]
pub struct StockOf {
    /// Its state.
    pub state: Stock,
    /// Its configuration as an instruction's argument.
    pub parameters: StockParameters,
}

/// A withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketOf {
    /// Who leaves.
    pub owner: u8,
    /// What is left of it.
    pub state: Ticket,
}

/// A vault and all that belongs to it.
#[derive(Clone, Debug)]
pub struct VaultOf {
    /// Its ledgers, once it is listed.
    pub state: Option<Vault>,
    /// Its configuration as an instruction's argument.
    pub parameters: VaultParameters,
    /// Its mint.
    pub mint: Mint,
    /// Tokens in its token account, raw units.
    pub balance: u64,
    /// Whether they are frozen.
    pub frozen: bool,
    /// What the issuer took, raw units.
    pub seized: u64,
    /// Its markets by their numbers.
    pub markets: Vec<MarketOf>,
    /// Its stock.
    pub stock: Option<StockOf>,
    /// Its margin accounts by owner and number.
    pub accounts: [[Option<MarginAccount>; SUBS as usize]; ACTORS as usize],
    /// Its withdrawals by pool and number.
    pub tickets: [BTreeMap<u64, TicketOf>; 2],
    /// What people have.
    pub wallets: [Wallet; ACTORS as usize],
}

/// The exchange.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Unix seconds.
    pub now: i64,
    /// Slot of the chain.
    pub slot: u64,
    /// The configuration, once it is set up.
    pub exchange: Option<Exchange>,
    /// Posted updates by feed and price account.
    pub posted: [[Option<PriceAccount>; POSTED as usize]; FEEDS as usize],
    /// Indices, once they are listed.
    pub indices: [Option<IndexOf>; INDICES as usize],
    /// Vaults.
    pub vaults: [VaultOf; VAULTS as usize],
    /// Changes that wait.
    pub proposals: BTreeMap<Target, Proposal>,
}

impl Mirror {
    /// Nothing but people with tokens.
    pub fn new() -> Self {
        Self {
            now: START,
            slot: START_SLOT,
            exchange: None,
            posted: Default::default(),
            indices: Default::default(),
            vaults: std::array::from_fn(|_| VaultOf::unlisted()),
            proposals: BTreeMap::new(),
        }
    }

    /// Takes a step; one that is refused changes nothing. Returns the vault that the action is about, as it was before.
    pub fn step(&mut self, action: &Action) -> (Outcome, Option<(usize, VaultOf)>) {
        let before = vault_of(action).map(|vault| (vault, self.vaults[vault].clone()));
        match self.perform(action) {
            Ok(()) => (Ok(()), before),
            Err(refusal) => {
                if let Some((vault, before)) = before {
                    self.vaults[vault] = before;
                }
                (Err(refusal), None)
            }
        }
    }

    fn perform(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Wait { .. }
            | Action::Post { .. }
            | Action::Donate { .. }
            | Action::SetMultiplier { .. }
            | Action::PauseMint { .. }
            | Action::FreezeTokens { .. }
            | Action::ChangeMint { .. }
            | Action::Seize { .. }
            | Action::GiveBack { .. }
            | Action::SendShares { .. } => self.let_happen(action),
            Action::ProposeChange { .. }
            | Action::ApplyChange { .. }
            | Action::CancelChange { .. }
            | Action::Tighten { .. }
            | Action::NameAdmin { .. }
            | Action::AcceptAdmin { .. } => self.govern(action),
            Action::OpenAccount { .. }
            | Action::CloseAccount { .. }
            | Action::Deposit { .. }
            | Action::Withdraw { .. }
            | Action::OpenPosition { .. }
            | Action::ClosePosition { .. } => self.trade(action),
            Action::JoinPool { .. }
            | Action::RequestWithdrawal { .. }
            | Action::ExecuteWithdrawal { .. }
            | Action::CancelWithdrawal { .. }
            | Action::ClaimWithdrawal { .. }
            | Action::CloseTicket { .. } => self.provide(action),
            Action::CrankStock { .. }
            | Action::CrankFunding { .. }
            | Action::MarkMarket { .. }
            | Action::Liquidate { .. }
            | Action::SettleCapped { .. }
            | Action::RetireFar { .. }
            | Action::SettleAbandoned { .. }
            | Action::SettleFunding { .. }
            | Action::NoteShortage { .. }
            | Action::RecogniseLoss { .. }
            | Action::RepayLosses { .. }
            | Action::ServeClaims { .. }
            | Action::SyncAccount { .. } => self.keep(action),
            _ => self.administer(action),
        }
    }

    /// The moment that the chain is at.
    pub fn moment(&self) -> Moment {
        Moment { now: self.now, slot: self.slot }
    }

    /// The exchange's and a vault's ledgers.
    fn conditions(&self, vault: u8) -> Outcome<Conditions> {
        let (exchange, vault) = (self.exchange.as_ref().ok_or(MISSING)?, &self.vaults[usize::from(vault)]);
        let short = vault.ledgers()?.total()? > Tokens(vault.balance);
        Ok(Conditions::NORMAL
            .with(Condition::Paused, exchange.paused)
            .with(Condition::VaultShort, short)
            .with(Condition::TokensFrozen, vault.frozen))
    }

    /// The update in a feed's price account.
    fn update(&self, feed: u8, at: u8) -> Outcome<PriceUpdate> {
        let posted = self.posted[usize::from(feed)][usize::from(at)];
        let price = posted.ok_or(Refusal::Program("WrongOracleOwner"))?;
        let (published, before) = (price.publish_time, price.previous_publish_time);
        let parsed =
            PriceUpdate::parse(price.price, price.confidence, price.average, price.exponent, published, before);
        Ok(parsed?)
    }

    fn require_admin(&self, by: u8) -> Outcome<()> {
        let exchange = self.exchange.as_ref().ok_or(MISSING)?;
        if exchange.admin == by { Ok(()) } else { Err(UNAUTHORIZED) }
    }
}

impl Default for Mirror {
    fn default() -> Self {
        Self::new()
    }
}

impl VaultOf {
    fn unlisted() -> Self {
        let mint = Mint { paused: false, hook: false, authority: 0, acknowledged: 0, scaled_ui: ScaledUi::NONE };
        Self {
            state: None,
            parameters: crate::parameters::vault_parameters(),
            mint,
            balance: 0,
            frozen: false,
            seized: 0,
            markets: Vec::new(),
            stock: None,
            accounts: [[None; SUBS as usize]; ACTORS as usize],
            tickets: Default::default(),
            wallets: [Wallet { tokens: WEALTH, shares: [0; 2] }; ACTORS as usize],
        }
    }

    /// Its ledgers.
    pub fn ledgers(&self) -> Outcome<&Vault> {
        self.state.as_ref().ok_or(MISSING)
    }

    fn ledgers_mut(&mut self) -> Outcome<&mut Vault> {
        self.state.as_mut().ok_or(MISSING)
    }

    /// A margin account.
    pub fn account(&self, holder: Holder) -> Outcome<&MarginAccount> {
        self.accounts[usize::from(holder.owner)][usize::from(holder.sub)].as_ref().ok_or(MISSING)
    }

    fn market(&self, number: u8) -> Outcome<&MarketOf> {
        self.markets.get(usize::from(number)).ok_or(MISSING)
    }

    fn ticket(&self, key: TicketKey) -> Outcome<&TicketOf> {
        self.tickets[usize::from(key.insurance)].get(&key.number).ok_or(MISSING)
    }

    /// What the issuer did to the mint, or what forbids it altogether.
    fn mint_conditions(&self) -> Outcome<Conditions> {
        let mint = &self.mint;
        if mint.hook {
            return Err(Refusal::Program("MintHasTransferHook"));
        }
        Ok(Conditions::NORMAL
            .with(Condition::MintPaused, mint.paused)
            .with(Condition::MintChanged, mint.authority != mint.acknowledged))
    }

    fn require_mint_unchanged(&self) -> Outcome<()> {
        let conditions = self.mint_conditions()?;
        if conditions.has(Condition::MintChanged) {
            return Err(ModelError::MintChanged.into());
        }
        if conditions.has(Condition::MintPaused) { Err(ModelError::MintPaused.into()) } else { Ok(()) }
    }

    /// Moves tokens into the vault, as the token program does.
    fn take_in(&mut self, from: u8, amount: u64) -> Outcome<()> {
        let wallet = &mut self.wallets[usize::from(from)];
        wallet.tokens = wallet.tokens.checked_sub(amount).ok_or(TOO_FEW)?;
        if self.frozen {
            return Err(FROZEN);
        }
        self.balance += amount;
        Ok(())
    }

    /// Moves tokens out of the vault, as the token program does.
    fn send_out(&mut self, to: u8, amount: u64) -> Outcome<()> {
        if self.frozen {
            return Err(FROZEN);
        }
        self.balance = self.balance.checked_sub(amount).ok_or(TOO_FEW)?;
        self.wallets[usize::from(to)].tokens += amount;
        Ok(())
    }

    /// Refuses to end an instruction after which the tokens do not cover the ledgers.
    fn check_tokens(&self) -> Outcome<()> {
        Ok(self.ledgers()?.check_conservation(Tokens(self.balance))?)
    }

    /// Refuses to end an instruction that moved no tokens and yet changed the sum of the ledgers.
    fn check_ledgers(&self, before: Tokens) -> Outcome<()> {
        let vault = self.ledgers()?;
        if vault.total()? != before {
            return Err(Refusal::Program("LedgerMismatch"));
        }
        Ok(vault.check_conservation(before)?)
    }

    /// The markets that bits of `given` name; those that do not exist are accounts of another program.
    fn require_given(&self, given: u8) -> Outcome<()> {
        let all = (1u32 << self.markets.len()) - 1;
        if u32::from(given) & !all == 0 { Ok(()) } else { Err(MISSING) }
    }
}

/// Whether bit `number` of `given` is set.
pub(crate) fn is_given(given: u8, number: usize) -> bool {
    given >> number & 1 == 1
}

/// The given markets to read.
pub(crate) fn refs(markets: &[MarketOf], given: u8) -> MarketRefs<'_> {
    let mut refs: MarketRefs = [None; MARKETS];
    for (number, (place, market)) in refs.iter_mut().zip(markets).enumerate() {
        *place = is_given(given, number).then_some(&market.state);
    }
    refs
}

/// The given markets to change.
fn muts(markets: &mut [MarketOf], given: u8) -> MarketMuts<'_> {
    let mut muts: MarketMuts = [const { None }; MARKETS];
    for (number, (place, market)) in muts.iter_mut().zip(markets).enumerate() {
        *place = is_given(given, number).then_some(&mut market.state);
    }
    muts
}

/// A pool by whether it is the insurance pool.
pub(crate) fn kind(insurance: bool) -> PoolKind {
    if insurance { PoolKind::Insurance } else { PoolKind::Main }
}

/// The vault that an action may change.
fn vault_of(action: &Action) -> Option<usize> {
    let vault = match action {
        Action::InitializeExchange { .. }
        | Action::CreateIndex { .. }
        | Action::SetOpeningPaused { .. }
        | Action::NameAdmin { .. }
        | Action::AcceptAdmin { .. }
        | Action::CancelChange { .. }
        | Action::ProposeChange { .. }
        | Action::Wait { .. }
        | Action::Post { .. } => return None,
        Action::ApplyChange { target } | Action::Tighten { target, .. } => match target {
            Target::Vault(vault) | Target::Market(vault, _) | Target::Stock(vault) => vault,
            Target::Exchange | Target::Index(_) => return None,
        },
        Action::CreateVault { vault, .. }
        | Action::CreateStock { vault, .. }
        | Action::CreateMarket { vault, .. }
        | Action::ShortenSessions { vault, .. }
        | Action::AcknowledgeMultiplier { vault, .. }
        | Action::AcknowledgeMint { vault, .. }
        | Action::CollectFees { vault, .. }
        | Action::OpenAccount { vault, .. }
        | Action::CloseAccount { vault, .. }
        | Action::Deposit { vault, .. }
        | Action::Withdraw { vault, .. }
        | Action::OpenPosition { vault, .. }
        | Action::ClosePosition { vault, .. }
        | Action::CrankStock { vault, .. }
        | Action::CrankFunding { vault, .. }
        | Action::MarkMarket { vault, .. }
        | Action::Liquidate { vault, .. }
        | Action::SettleCapped { vault, .. }
        | Action::RetireFar { vault, .. }
        | Action::SettleAbandoned { vault, .. }
        | Action::SettleFunding { vault, .. }
        | Action::NoteShortage { vault }
        | Action::RecogniseLoss { vault }
        | Action::RepayLosses { vault }
        | Action::ServeClaims { vault }
        | Action::SyncAccount { vault, .. }
        | Action::JoinPool { vault, .. }
        | Action::RequestWithdrawal { vault, .. }
        | Action::ExecuteWithdrawal { vault, .. }
        | Action::CancelWithdrawal { vault, .. }
        | Action::ClaimWithdrawal { vault, .. }
        | Action::CloseTicket { vault, .. }
        | Action::Donate { vault, .. }
        | Action::SetMultiplier { vault, .. }
        | Action::PauseMint { vault, .. }
        | Action::FreezeTokens { vault, .. }
        | Action::ChangeMint { vault, .. }
        | Action::Seize { vault, .. }
        | Action::GiveBack { vault, .. }
        | Action::SendShares { vault, .. } => vault,
    };
    Some(usize::from(*vault))
}
