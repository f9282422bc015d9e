//! Claims on the insurance pool: what it owes to traders for payouts above their reserves, and what they were served.
//!
//! Each unit owed is served alike, so one number for all claims says what is left of each: serving does the same work for
//! one claimant and for thousands, and every claimant takes his part whenever he comes.

use crate::{
    account::MarginAccount,
    error::{ModelError, Result},
    quantities::{Tokens, product},
    vault::Vault,
};

/// One as the factor of a [`Scale`]; a factor that fell to half of it is doubled and counted as a halving.
const ONE: u64 = 1 << 63;

/// What is left of every unit owed: `factor / 2^halvings`, within one epoch.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Scale {
    /// Q1.63, from one half to one: a factor that shrank to nothing could not tell claims apart any more.
    pub factor: u64,
    /// How often the factor was doubled.
    pub halvings: u32,
    /// How often everything owed was served; a claim of an earlier epoch is served whole.
    pub epoch: u32,
}

impl Scale {
    /// The scale of claims of which nothing was served.
    pub const START: Self = Self { factor: ONE, halvings: 0, epoch: 0 };

    /// The scale once `left`, which is not zero, of `owed` is left; rounded up, so that what is left is never understated.
    fn after(self, left: Tokens, owed: Tokens) -> Result<Self> {
        let mut numerator = product(self.factor, left.0);
        let half = u128::from(owed.0) << 62;
        let mut halvings = self.halvings;
        // Below 2^126 where it doubles, and at least one where it starts, so it neither overflows nor lasts.
        while numerator != 0 && numerator < half {
            numerator <<= 1;
            halvings = halvings.checked_add(1).ok_or(ModelError::MathOverflow)?;
        }
        let factor = numerator.div_ceil(u128::from(owed.0.max(1)));
        let factor = u64::try_from(factor).map_err(|_| ModelError::MathOverflow)?;
        Ok(Self { factor, halvings, ..self })
    }

    /// The scale of the claims to come when all until now are served.
    fn next_epoch(self) -> Result<Self> {
        let epoch = self.epoch.checked_add(1).ok_or(ModelError::MathOverflow)?;
        Ok(Self { epoch, ..Self::START })
    }
}

/// What the insurance pool owes, and what it set aside for those it owes.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct ClaimFund {
    /// Owed and not served, raw units.
    pub outstanding: Tokens,
    /// A ledger: served and not collected by the claimants yet, raw units.
    pub funded: Tokens,
    /// What is left of every unit owed.
    pub scale: Scale,
    /// 1 while claims hold up those who leave the insurance pool, until one is executed again: what could not be executed
    /// does not expire.
    pub held: u8,
    /// Zero.
    pub padding: [u8; 7],
}

impl ClaimFund {
    /// A fund that owes nothing.
    pub const EMPTY: Self =
        Self { outstanding: Tokens::ZERO, funded: Tokens::ZERO, scale: Scale::START, held: 0, padding: [0; 7] };

    /// Sets aside what is offered, up to all that is owed, for the claimants pro rata, and returns how much that is.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn serve(&mut self, offered: Tokens) -> Result<Tokens> {
        let served = offered.min(self.outstanding);
        if served.is_zero() {
            return Ok(served);
        }
        let left = self.outstanding.minus(served)?;
        self.scale =
            if left.is_zero() { self.scale.next_epoch()? } else { self.scale.after(left, self.outstanding)? };
        self.outstanding = left;
        self.funded = self.funded.plus(served)?;
        Ok(served)
    }
}

/// An account's claim on the insurance pool.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Claim {
    /// Owed to the account when it last gained a claim, raw units; zero without one.
    pub amount: Tokens,
    /// What it collected of that since, raw units. Kept beside the amount, so that collecting often costs no fractions.
    pub collected: Tokens,
    /// The fund's scale when it last gained a claim.
    pub scale: Scale,
}

impl Claim {
    /// What is still owed when the fund is at `scale`, raw units, rounded up.
    ///
    /// Errors: [`ModelError::MathOverflow`] for scales that do not belong together.
    pub fn left(&self, scale: Scale) -> Result<Tokens> {
        if self.amount.is_zero() || self.scale.epoch != scale.epoch {
            return Ok(Tokens::ZERO);
        }
        // Mostly nothing was served since, and the wide division below is long.
        if self.scale == scale {
            return Ok(self.amount);
        }
        let halvings = scale.halvings.checked_sub(self.scale.halvings).ok_or(ModelError::MathOverflow)?;
        if halvings > 64 {
            // Two factors differ by two at most, so this is part of one unit.
            return Ok(Tokens(1));
        }
        let left = product(self.amount.0, scale.factor).div_ceil(u128::from(self.scale.factor.max(1)) << halvings);
        u64::try_from(left).map(Tokens).map_err(|_| ModelError::MathOverflow)
    }

    /// What was served and not collected when the fund is at `scale`, raw units, rounded down.
    ///
    /// Errors: [`ModelError::MathOverflow`] for scales that do not belong together.
    pub fn due(&self, scale: Scale) -> Result<Tokens> {
        self.amount.minus(self.left(scale)?)?.minus(self.collected)
    }
}

impl Vault {
    /// Moves what was served of an account's claim to its collateral.
    pub(crate) fn collect_claim(&mut self, account: &mut MarginAccount) -> Result<()> {
        let due = account.claim.due(self.claims.scale)?;
        self.claims.funded = self.claims.funded.minus(due)?;
        self.margin = self.margin.plus(due)?;
        account.collateral = account.collateral.plus(due)?;
        account.claim.collected = account.claim.collected.plus(due)?;
        if account.claim.collected == account.claim.amount {
            account.claim = Claim::default();
        }
        Ok(())
    }

    /// Adds to what the insurance pool owes an account that was synced.
    pub(crate) fn record_claim(&mut self, account: &mut MarginAccount, amount: Tokens) -> Result<()> {
        if amount.is_zero() {
            return Ok(());
        }
        let scale = self.claims.scale;
        let owed = account.claim.left(scale)?.plus(amount)?;
        account.claim = Claim { amount: owed, collected: Tokens::ZERO, scale };
        self.claims.outstanding = self.claims.outstanding.plus(amount)?;
        self.claims.held = 1;
        Ok(())
    }
}
