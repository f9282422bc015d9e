//! The two pools: what they are worth, joining them, and leaving them in order.

use bytemuck::Zeroable;
use perpetua_pricing::{Rounding, wide::mul_div};

use crate::{
    conditions::{Action, Conditions},
    error::{ModelError, Result},
    market::{Market, Settlement},
    quantities::{BPS, Shares, Tokens, share},
    quote::Moment,
    vault::{Ledger, Vault},
};

/// The part of receivables counted at which shares are minted that still counts when they are burned, in bps.
const BURN_RECEIVABLE_BPS: u16 = 9_000;
/// Seconds after which a withdrawal that nobody executed returns to its owner.
pub const TICKET_LIFETIME: i64 = 86_400;
/// The same where a market follows the stock exchange: four days more, since over a long weekend only the owner can have it
/// executed.
pub const TICKET_LIFETIME_WITH_SESSIONS: i64 = 5 * 86_400;
/// Deposits stop once a share is worth less than its starting price divided by this.
const PRICE_FLOOR_DIVISOR: u128 = 100;

/// Which pool.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PoolKind {
    /// The sellers of options.
    Main,
    /// Those who stand behind them.
    Insurance,
}

/// The parameters of a pool.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct PoolConfig {
    /// `S0`: shares that nobody owns, which make rounding worthless to attack; the start price of a share is one over it.
    pub virtual_shares: Shares,
    /// Seconds between a request to leave and its execution.
    pub wait: u32,
    /// What stays in the pool when somebody leaves, in bps.
    pub exit_bps: u16,
    /// The part of funding receivable that counts as the pool's, in bps.
    pub receivable_bps: u16,
}

impl PoolConfig {
    /// Checks the hard bounds.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`].
    pub fn validate(&self) -> Result<()> {
        let sane = (1..=1_000_000_000).contains(&self.virtual_shares.0)
            && (3_600..=60 * 86_400).contains(&self.wait)
            && self.exit_bps <= 500
            && u64::from(self.receivable_bps) <= BPS;
        if sane { Ok(()) } else { Err(ModelError::ParameterOutOfRange) }
    }
}

/// A pool's ledger and its queue of withdrawals.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Pool {
    /// Tokens of the pool, raw units.
    pub assets: Tokens,
    /// Shares outstanding, those waiting to leave included.
    pub shares: Shares,
    /// Shares waiting to leave.
    pub queued_shares: Shares,
    /// Number of the next withdrawal to be requested.
    pub next_ticket: u64,
    /// Number of the withdrawal that is executed next.
    pub head_ticket: u64,
    /// When that one came to the front, or was last found to lack capacity, Unix seconds.
    pub head_since: i64,
    /// The latest time at which a requested withdrawal becomes ready, Unix seconds.
    pub last_ready: i64,
}

/// What is left of a withdrawal.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Ticket {
    /// Its place in the pool's queue.
    pub number: u64,
    /// Shares that still wait, or that were returned and can be taken back.
    pub shares: Shares,
    /// Tokens that the owner can claim, raw units.
    pub payable: Tokens,
    /// When it may be executed, Unix seconds.
    pub ready: i64,
    /// The exit fee at the request, in bps: no later change makes leaving dearer for those on their way out.
    pub exit_bps: u16,
    /// Zero.
    pub padding: [u8; 6],
}

/// What a pool is worth, raw units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetAssetValue {
    /// Shares are burned at this.
    pub low: Tokens,
    /// Shares are minted at this and what the pool lost and was not repaid.
    pub high: Tokens,
    /// Whether a market counts with its bounds, for lack of a price.
    pub at_bounds: bool,
    /// Whether a market follows the sessions of the stock exchange.
    pub has_sessions: bool,
}

impl NetAssetValue {
    /// Seconds after which a withdrawal that could be executed returns to its owner.
    fn lifetime(&self) -> i64 {
        if self.has_sessions { TICKET_LIFETIME_WITH_SESSIONS } else { TICKET_LIFETIME }
    }
}

