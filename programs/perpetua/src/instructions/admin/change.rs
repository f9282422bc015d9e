//! Changes configurations: what tightens limits at once, the rest two days after it was proposed.

use anchor_lang::prelude::*;
use bytemuck::{Pod, bytes_of, pod_read_unaligned};
use perpetua_model::{Change, Guards, MarketConfig, StockConfig, VaultConfig, require_due};

use super::{GuardParameters, MarketParameters, StockParameters, VaultParameters};
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{ChangeApplied, ChangeCancelled, ChangeProposed, Tightened, emit},
    instructions::common::{DISCRIMINATOR, moment},
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

/// The account that is changed: the one that is given, or the exchange.
#[derive(Accounts)]
pub struct Target<'info> {
    /// The index.
    #[account(mut)]
    pub index: Option<AccountLoader<'info, Index>>,
    /// The vault.
    #[account(mut)]
    pub vault: Option<AccountLoader<'info, Vault>>,
    /// The market; one that is not only tightened was accrued in this slot.
    #[account(mut)]
    pub market: Option<AccountLoader<'info, Market>>,
    /// The stock.
    #[account(mut)]
    pub stock: Option<AccountLoader<'info, Stock>>,
}

/// Accounts of `propose_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct ProposeChange<'info> {
    /// The administrator, who pays the rent.
    #[account(mut)]
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(has_one = admin @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The account that is changed.
    pub target: Target<'info>,
    /// Receives the change; there is one at a time for each account.
    #[account(
        init,
        payer = admin,
        space = DISCRIMINATOR + size_of::<Proposal>(),
        seeds = [Proposal::SEED, target.address(&exchange).as_ref()],
        bump,
    )]
    pub proposal: AccountLoader<'info, Proposal>,
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
    /// The account that is changed.
    pub target: Target<'info>,
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
    /// The account that is changed.
    pub target: Target<'info>,
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

impl<'info> Target<'info> {
    /// The account's address.
    fn address(&self, exchange: &AccountLoader<'info, Exchange>) -> Pubkey {
        let given = [
            self.index.as_ref().map(|index| index.key()),
            self.vault.as_ref().map(|vault| vault.key()),
            self.market.as_ref().map(|market| market.key()),
            self.stock.as_ref().map(|stock| stock.key()),
        ];
        given.into_iter().flatten().next().unwrap_or(exchange.key())
    }

    /// Compares what an account has with what it would have.
    ///
    /// Errors: [`PerpetuaError::WrongAccount`] for parameters of another kind of account, or for several accounts;
    /// [`PerpetuaError::ParameterOutOfRange`].
    fn compare(&self, exchange: &Exchange, new: &NewParameters) -> Result<Comparison> {
        match (new, &self.index, &self.vault, &self.market, &self.stock) {
            (NewParameters::Exchange { guardian, fee_recipient }, None, None, None, None) => {
                let before = of_exchange(exchange.guardian, exchange.fee_recipient);
                let after = of_exchange(*guardian, *fee_recipient);
                let change = if before == after { Change::None } else { Change::Waits };
                Ok(compare(&before, &after, change))
            }
            (NewParameters::Index(guards), Some(index), None, None, None) => {
                let (before, after) = (index.load()?.state.guards, Guards::from(*guards));
                after.validate().or_program_error()?;
                Ok(compare(&before, &after, before.change_to(&after)))
            }
            (NewParameters::Vault(config), None, Some(vault), None, None) => {
                let (before, after) = (vault.load()?.state.config, VaultConfig::from(*config));
                after.validate().or_program_error()?;
                Ok(compare(&before, &after, before.change_to(&after)))
            }
            (NewParameters::Market(config), None, None, Some(market), None) => {
                let (before, after) = (market.load()?.state.config, MarketConfig::from(*config));
                after.validate().or_program_error()?;
                Ok(compare(&before, &after, before.change_to(&after)))
            }
            (NewParameters::Stock(parameters), None, None, None, Some(stock)) => {
                let stock = stock.load()?;
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
    fn body(&self, exchange: &Exchange) -> Result<Body> {
        Ok(match (&self.index, &self.vault, &self.market, &self.stock) {
            (Some(index), ..) => body(&index.load()?.state.guards),
            (_, Some(vault), ..) => body(&vault.load()?.state.config),
            (_, _, Some(market), _) => body(&market.load()?.state.config),
            (_, _, _, Some(stock)) => body(&stock.load()?.state.config),
            _ => body(&of_exchange(exchange.guardian, exchange.fee_recipient)),
        })
    }

    /// Writes a configuration that was judged before.
    fn write(&self, exchange: &AccountLoader<'info, Exchange>, after: &Body, at_once: bool) -> Result<()> {
        match (&self.index, &self.vault, &self.market, &self.stock) {
            (Some(index), ..) => index.load_mut()?.state.guards = read(after)?,
            (_, Some(vault), ..) => vault.load_mut()?.state.config = read(after)?,
            (_, _, Some(market), _) => {
                let state = &mut market.load_mut()?.state;
                let written =
                    if at_once { state.tighten(read(after)?) } else { state.reconfigure(read(after)?, moment()?) };
                written.or_program_error()?;
            }
            (_, _, _, Some(stock)) => stock.load_mut()?.state.config = read::<StockConfig>(after)?,
            _ => {
                let mut exchange = exchange.load_mut()?;
                let [guardian, fee_recipient] = read::<[[u8; 32]; 2]>(after)?;
                exchange.guardian = Pubkey::new_from_array(guardian);
                exchange.fee_recipient = Pubkey::new_from_array(fee_recipient);
            }
        }
        Ok(())
    }
}

pub(crate) fn propose_change(ctx: Context<ProposeChange>, new: NewParameters) -> Result<()> {
    let accounts = &ctx.accounts;
    let comparison = accounts.target.compare(&*accounts.exchange.load()?, &new)?;
    comparison.change.require_possible().or_program_error()?;
    let target = accounts.target.address(&accounts.exchange);
    {
        let mut proposal = accounts.proposal.load_init()?;
        proposal.target = target;
        proposal.proposed_at = moment()?.now;
        proposal.version = VERSION;
        proposal.bump = ctx.bumps.proposal;
        proposal.before = comparison.before;
        proposal.after = comparison.after;
    }
    emit(&accounts.event_authority, &ChangeProposed { target, proposal: accounts.proposal.key() })
}

pub(crate) fn apply_change(ctx: Context<ApplyChange>) -> Result<()> {
    let accounts = &ctx.accounts;
    let target = {
        let proposal = accounts.proposal.load()?;
        require_due(proposal.proposed_at, moment()?.now).or_program_error()?;
        let now = accounts.target.body(&*accounts.exchange.load()?)?;
        require!(now == proposal.before, PerpetuaError::ChangeOutdated);
        accounts.target.write(&accounts.exchange, &proposal.after, false)?;
        proposal.target
    };
    emit(&accounts.event_authority, &ChangeApplied { target })
}

pub(crate) fn cancel_change(ctx: Context<CancelChange>) -> Result<()> {
    let target = ctx.accounts.proposal.load()?.target;
    emit(&ctx.accounts.event_authority, &ChangeCancelled { target })
}

pub(crate) fn tighten(ctx: Context<Tighten>, new: NewParameters) -> Result<()> {
    let accounts = &ctx.accounts;
    let comparison = accounts.target.compare(&*accounts.exchange.load()?, &new)?;
    comparison.change.require_at_once().or_program_error()?;
    accounts.target.write(&accounts.exchange, &comparison.after, true)?;
    emit(&accounts.event_authority, &Tightened { target: accounts.target.address(&accounts.exchange) })
}
