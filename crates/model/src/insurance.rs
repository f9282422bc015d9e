//! Paying out: the main pool up to the position's reserve, then the insurance pool up to its daily limit, then a claim.

use perpetua_pricing::{Rounding, wide::mul_div};

use crate::{
    account::MarginAccount,
    error::{ModelError, Result},
    quantities::{Tokens, share},
    vault::Vault,
};

/// Seconds that a [`PayoutWindow`] lasts.
pub const PAYOUT_WINDOW: i64 = 86_400;
/// The most of its assets that the insurance pool pays within a window, in bps.
pub const PAYOUT_LIMIT_BPS: u16 = 2_500;

/// What the insurance pool may pay within a day.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct PayoutWindow {
    /// When the window started: with the first payment after the one before had ended, Unix seconds.
    pub start: i64,
    /// What may still be paid within it, raw units.
    pub left: Tokens,
}

/// Who paid a payout, raw units. After a loss of tokens the parts may be less than the whole.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Payout {
    /// Paid by the main pool.
    pub main: Tokens,
    /// Paid by the insurance pool.
    pub insurance: Tokens,
    /// Recorded as a claim on the insurance pool.
    pub claimed: Tokens,
}

impl Payout {
    /// What arrived in the account's collateral, raw units.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn received(&self) -> Result<Tokens> {
        self.main.plus(self.insurance)
    }
}

/// Payouts to one account at one moment: what the insurance pool may pay is found once for all of them.
#[derive(Default)]
pub(crate) struct Payouts {
    /// Who paid so far. The insurance pool's part and the claim are booked at the end.
    paid: Payout,
    /// What the insurance pool may pay besides, raw units; unknown until a payout needs it.
    insurance_left: Option<Tokens>,
}

impl Payouts {
    /// What arrived in the account's collateral so far, raw units.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub(crate) fn received(&self) -> Result<Tokens> {
        self.paid.received()
    }
}

impl Vault {
    /// Pays a closed option to an account. `released` is the reserve that closing frees, which [`Vault::reserves`] still
    /// counts: the main pool pays up to it, and where it lost tokens it pays the part that it has of all reserves. What
    /// exceeds the reserve is the insurance pool's, which serves older claims before.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn pay_out(
        &mut self,
        account: &mut MarginAccount,
        payout: Tokens,
        released: Tokens,
        now: i64,
    ) -> Result<Payout> {
        self.sync(account)?;
        let mut payouts = Payouts::default();
        self.pay_next(account, &mut payouts, payout, released, now)?;
        self.finish_payouts(account, payouts, now)
    }

    /// [`Self::pay_out`] for the next of several to an account that was synced; [`Self::finish_payouts`] follows the last.
    pub(crate) fn pay_next(
        &mut self,
        account: &mut MarginAccount,
        payouts: &mut Payouts,
        payout: Tokens,
        released: Tokens,
        now: i64,
    ) -> Result<()> {
        let covered = payout.min(released);
        let main = self.backed(covered)?;
        self.main.assets = self.main.assets.minus(main)?;
        payouts.paid.main = payouts.paid.main.plus(main)?;
        self.add_collateral(account, main)?;
        let excess = payout.less(covered);
        if !excess.is_zero() {
            let left = match payouts.insurance_left {
                Some(left) => left,
                None => self.insurance_left(account, now)?,
            };
            let insurance = excess.min(left);
            payouts.insurance_left = Some(left.minus(insurance)?);
            payouts.paid.insurance = payouts.paid.insurance.plus(insurance)?;
            payouts.paid.claimed = payouts.paid.claimed.plus(excess.minus(insurance)?)?;
            self.add_collateral(account, insurance)?;
        }
        Ok(())
    }

    /// Books what the insurance pool paid and what became a claim, and returns who paid.
    pub(crate) fn finish_payouts(&mut self, account: &mut MarginAccount, payouts: Payouts, now: i64) -> Result<Payout> {
        self.spend_insurance(payouts.paid.insurance, now)?;
        self.record_claim(account, payouts.paid.claimed)?;
        Ok(payouts.paid)
    }

    /// Serves open claims from the insurance pool's assets, as far as the day's limit goes, and returns how much it was.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn serve_claims(&mut self, now: i64) -> Result<Tokens> {
        if self.claims.outstanding.is_zero() {
            return Ok(Tokens::ZERO);
        }
        let served = self.claims.serve(self.insurance_limit(now)?)?;
        self.spend_insurance(served, now)?;
        Ok(served)
    }

    /// The most that the insurance pool may pay now, raw units.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn insurance_limit(&self, now: i64) -> Result<Tokens> {
        // While tokens are missing the insurance pool bears that loss first.
        if !self.short.is_zero() {
            return Ok(Tokens::ZERO);
        }
        Ok(self.window_at(now)?.left.min(self.insurance.assets))
    }

    /// The part of an amount within the reserves that the main pool can pay for all of them alike, rounded down.
    fn backed(&self, covered: Tokens) -> Result<Tokens> {
        // Tokens that are missing and would be the main pool's loss are not there to run for.
        let missing = self.short.less(self.protocol_fees).less(self.insurance.assets);
        let (assets, reserves) = (self.main.assets.less(missing), self.reserves);
        if assets >= reserves {
            return Ok(covered);
        }
        let part = mul_div(u128::from(covered.0), u128::from(assets.0), u128::from(reserves.0), Rounding::Down);
        part.and_then(|part| u64::try_from(part).ok()).map(Tokens).ok_or(ModelError::MathOverflow)
    }

    /// What the insurance pool may pay an account once the claims before, its own among them, are served.
    fn insurance_left(&mut self, account: &mut MarginAccount, now: i64) -> Result<Tokens> {
        self.serve_claims(now)?;
        self.sync(account)?;
        self.insurance_limit(now)
    }

    /// The window that a payment now would fall into.
    fn window_at(&self, now: i64) -> Result<PayoutWindow> {
        if now < self.payout_window.start.saturating_add(PAYOUT_WINDOW) {
            return Ok(self.payout_window);
        }
        Ok(PayoutWindow { start: now, left: share(self.insurance.assets, PAYOUT_LIMIT_BPS, Rounding::Down)? })
    }

    fn spend_insurance(&mut self, amount: Tokens, now: i64) -> Result<()> {
        if amount.is_zero() {
            return Ok(());
        }
        let window = self.window_at(now)?;
        self.payout_window = PayoutWindow { left: window.left.minus(amount)?, ..window };
        self.insurance.assets = self.insurance.assets.minus(amount)?;
        Ok(())
    }
}