/// What executing a withdrawal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Shares were burned for tokens that can be claimed now; `left` still wait.
    Paid {
        /// Shares burned.
        shares: Shares,
        /// Tokens to claim, raw units.
        tokens: Tokens,
        /// Shares for which the pool lacks capacity.
        left: Shares,
    },
    /// It waited too long or was cancelled: it left the queue, and its shares can be taken back.
    Returned,
}

impl Vault {
    /// The pool's ledger.
    pub fn pool(&self, kind: PoolKind) -> &Pool {
        match kind {
            PoolKind::Main => &self.main,
            PoolKind::Insurance => &self.insurance,
        }
    }

    /// The pool's parameters.
    pub fn pool_config(&self, kind: PoolKind) -> &PoolConfig {
        match kind {
            PoolKind::Main => &self.config.main,
            PoolKind::Insurance => &self.config.insurance,
        }
    }

    fn pool_mut(&mut self, kind: PoolKind) -> &mut Pool {
        match kind {
            PoolKind::Main => &mut self.main,
            PoolKind::Insurance => &mut self.insurance,
        }
    }

    /// What a pool is worth, from the marks of all of the vault's markets.
    ///
    /// Errors: [`ModelError::MarkStale`], [`ModelError::MathOverflow`].
    pub fn net_asset_value<'a>(
        &self,
        kind: PoolKind,
        markets: impl Iterator<Item = &'a Market>,
        slot: u64,
    ) -> Result<NetAssetValue> {
        let (mut best, mut worst) = (Tokens::ZERO, Tokens::ZERO);
        let (mut receivable, mut above_reserve) = (Tokens::ZERO, Tokens::ZERO);
        let (mut at_bounds, mut has_sessions) = (false, false);
        for market in markets {
            let mark = market.mark;
            if !mark.is_fresh(slot) {
                return Err(ModelError::MarkStale);
            }
            best = saturating_sum(best, mark.liability_low);
            worst = saturating_sum(worst, mark.liability_high);
            receivable = saturating_sum(receivable, mark.receivable);
            above_reserve = saturating_sum(above_reserve, mark.above_reserve);
            at_bounds |= mark.at_bounds == 1;
            has_sessions |= market.config.settlement() == Settlement::Dollar;
        }
        if kind == PoolKind::Insurance {
            (best, worst) = (Tokens::ZERO, saturating_sum(self.claims.outstanding, above_reserve));
        }
        let assets = self.pool(kind).assets;
        let counted = share(receivable, self.pool_config(kind).receivable_bps, Rounding::Up)?;
        let certain = share(
            share(receivable, self.pool_config(kind).receivable_bps, Rounding::Down)?,
            BURN_RECEIVABLE_BPS,
            Rounding::Down,
        )?;
        let low = saturating_sum(assets, certain).less(worst);
        Ok(NetAssetValue { low, high: saturating_sum(assets, counted).less(best), at_bounds, has_sessions })
    }

    /// Shares that `amount` tokens buy: `floor(d (shares + S0) / (NAV_hi + 1))`. What the pool lost and was not repaid
    /// counts too, so that nobody joins to have a part of the repayment.
    ///
    /// Errors: [`ModelError::SharePriceTooLow`], [`ModelError::MathOverflow`].
    pub fn shares_for(&self, kind: PoolKind, value: NetAssetValue, amount: Tokens) -> Result<Shares> {
        let supply = self.share_base(kind);
        let worth = u128::from(value.high.0) + 1;
        let start = u128::from(self.pool_config(kind).virtual_shares.0);
        // The price of a share starts at one over the virtual shares.
        if worth.saturating_mul(start).saturating_mul(PRICE_FLOOR_DIVISOR) < supply {
            return Err(ModelError::SharePriceTooLow);
        }
        let worth = worth + u128::from(self.lost_by(kind).0);
        let shares = mul_div(u128::from(amount.0), supply, worth, Rounding::Down);
        shares.and_then(|shares| u64::try_from(shares).ok()).map(Shares).ok_or(ModelError::MathOverflow)
    }

    /// Tokens that `shares` are worth: `floor(s (NAV_lo + 1) / (shares + S0))`.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn tokens_for(&self, kind: PoolKind, value: NetAssetValue, shares: Shares) -> Result<Tokens> {
        let worth = u128::from(value.low.0) + 1;
        let tokens = mul_div(u128::from(shares.0), worth, self.share_base(kind), Rounding::Down);
        tokens.and_then(|tokens| u64::try_from(tokens).ok()).map(Tokens).ok_or(ModelError::MathOverflow)
    }

    fn lost_by(&self, kind: PoolKind) -> Tokens {
        match kind {
            PoolKind::Main => self.lost.main,
            PoolKind::Insurance => self.lost.insurance,
        }
    }

    fn share_base(&self, kind: PoolKind) -> u128 {
        u128::from(self.pool(kind).shares.0) + u128::from(self.pool_config(kind).virtual_shares.0)
    }

    /// Tokens that may leave a pool now; what reserves need stays in the main pool.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn exit_capacity(&self, kind: PoolKind) -> Result<Tokens> {
        if kind == PoolKind::Insurance {
            return Ok(self.insurance.assets);
        }
        let needed = u128::from(self.reserves.0) * u128::from(BPS);
        let needed = needed.div_ceil(u128::from(self.config.max_utilisation_bps.max(1)));
        Ok(self.main.assets.less(Tokens(u64::try_from(needed).unwrap_or(u64::MAX))))
    }

    /// Adds tokens that came into the vault to a pool and returns the shares to mint.
    ///
    /// Errors: [`ModelError::AmountZero`], [`ModelError::SharesBelowMinimum`], [`ModelError::SharePriceTooLow`],
    /// [`ModelError::MarkAtBounds`], [`ModelError::ClaimsOpen`], and what the conditions forbid.
    pub fn join_pool(
        &mut self,
        kind: PoolKind,
        value: NetAssetValue,
        amount: Tokens,
        min_shares: Shares,
        conditions: Conditions,
    ) -> Result<Shares> {
        conditions.allow(Action::PoolIn)?;
        self.require_claims_served(kind)?;
        // Funding that nobody cranked yet would be bought for nothing.
        if value.at_bounds {
            return Err(ModelError::MarkAtBounds);
        }
        let shares = self.shares_for(kind, value, amount)?;
        if shares.is_zero() {
            return Err(ModelError::AmountZero);
        }
        if shares < min_shares {
            return Err(ModelError::SharesBelowMinimum);
        }
        let pool = self.pool_mut(kind);
        pool.assets = pool.assets.plus(amount)?;
        pool.shares = pool.shares.plus(shares)?;
        Ok(shares)
    }

    /// Queues shares, which their owner gave up, to leave a pool. They go on bearing its gains and losses.
    ///
    /// Errors: [`ModelError::AmountZero`], [`ModelError::MathOverflow`].
    pub fn request_withdrawal(&mut self, kind: PoolKind, shares: Shares, now: i64) -> Result<Ticket> {
        if shares.is_zero() {
            return Err(ModelError::AmountZero);
        }
        let PoolConfig { wait, exit_bps, .. } = *self.pool_config(kind);
        let pool = self.pool_mut(kind);
        if pool.head_ticket == pool.next_ticket {
            pool.head_since = now;
        }
        let number = pool.next_ticket;
        pool.next_ticket = number.checked_add(1).ok_or(ModelError::MathOverflow)?;
        pool.queued_shares = pool.queued_shares.plus(shares)?;
        pool.last_ready = pool.last_ready.max(now.saturating_add(i64::from(wait)));
        Ok(Ticket { number, shares, ready: pool.last_ready, exit_bps, ..Ticket::zeroed() })
    }

    /// Executes the withdrawal at the front of the queue, as far as the pool's capacity goes, at the pool's value now.
    /// One that waited a day longer than it had to is returned instead, so that a queued withdrawal is no free option.
    ///
    /// Nobody leaves the insurance pool before the claims on it are served.
    ///
    /// Errors: [`ModelError::TicketNotQueued`], [`ModelError::TicketOutOfOrder`], [`ModelError::TicketNotReady`],
    /// [`ModelError::ClaimsOpen`], [`ModelError::MarkAtBounds`] unless the owner of main pool shares, or of insurance shares
    /// in a vault without dollar markets, calls, and what the conditions forbid.
    pub fn execute_withdrawal(
        &mut self,
        kind: PoolKind,
        ticket: &mut Ticket,
        value: NetAssetValue,
        by_owner: bool,
        conditions: Conditions,
        moment: Moment,
    ) -> Result<Execution> {
        self.require_front(kind, ticket)?;
        if ticket.shares.is_zero() {
            self.advance_queue(kind, moment.now);
            return Ok(Execution::Returned);
        }
        if moment.now < ticket.ready {
            return Err(ModelError::TicketNotReady);
        }
        conditions.allow(Action::PoolOut)?;
        if kind == PoolKind::Insurance {
            self.serve_claims_first(moment.now)?;
        }
        let expires = ticket.ready.max(self.pool(kind).head_since).saturating_add(value.lifetime());
        // One that lacked capacity all the while could not be executed, so it keeps its place.
        if moment.now > expires && !self.exit_capacity(kind)?.is_zero() {
            let pool = self.pool_mut(kind);
            pool.queued_shares = pool.queued_shares.minus(ticket.shares)?;
            self.advance_queue(kind, moment.now);
            return Ok(Execution::Returned);
        }
        // At the bounds nobody knows what insurance will have to pay above the reserves of a dollar market.
        let unknown = kind == PoolKind::Insurance && value.has_sessions;
        // Nobody has another's shares burned for next to nothing in a crash that may pass.
        let uncertain = value.at_bounds || value.low.0 < value.high.0 / 2;
        if value.at_bounds && unknown || uncertain && !by_owner {
            return Err(ModelError::MarkAtBounds);
        }
        self.pay_ticket(kind, ticket, value, moment.now)
    }

    /// Takes a withdrawal's remaining shares out of the queue and returns how many to give back to the owner.
    ///
    /// Errors: [`ModelError::TicketNotQueued`] if none are left.
    pub fn cancel_withdrawal(&mut self, kind: PoolKind, ticket: &mut Ticket, now: i64) -> Result<Shares> {
        if ticket.shares.is_zero() {
            return Err(ModelError::TicketNotQueued);
        }
        let shares = core::mem::take(&mut ticket.shares);
        let pool = self.pool_mut(kind);
        if ticket.number >= pool.head_ticket {
            pool.queued_shares = pool.queued_shares.minus(shares)?;
        }
        if ticket.number == pool.head_ticket {
            self.advance_queue(kind, now);
        }
        Ok(shares)
    }

    /// Takes what an executed withdrawal pays, which then leaves the vault.
    ///
    /// Errors: what the conditions forbid; [`ModelError::NothingToCollect`].
    pub fn claim_withdrawal(&mut self, ticket: &mut Ticket, conditions: Conditions) -> Result<Tokens> {
        conditions.allow(Action::Withdraw)?;
        if ticket.payable.is_zero() {
            return Err(ModelError::NothingToCollect);
        }
        let amount = core::mem::take(&mut ticket.payable);
        self.payable = self.payable.minus(amount)?;
        Ok(amount)
    }

    /// Whether a withdrawal's account may be closed: nothing in it, and out of the queue.
    ///
    /// Errors: [`ModelError::TicketStillOpen`].
    pub fn require_finished(&self, kind: PoolKind, ticket: &Ticket) -> Result<()> {
        let finished =
            ticket.shares.is_zero() && ticket.payable.is_zero() && ticket.number < self.pool(kind).head_ticket;
        if finished { Ok(()) } else { Err(ModelError::TicketStillOpen) }
    }

    fn require_claims_served(&self, kind: PoolKind) -> Result<()> {
        let open = kind == PoolKind::Insurance && !self.claims.outstanding.is_zero();
        if open { Err(ModelError::ClaimsOpen) } else { Ok(()) }
    }

    /// Serves the claims before anybody leaves. Those who waited for that have their day to be executed in afresh.
    fn serve_claims_first(&mut self, now: i64) -> Result<()> {
        self.serve_claims(now)?;
        self.require_claims_served(PoolKind::Insurance)?;
        if core::mem::take(&mut self.claims.held) == 1 {
            self.insurance.head_since = now;
        }
        Ok(())
    }

    fn require_front(&self, kind: PoolKind, ticket: &Ticket) -> Result<()> {
        match ticket.number.cmp(&self.pool(kind).head_ticket) {
            core::cmp::Ordering::Less => Err(ModelError::TicketNotQueued),
            core::cmp::Ordering::Equal => Ok(()),
            core::cmp::Ordering::Greater => Err(ModelError::TicketOutOfOrder),
        }
    }

    fn advance_queue(&mut self, kind: PoolKind, now: i64) {
        let pool = self.pool_mut(kind);
        // Below the next ticket's number, so it cannot overflow.
        pool.head_ticket = pool.head_ticket.saturating_add(1);
        pool.head_since = now;
    }

    fn pay_ticket(&mut self, kind: PoolKind, ticket: &mut Ticket, value: NetAssetValue, now: i64) -> Result<Execution> {
        let capacity = self.exit_capacity(kind)?;
        let exit_bps = self.pool_config(kind).exit_bps.min(ticket.exit_bps);
        let whole = self.after_exit_fee(kind, value, ticket.shares, exit_bps)?;
        let shares = if whole <= capacity {
            ticket.shares
        } else {
            let part =
                mul_div(u128::from(ticket.shares.0), u128::from(capacity.0), u128::from(whole.0), Rounding::Down);
            Shares(part.and_then(|part| u64::try_from(part).ok()).ok_or(ModelError::MathOverflow)?)
        };
        // Rounding could exceed the capacity by a unit, which reserves may need.
        let tokens = self.after_exit_fee(kind, value, shares, exit_bps)?.min(capacity);
        // A part that is worth less than a unit waits instead of burning for nothing.
        let shares = if tokens.is_zero() && shares < ticket.shares { Shares::ZERO } else { shares };
        ticket.shares = ticket.shares.minus(shares)?;
        ticket.payable = ticket.payable.plus(tokens)?;
        self.payable = self.payable.plus(tokens)?;
        let pool = self.pool_mut(kind);
        pool.assets = pool.assets.minus(tokens)?;
        pool.shares = pool.shares.minus(shares)?;
        pool.queued_shares = pool.queued_shares.minus(shares)?;
        if ticket.shares.is_zero() {
            self.advance_queue(kind, now);
        } else {
            pool.head_since = now;
        }
        self.sweep_empty_main_pool()?;
        Ok(Execution::Paid { shares, tokens, left: ticket.shares })
    }

    fn after_exit_fee(&self, kind: PoolKind, value: NetAssetValue, shares: Shares, exit_bps: u16) -> Result<Tokens> {
        let tokens = self.tokens_for(kind, value, shares)?;
        tokens.minus(share(tokens, exit_bps, Rounding::Up)?)
    }

    /// When no share is left, what remains belongs to nobody and goes to insurance.
    fn sweep_empty_main_pool(&mut self) -> Result<()> {
        if self.main.shares.is_zero() && self.reserves.is_zero() {
            let rest = core::mem::take(&mut self.main.assets);
            self.credit(Ledger::Insurance, rest)?;
        }
        self.leave_losses_of_nobody()
    }
}

/// The sum, or the largest amount: a receivable that large is worthless, and must not stop anybody from leaving.
fn saturating_sum(left: Tokens, right: Tokens) -> Tokens {
    Tokens(left.0.saturating_add(right.0))
}
