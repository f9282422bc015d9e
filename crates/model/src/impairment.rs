//! Loss of tokens: what happens when an issuer takes tokens out of the vault, so that it holds less than its ledgers.
//!
//! After two days the loss is taken from protocol fees, then the insurance pool, then the main pool, then margin; tokens
//! that come back repay it in reverse. Withdrawals executed and claims served are never cut. A loss of margin cuts every
//! account by the same fraction; accounts learn of it when they are touched.

use crate::{
    account::MarginAccount,
    error::{ModelError, Result},
    quantities::{Tokens, product},
    vault::{Ledger, Vault},
};

/// Seconds for which a vault must be short before anyone may recognise the loss.
pub const LOSS_DELAY: i64 = 48 * 3_600;
/// Losses that may reach margin in the life of a vault.
pub const MARGIN_LOSSES: usize = 4;

/// What each layer lost, or got back, raw units; those first lose first and are repaid last.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Loss {
    /// The protocol's fees.
    pub protocol: Tokens,
    /// The insurance pool.
    pub insurance: Tokens,
    /// The main pool.
    pub main: Tokens,
    /// All margin accounts together.
    pub margin: Tokens,
}

impl Loss {
    /// All layers together, raw units.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn total(&self) -> Result<Tokens> {
        self.protocol.plus(self.insurance)?.plus(self.main)?.plus(self.margin)
    }

    fn combine(&self, other: &Self, with: impl Fn(Tokens, Tokens) -> Result<Tokens>) -> Result<Self> {
        Ok(Self {
            protocol: with(self.protocol, other.protocol)?,
            insurance: with(self.insurance, other.insurance)?,
            main: with(self.main, other.main)?,
            margin: with(self.margin, other.margin)?,
        })
    }
}

/// A loss that reached margin: every account kept `1 - lost / before` of its collateral, rounded down.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct MarginLoss {
    /// All margin before the loss, raw units.
    pub before: Tokens,
    /// What it lost, raw units.
    pub lost: Tokens,
    /// What was repaid of that, raw units.
    pub repaid: Tokens,
    /// What had been repaid of each earlier loss when this one came, raw units: this one cut that too.
    pub repaid_earlier: [Tokens; MARGIN_LOSSES - 1],
}

/// An account's part in a [`MarginLoss`].
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct LossShare {
    /// What the account lost, raw units.
    pub lost: Tokens,
    /// What had been repaid of the whole loss when the account last got its part of that, raw units.
    pub seen: Tokens,
}

impl LossShare {
    /// What the account gets of a repayment that has come to `repaid`, raw units, rounded down; then it has seen that.
    fn take(&mut self, repaid: Tokens, loss: &MarginLoss) -> Tokens {
        let seen = core::mem::replace(&mut self.seen, repaid);
        if self.lost.is_zero() || seen == repaid {
            return Tokens::ZERO;
        }
        let part = |repaid: Tokens| product(self.lost.0, repaid.0) / u128::from(loss.lost.0.max(1));
        // At most what was lost, so it fits.
        Tokens(u64::try_from(part(repaid).saturating_sub(part(seen))).unwrap_or(0))
    }
}

