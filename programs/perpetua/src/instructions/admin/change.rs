//! Changes configurations: what tightens limits at once, the rest two days after it was proposed.

use std::cell::RefMut;

use anchor_lang::{Discriminator, prelude::*};
use bytemuck::{Pod, bytes_of, pod_read_unaligned};
use perpetua_model::{Change, Guards, MarketConfig, StockConfig, VaultConfig, require_due};

use super::{GuardParameters, MarketParameters, StockParameters, VaultParameters};
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{ChangeApplied, ChangeCancelled, ChangeProposed, Tightened, emit},
    instructions::{
        common::{DISCRIMINATOR, borrow_mut, moment, names},
        create::create,
    },
    state::{Exchange, Index, Market, Proposal, Stock, Vault},
};

/// A configuration that replaces another, whole.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewParameters {
    /// Of the exchange.
    Exchange {
        /// May pause the opening of positions, tighten limits and cancel changes.
        guardian: Pubkey,
        /// Owner of the token accounts that protocol fees are paid to.
        fee_recipient: Pubkey,
    },
    /// Of an index.
    Index(GuardParameters),
    /// Of a vault.
    Vault(VaultParameters),
    /// Of a market.
    Market(MarketParameters),
    /// Of a stock.
    Stock(StockParameters),
}

/// Accounts of `propose_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct ProposeChange<'info> {
    /// The administrator, who pays the rent.
    #[account(mut)]
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(constraint = names!(exchange: Exchange => admin) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the account that is changed, an index, vault, market or stock; none for the exchange.
    #[account(mut)]
    pub target: Option<UncheckedAccount<'info>>,
    /// Receives the change; there is one at a time for each account.
    /// CHECK: created here, at the address of its seeds.
    #[account(mut, seeds = [Proposal::SEED, target.address(&exchange).as_ref()], bump)]
    pub proposal: UncheckedAccount<'info>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

/// Accounts of `apply_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyChange<'info> {
    /// Names the administrator.
    #[account(mut)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the account that is changed, an index, vault, market or stock; none for the exchange.
    #[account(mut)]
    pub target: Option<UncheckedAccount<'info>>,
    /// The change.
    #[account(
        mut,
        close = admin,
        constraint = proposal.load()?.target == target.address(&exchange) @ PerpetuaError::WrongAccount,
    )]
    pub proposal: AccountLoader<'info, Proposal>,
    /// CHECK: the administrator, who gets the rent back.
    #[account(mut, address = exchange.load()?.admin @ PerpetuaError::Unauthorized)]
    pub admin: UncheckedAccount<'info>,
}

/// Accounts of `cancel_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelChange<'info> {
    /// The administrator or the guardian.
    pub authority: Signer<'info>,
    /// Names both.
    #[account(constraint = exchange.load()?.may_tighten(authority.key) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The change.
    #[account(mut, close = admin)]
    pub proposal: AccountLoader<'info, Proposal>,
    /// CHECK: the administrator, who gets the rent back.
    #[account(mut, address = exchange.load()?.admin @ PerpetuaError::Unauthorized)]
    pub admin: UncheckedAccount<'info>,
}

/// Accounts of `tighten`.
#[event_cpi]
#[derive(Accounts)]
pub struct Tighten<'info> {
    /// The administrator or the guardian.
    pub authority: Signer<'info>,
    /// Names both.
    #[account(constraint = exchange.load()?.may_tighten(authority.key) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the account that is changed, an index, vault, market or stock; none for the exchange.
    #[account(mut)]
    pub target: Option<UncheckedAccount<'info>>,
}

/// A configuration as a proposal holds it.
type Body = [u8; 128];

fn body(config: &impl Pod) -> Body {
    let mut body = [0; size_of::<Body>()];
    // Every configuration fits; the assertion below says so.
    for (place, byte) in body.iter_mut().zip(bytes_of(config)) {
        *place = *byte;
    }
    body
}

const _: () = assert!(size_of::<MarketConfig>() <= size_of::<Body>());

fn read<T: Pod>(body: &Body) -> Result<T> {
    let bytes = body.get(..size_of::<T>()).ok_or(PerpetuaError::WrongAccount)?;
    Ok(pod_read_unaligned(bytes))
}

