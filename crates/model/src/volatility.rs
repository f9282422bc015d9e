//! The volatility that a market quotes: it follows the realised one, never faster than the slew.

use perpetua_pricing::{Real, Side, exp};

use crate::{
    error::Result,
    index::Index,
    market::Market,
    quantities::{Volatility, bps},
};

impl Market {
    /// `clamp(markup * sqrt(var'), min, max)` for calls and puts.
    ///
    /// Errors: [`crate::ModelError::MathOverflow`].
    pub fn volatility_targets(&self, index: &Index) -> Result<[Volatility; 2]> {
        let realised = index.provisional_variance()?.sqrt();
        let lowest = Volatility::from_bps(self.config.min_volatility_bps);
        let highest = Volatility::from_bps(self.config.max_volatility_bps);
        let mut targets = [Volatility::ZERO; 2];
        for (target, markup) in targets.iter_mut().zip(self.terms.markups) {
            let wanted = realised.mul(markup.real());
            *target = if wanted > highest.real() { highest } else { Volatility::from_real(wanted)?.max(lowest) };
        }
        Ok(targets)
    }

    /// Moves the middle volatilities towards their targets by at most `(1 + slew)^hours`.
    ///
    /// Errors: [`crate::ModelError::MathOverflow`].
    pub(crate) fn follow_targets(&mut self, targets: [Volatility; 2], seconds: u64) -> Result<()> {
        self.target = targets;
        if self.middle == targets {
            return Ok(());
        }
        let reach = self.slew_factor(seconds);
        for (middle, target) in self.middle.iter_mut().zip(targets) {
            let now = middle.real();
            let (goal, rises) = (target.real(), target > *middle);
            let limit = if rises { now.mul(reach) } else { now.div(reach).unwrap_or(now) };
            let reached = if rises { limit >= goal } else { limit <= goal };
            *middle = if reached { target } else { Volatility::from_real(limit)? };
        }
        Ok(())
    }

    /// `(1 + slew)^(seconds / 1 hour)`.
    pub(crate) fn slew_factor(&self, seconds: u64) -> Real {
        exp(self.margin.slew_per_second().mul(Real::from_u64(seconds)))
    }

    /// The ask volatility: `max(middle, target) * (1 + spread + extra)`.
    pub fn ask_volatility(&self, side: Side, extra: Real) -> Real {
        let level = self.middle[side as usize].max(self.target[side as usize]).real();
        level.mul(self.terms.ask.real().add(extra))
    }

    /// The bid volatility: `min(middle, target) * (1 - spread)`.
    pub fn bid_volatility(&self, side: Side) -> Real {
        let level = self.middle[side as usize].min(self.target[side as usize]).real();
        level.mul(self.terms.bid.real())
    }

    /// What a trade that moves utilisation from `before` to `after` adds to the ask volatility, as a fraction of it: the
    /// average over the trade of a function that is zero below the kink and then rises in a straight line.
    pub fn utilisation_spread(&self, before: Real, after: Real) -> Real {
        let kink = bps(self.config.utilisation_kink_bps);
        let (low, high) = (before.saturating_sub(kink), after.saturating_sub(kink));
        // Mostly, and the quotients below are long.
        if high.is_zero() {
            return Real::ZERO;
        }
        let span = u64::from(self.config.utilisation_full_bps.saturating_sub(self.config.utilisation_kink_bps));
        let slope = Real::from_ratio(u64::from(self.config.utilisation_spread_bps), span).unwrap_or(Real::ZERO);
        // The line's mean over the part above the kink, times that part's weight in the trade.
        let mean = low.add(high).halve().mul(slope);
        let (part, whole) = (high.saturating_sub(low), after.saturating_sub(before));
        match part.div(whole) {
            Some(weight) if weight < Real::ONE => mean.mul(weight),
            _ => mean,
        }
    }
}