impl Vault {
    /// Notes since when the token account, which holds `balance`, is short of the ledgers, and returns whether it is.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn observe_balance(&mut self, balance: Tokens, now: i64) -> Result<bool> {
        self.short = self.total()?.less(balance);
        let short = !self.short.is_zero();
        if !short {
            self.short_since = 0;
        } else if self.short_since == 0 {
            self.short_since = now;
        }
        Ok(short)
    }

    /// Takes what the vault is short of from its layers, in their order, and returns what each lost. What would fall on
    /// withdrawals executed and claims served stays short.
    ///
    /// Errors: [`ModelError::NotShort`], [`ModelError::LossNotDue`], [`ModelError::TooManyLosses`].
    pub fn recognise_loss(&mut self, balance: Tokens, now: i64) -> Result<Loss> {
        if !self.observe_balance(balance, now)? {
            return Err(ModelError::NotShort);
        }
        if now < self.short_since.saturating_add(LOSS_DELAY) {
            return Err(ModelError::LossNotDue);
        }
        let mut short = self.total()?.minus(balance)?;
        let before = self.margin;
        let mut take = |layer: &mut Tokens| {
            let part = short.min(*layer);
            (short, *layer) = (short.less(part), layer.less(part));
            part
        };
        let loss = Loss {
            protocol: take(&mut self.protocol_fees),
            insurance: take(&mut self.insurance.assets),
            main: take(&mut self.main.assets),
            margin: take(&mut self.margin),
        };
        self.short_since = if short.is_zero() { 0 } else { now };
        self.short = short;
        self.record_margin_loss(before, loss.margin)?;
        self.lost = self.lost.combine(&loss, Tokens::plus)?;
        self.leave_losses_of_nobody()?;
        Ok(loss)
    }

    fn record_margin_loss(&mut self, before: Tokens, lost: Tokens) -> Result<()> {
        if lost.is_zero() {
            return Ok(());
        }
        let mut repaid_earlier = [Tokens::ZERO; MARGIN_LOSSES - 1];
        for (seen, earlier) in repaid_earlier.iter_mut().zip(&self.margin_losses) {
            *seen = earlier.repaid;
        }
        let place = self.margin_losses.get_mut(usize::from(self.margin_loss_count)).ok_or(ModelError::TooManyLosses)?;
        *place = MarginLoss { before, lost, repaid: Tokens::ZERO, repaid_earlier };
        // Below the number of places, so it cannot overflow.
        self.margin_loss_count = self.margin_loss_count.saturating_add(1);
        Ok(())
    }

    /// Repays losses, the last first, from tokens that the token account holds beyond the ledgers, and returns what each
    /// layer got.
    ///
    /// Errors: [`ModelError::NothingToRepay`] without a loss or without such tokens.
    pub fn repay_losses(&mut self, balance: Tokens) -> Result<Loss> {
        let mut surplus = balance.less(self.total()?);
        let mut take = |lost: Tokens| {
            let part = surplus.min(lost);
            surplus = surplus.less(part);
            part
        };
        let mut margin = Tokens::ZERO;
        for loss in self.margin_losses.iter_mut().rev() {
            let part = take(loss.lost.less(loss.repaid));
            loss.repaid = loss.repaid.plus(part)?;
            margin = margin.plus(part)?;
        }
        let (main, insurance) = (take(self.lost.main), take(self.lost.insurance));
        let repaid = Loss { margin, main, insurance, protocol: take(self.lost.protocol) };
        if repaid.total()?.is_zero() {
            return Err(ModelError::NothingToRepay);
        }
        (self.short_since, self.short) = (0, Tokens::ZERO);
        self.lost = self.lost.combine(&repaid, Tokens::minus)?;
        self.margin = self.margin.plus(repaid.margin)?;
        self.credit(Ledger::Main, repaid.main)?;
        self.credit(Ledger::Insurance, repaid.insurance)?;
        self.credit(Ledger::Protocol, repaid.protocol)?;
        Ok(repaid)
    }

    /// Brings an account up to date: cuts its collateral by the losses it has not seen, pays its part of what was repaid
    /// and of its claim. Whatever reads collateral does this before. How often it is done changes nothing.
    ///
    /// An account without collateral loses nothing, so a new one takes no part in losses and repayments before it.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn sync(&mut self, account: &mut MarginAccount) -> Result<()> {
        if self.margin_loss_count > 0 {
            self.sync_losses(account)?;
        }
        if account.claim.amount.is_zero() { Ok(()) } else { self.collect_claim(account) }
    }

    fn sync_losses(&self, account: &mut MarginAccount) -> Result<()> {
        let losses = self.margin_losses.iter().take(usize::from(self.margin_loss_count)).enumerate();
        for (number, loss) in losses.skip(usize::from(account.losses_seen)) {
            self.take_repaid(account, number, |earlier| loss.repaid_earlier.get(earlier).copied())?;
            let kept = product(account.collateral.0, loss.before.less(loss.lost).0) / u128::from(loss.before.0.max(1));
            let kept = Tokens(u64::try_from(kept).map_err(|_| ModelError::MathOverflow)?);
            if let Some(share) = account.losses.get_mut(number) {
                *share = LossShare { lost: account.collateral.minus(kept)?, seen: Tokens::ZERO };
            }
            account.collateral = kept;
        }
        account.losses_seen = self.margin_loss_count;
        self.take_repaid(account, MARGIN_LOSSES, |number| self.margin_losses.get(number).map(|loss| loss.repaid))
    }

    /// Pays an account its part of what has been `repaid` of each of the first `count` losses.
    fn take_repaid(
        &self,
        account: &mut MarginAccount,
        count: usize,
        repaid: impl Fn(usize) -> Option<Tokens>,
    ) -> Result<()> {
        for (number, (share, loss)) in account.losses.iter_mut().zip(&self.margin_losses).take(count).enumerate() {
            let part = share.take(repaid(number).unwrap_or(Tokens::ZERO), loss);
            account.collateral = account.collateral.plus(part)?;
        }
        Ok(())
    }

    /// What a pool lost and nobody is left in the pool to be repaid for goes to the next that would be.
    pub(crate) fn leave_losses_of_nobody(&mut self) -> Result<()> {
        if self.main.shares.is_zero() && self.reserves.is_zero() {
            self.lost.insurance = self.lost.insurance.plus(core::mem::take(&mut self.lost.main))?;
        }
        if self.insurance.shares.is_zero() {
            self.lost.protocol = self.lost.protocol.plus(core::mem::take(&mut self.lost.insurance))?;
        }
        Ok(())
    }
}