/// What a change would do.
struct Comparison {
    before: Body,
    after: Body,
    change: Change,
}

fn compare<T: Pod>(before: &T, after: &T, change: Change) -> Comparison {
    Comparison { before: body(before), after: body(after), change }
}

/// Guardian and fee recipient, as a proposal holds them.
fn of_exchange(guardian: Pubkey, fee_recipient: Pubkey) -> [[u8; 32]; 2] {
    [guardian.to_bytes(), fee_recipient.to_bytes()]
}

/// What is changed: the account that is given, or the exchange.
trait OrExchange {
    /// Its address.
    fn address(&self, exchange: &AccountLoader<Exchange>) -> Pubkey;
}

impl OrExchange for Option<UncheckedAccount<'_>> {
    fn address(&self, exchange: &AccountLoader<Exchange>) -> Pubkey {
        self.as_ref().map_or(exchange.key(), |target| target.key())
    }
}

/// The account that is changed. Its discriminator tells of which kind it is.
enum Target<'a> {
    Exchange(&'a AccountLoader<'a, Exchange>),
    Index(RefMut<'a, Index>),
    Vault(RefMut<'a, Vault>),
    Market(RefMut<'a, Market>),
    Stock(RefMut<'a, Stock>),
}

impl<'a> Target<'a> {
    /// Errors: [`PerpetuaError::WrongAccount`] for any other account, and Anchor's for another program's.
    fn borrow(given: &'a Option<UncheckedAccount<'a>>, exchange: &'a AccountLoader<'a, Exchange>) -> Result<Self> {
        let Some(account) = given else { return Ok(Self::Exchange(exchange)) };
        let kind = {
            let data = account.try_borrow_data()?;
            *data.first_chunk::<DISCRIMINATOR>().ok_or(PerpetuaError::WrongAccount)?
        };
        let is = |discriminator: &[u8]| kind == discriminator;
        if is(Index::DISCRIMINATOR) {
            Ok(Self::Index(borrow_mut(account)?))
        } else if is(Vault::DISCRIMINATOR) {
            Ok(Self::Vault(borrow_mut(account)?))
        } else if is(Market::DISCRIMINATOR) {
            Ok(Self::Market(borrow_mut(account)?))
        } else if is(Stock::DISCRIMINATOR) {
            Ok(Self::Stock(borrow_mut(account)?))
        } else {
            err!(PerpetuaError::WrongAccount)
        }
    }

    /// Compares what the account has with what it would have.
    ///
    /// Errors: [`PerpetuaError::WrongAccount`] for parameters of another kind of account;
    /// [`PerpetuaError::ParameterOutOfRange`].
    fn compare(&self, new: &NewParameters) -> Result<Comparison> {
        match (new, self) {
            (NewParameters::Exchange { guardian, fee_recipient }, Self::Exchange(exchange)) => {
                let exchange = exchange.load()?;
                let before = of_exchange(exchange.guardian, exchange.fee_recipient);
                let after = of_exchange(*guardian, *fee_recipient);
                let change = if before == after { Change::None } else { Change::Waits };
                Ok(compare(&before, &after, change))
            }
            (NewParameters::Index(guards), Self::Index(index)) => {
                let (before, after) = (index.state.guards, Guards::from(*guards));
                after.validate().or_program_error()?;
                Ok(compare(&before, &after, before.change_to(&after)))
            }
            (NewParameters::Vault(config), Self::Vault(vault)) => {
                let (before, after) = (vault.state.config, VaultConfig::from(*config));
                after.validate().or_program_error()?;
                Ok(compare(&before, &after, before.change_to(&after)))
            }
            (NewParameters::Market(config), Self::Market(market)) => {
                let (before, after) = (market.state.config, MarketConfig::from(*config));
                after.validate().or_program_error()?;
                Ok(compare(&before, &after, before.change_to(&after)))
            }
            (NewParameters::Stock(parameters), Self::Stock(stock)) => {
                let (before, after) = (stock.state.config, parameters.config(stock.state.config.decimals));
                after.validate().or_program_error()?;
                let same = parameters.share_feed == stock.share_feed
                    && parameters.token_feed.unwrap_or_default() == stock.token_feed;
                let change = if same { before.change_to(&after) } else { Change::Never };
                Ok(compare(&before, &after, change))
            }
            _ => err!(PerpetuaError::WrongAccount),
        }
    }

    /// The account's configuration.
    fn body(&self) -> Result<Body> {
        Ok(match self {
            Self::Exchange(exchange) => {
                let exchange = exchange.load()?;
                body(&of_exchange(exchange.guardian, exchange.fee_recipient))
            }
            Self::Index(index) => body(&index.state.guards),
            Self::Vault(vault) => body(&vault.state.config),
            Self::Market(market) => body(&market.state.config),
            Self::Stock(stock) => body(&stock.state.config),
        })
    }

    /// Writes a configuration that was judged before.
    fn write(&mut self, after: &Body, at_once: bool) -> Result<()> {
        match self {
            Self::Exchange(exchange) => {
                let mut exchange = exchange.load_mut()?;
                let [guardian, fee_recipient] = read::<[[u8; 32]; 2]>(after)?;
                exchange.guardian = Pubkey::new_from_array(guardian);
                exchange.fee_recipient = Pubkey::new_from_array(fee_recipient);
            }
            Self::Index(index) => index.state.guards = read(after)?,
            Self::Vault(vault) => vault.state.config = read(after)?,
            Self::Market(market) => {
                let (state, config) = (&mut market.state, read(after)?);
                let written = if at_once { state.tighten(config) } else { state.reconfigure(config, moment()?) };
                written.or_program_error()?;
            }
            Self::Stock(stock) => stock.state.config = read::<StockConfig>(after)?,
        }
        Ok(())
    }
}

pub(crate) fn propose_change<'a>(ctx: Context<'a, ProposeChange<'a>>, new: NewParameters) -> Result<()> {
    let accounts: &ProposeChange = ctx.accounts;
    let comparison = Target::borrow(&accounts.target, &accounts.exchange)?.compare(&new)?;
    comparison.change.require_possible().or_program_error()?;
    let target = accounts.target.address(&accounts.exchange);
    {
        let seeds: [&[u8]; 3] = [Proposal::SEED, target.as_ref(), &[ctx.bumps.proposal]];
        let mut proposal = create::<Proposal>(&accounts.admin, &accounts.proposal, &seeds)?;
        proposal.target = target;
        proposal.proposed_at = moment()?.now;
        proposal.version = VERSION;
        proposal.bump = ctx.bumps.proposal;
        proposal.before = comparison.before;
        proposal.after = comparison.after;
    }
    emit(&accounts.event_authority, &ChangeProposed { target, proposal: accounts.proposal.key() })
}

pub(crate) fn apply_change<'a>(ctx: Context<'a, ApplyChange<'a>>) -> Result<()> {
    let accounts: &ApplyChange = ctx.accounts;
    let address = {
        let proposal = accounts.proposal.load()?;
        require_due(proposal.proposed_at, moment()?.now).or_program_error()?;
        let mut target = Target::borrow(&accounts.target, &accounts.exchange)?;
        require!(target.body()? == proposal.before, PerpetuaError::ChangeOutdated);
        target.write(&proposal.after, false)?;
        proposal.target
    };
    emit(&accounts.event_authority, &ChangeApplied { target: address })
}

pub(crate) fn cancel_change(ctx: Context<CancelChange>) -> Result<()> {
    let target = ctx.accounts.proposal.load()?.target;
    emit(&ctx.accounts.event_authority, &ChangeCancelled { target })
}

pub(crate) fn tighten<'a>(ctx: Context<'a, Tighten<'a>>, new: NewParameters) -> Result<()> {
    let accounts: &Tighten = ctx.accounts;
    {
        let mut target = Target::borrow(&accounts.target, &accounts.exchange)?;
        let comparison = target.compare(&new)?;
        comparison.change.require_at_once().or_program_error()?;
        target.write(&comparison.after, true)?;
    }
    emit(&accounts.event_authority, &Tightened { target: accounts.target.address(&accounts.exchange) })
}
