//! Liquidation: closes just what brings an account back to its initial margin, in bounded work.

use perpetua_pricing::{Curve, Real, Rounding, Usd};

use crate::{
    account::{MarginAccount, MarketMuts, POSITIONS, SeriesKey},
    conditions::{Action, Conditions},
    error::{ModelError, Result},
    index::{Index, Reading},
    margin::{INITIAL_MARGIN_MULTIPLE, MarginRates, dearest_units, initial_margin, maintenance_margin, size},
    market::Market,
    quantities::{SIZE_SCALE, Size, Tokens, bps, share, token_value},
    quote::{Moment, with_reading, worse_for_seller},
    trade::{move_entry, reduce_position},
    vault::{Ledger, MARKETS, Split, Vault},
};

/// What a liquidation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiquidationReport {
    /// Positions that were closed, whole or in part.
    pub closed: u8,
    /// What the closed options paid, raw units.
    pub proceeds: Tokens,
    /// Funding collected, raw units.
    pub funding: Tokens,
    /// The keeper's half of the penalty, raw units.
    pub keeper_reward: Tokens,
    /// The insurance pool's half of the penalty, raw units.
    pub insurance_reward: Tokens,
    /// Funding that nothing was left to pay, raw units.
    pub written_off: Tokens,
}

/// A position that may be closed.
#[derive(Clone, Copy)]
struct Candidate {
    place: usize,
    key: SeriesKey,
    size: Size,
    /// Maintenance margin released per millionth of an index unit, raw units.
    release: Real,
    /// The bid per index unit.
    value: Usd,
    /// Proceeds per millionth of an index unit, raw units.
    proceeds: Real,
    /// Margin released per token of proceeds: what is closed first has most of it.
    rank: Real,
    /// Maintenance margin of the whole position, raw units.
    margin: Real,
}

/// An account while it is liquidated.
struct Liquidation<'a, 'm> {
    vault: &'a mut Vault,
    account: &'a mut MarginAccount,
    markets: &'a mut MarketMuts<'m>,
    candidates: [Option<Candidate>; POSITIONS],
    debt: Tokens,
    /// Liquidation fee of each market, raw units.
    fees: [Tokens; MARKETS],
    min_penalty: Tokens,
    penalty_bps: u16,
    report: LiquidationReport,
}

/// Closes what restores the initial margin of an account below its maintenance margin, and rewards the keeper's account.
///
/// Errors: [`ModelError::MarketMissing`], [`ModelError::MarketNotAccrued`] unless every market of the account was cranked
/// in this slot, [`ModelError::AccountHealthy`], and what the conditions forbid.
#[inline(never)] // its candidates take a large part of one of the VM's stack frames
pub fn liquidate(
    vault: &mut Vault,
    account: &mut MarginAccount,
    keeper: &mut MarginAccount,
    markets: &mut MarketMuts<'_>,
    indices: [Option<&Index>; MARKETS],
    conditions: Conditions,
    moment: Moment,
) -> Result<LiquidationReport> {
    require_liquidatable(account, markets, indices, conditions, moment)?;
    let (min_penalty, penalty_bps) = penalty_terms(account, markets)?;
    let mut work = Liquidation {
        vault,
        account,
        markets,
        candidates: [None; POSITIONS],
        debt: Tokens::ZERO,
        fees: [Tokens::ZERO; MARKETS],
        min_penalty,
        penalty_bps,
        report: LiquidationReport::default(),
    };
    work.find_candidates(indices, moment)?;
    work.call_in_funding()?;
    work.pay_debt()?;
    while let Some(place) = work.next_to_close()? {
        work.close(place)?;
    }
    work.pay_debt()?;
    work.report.written_off = work.debt;
    work.take_penalty(keeper)?;
    Ok(work.report)
}

#[inline(never)] // the margin rates need not be on the stack beside the candidates
fn require_liquidatable(
    account: &MarginAccount,
    markets: &MarketMuts<'_>,
    indices: [Option<&Index>; MARKETS],
    conditions: Conditions,
    moment: Moment,
) -> Result<()> {
    for number in (0..MARKETS).filter(|number| account.uses_market(*number)) {
        let market = markets[number].as_deref().ok_or(ModelError::MarketMissing)?;
        let index = indices[number].ok_or(ModelError::MarketMissing)?;
        let reading = market.trading_price(index, moment)?;
        with_reading(conditions, &reading).allow(Action::Liquidate)?;
    }
    if crate::margin::health(account, markets, moment.now)?.is_liquidatable() {
        Ok(())
    } else {
        Err(ModelError::AccountHealthy)
    }
}

/// Price readings and bid curves of the markets and sides that an account is in, each computed once.
#[derive(Default)]
struct Bids {
    readings: [Option<Reading>; MARKETS],
    curves: [[Option<Curve>; 2]; MARKETS],
}

impl Bids {
    /// What a forced sale pays per index unit: `V_bid`, at the last known volatility where that is stale.
    fn value(&mut self, market: &Market, index: &Index, key: SeriesKey, strike: Usd, moment: Moment) -> Result<Usd> {
        let number = usize::from(key.market);
        let reading = match self.readings[number] {
            Some(reading) => reading,
            None => *self.readings[number].insert(market.trading_price(index, moment)?),
        };
        let curve = match &mut self.curves[number][key.side as usize] {
            Some(curve) => curve,
            unknown => unknown.insert(market.config.curve(key.side, market.bid_volatility(key.side))?),
        };
        Ok(market.value(curve, worse_for_seller(key.side, &reading), strike, Rounding::Down))
    }
}

/// Raw units per millionth of an index unit of an option with this value.
fn per_millionth(market: &Market, value: Usd) -> Result<Real> {
    let product = market.units_per_usd().real().mul(Real::from(value));
    product.div(Real::from_u64(SIZE_SCALE)).ok_or(ModelError::MathOverflow)
}

/// The smallest penalty and the penalty rate: the dearest among the account's markets.
fn penalty_terms(account: &MarginAccount, markets: &MarketMuts<'_>) -> Result<(Tokens, u16)> {
    let units = dearest_units(account, markets)?;
    let (mut cents, mut rate) = (0, 0);
    for (_, position) in account.open_positions() {
        let config = &crate::account::Markets::require(markets, position.market)?.config;
        cents = config.min_penalty_cents.max(cents);
        rate = config.penalty_bps.max(rate);
    }
    Ok((units.cents(u64::from(cents), Rounding::Down)?, rate))
}

impl Liquidation<'_, '_> {
    /// Values every position, in place: the VM's stack has no room for a second list.
    #[inline(never)]
    fn find_candidates(&mut self, indices: [Option<&Index>; MARKETS], moment: Moment) -> Result<()> {
        let mut rates = MarginRates::default();
        let mut bids = Bids::default();
        for (place, position) in self.account.open_positions() {
            let key = position.key();
            let number = usize::from(key.market);
            let market = self.markets.get(number).and_then(Option::as_deref).ok_or(ModelError::MarketMissing)?;
            let index = indices.get(number).copied().flatten().ok_or(ModelError::MarketMissing)?;
            let strike = Usd::from(market.series(key.side, key.tick)?.0.strike);
            let value = bids.value(market, index, key, strike, moment)?;
            let release = rates.of(market, key.market, key.side, moment.now)?.maintenance(strike.into());
            let proceeds = per_millionth(market, value)?;
            self.fees[number] = market.liquidation_fee()?;
            self.candidates[place] = Some(Candidate {
                place,
                key,
                size: position.size,
                release,
                value,
                proceeds,
                rank: release.div(proceeds).unwrap_or(Real::MAX),
                margin: release.mul(size(position.size)),
            });
        }
        Ok(())
    }

    /// Turns what all positions owe into one debt, rounded up once per position.
    fn call_in_funding(&mut self) -> Result<()> {
        for candidate in self.candidates.iter().flatten() {
            let position = &mut self.account.positions[candidate.place];
            let market = self.markets[usize::from(candidate.key.market)].as_deref_mut();
            let series = market.ok_or(ModelError::MarketMissing)?.series_mut(candidate.key.side, candidate.key.tick)?;
            let owed = crate::margin::owed_exact(position, series.index())?;
            // A debt beyond all tokens saturates: it is written off in any case.
            self.debt = Tokens(self.debt.0.saturating_add(crate::margin::owed_tokens(owed).0));
            move_entry(series, position, series.index())?;
        }
        Ok(())
    }

    fn pay_debt(&mut self) -> Result<()> {
        let paid = self.debt.min(self.account.collateral);
        self.vault.charge_split(self.account, Split::of_funding(paid)?)?;
        self.debt = self.debt.minus(paid)?;
        self.report.funding = self.report.funding.plus(paid)?;
        Ok(())
    }

    /// What the account is short of its initial margin after the penalty; nothing once it is restored.
    fn shortfall(&self) -> Result<Tokens> {
        let mut margin = Real::ZERO;
        let mut fee = Tokens::ZERO;
        for candidate in self.candidates.iter().flatten() {
            margin = margin.add(candidate.margin);
            fee = fee.max(self.fees[usize::from(candidate.key.market)]);
        }
        let initial = initial_margin(maintenance_margin(margin, fee));
        let needed = initial.0.saturating_add(self.debt.0).saturating_add(self.penalty()?.0);
        Ok(Tokens(needed).less(self.account.collateral))
    }

    fn penalty(&self) -> Result<Tokens> {
        Ok(share(self.report.proceeds, self.penalty_bps, Rounding::Down)?.max(self.min_penalty))
    }

    /// Which position to close next and how much of it: the one that releases most margin per token of proceeds.
    fn next_to_close(&self) -> Result<Option<(Candidate, Size)>> {
        let shortfall = self.shortfall()?;
        if shortfall.is_zero() {
            return Ok(None);
        }
        let mut best: Option<&Candidate> = None;
        for candidate in self.candidates.iter().flatten() {
            if best.is_none_or(|best| candidate.rank > best.rank) {
                best = Some(candidate);
            }
        }
        let Some(best) = best else { return Ok(None) };
        Ok(Some((*best, self.size_to_close(best, shortfall)?)))
    }

    /// The size whose closing covers the shortfall: it releases four times its maintenance margin and pays its value, of
    /// which the penalty takes a part. A remainder of dust, or below the market's minimum, is closed too.
    fn size_to_close(&self, candidate: &Candidate, shortfall: Tokens) -> Result<Size> {
        let market = self.markets[usize::from(candidate.key.market)].as_deref().ok_or(ModelError::MarketMissing)?;
        let kept = Real::ONE.saturating_sub(bps(self.penalty_bps));
        let released = candidate.release.mul(Real::from_u64(INITIAL_MARGIN_MULTIPLE));
        let gain = released.add(candidate.proceeds.mul(kept));
        let exact = Real::from_u64(shortfall.0).div(gain).and_then(|size| size.to_fixed(0, Rounding::Up));
        // One millionth more for each side of the rounding of proceeds and of margin.
        let wanted = Size(exact.unwrap_or(u64::MAX).saturating_add(2));
        let dust = market.config.dust_size.max(market.config.min_size);
        Ok(if wanted.0.saturating_add(dust.0) >= candidate.size.0 { candidate.size } else { wanted })
    }

    fn close(&mut self, (candidate, size): (Candidate, Size)) -> Result<()> {
        let market = self.markets[usize::from(candidate.key.market)].as_deref_mut().ok_or(ModelError::MarketMissing)?;
        let payout = token_value(size, market.units_per_usd(), candidate.value, Rounding::Down)?;
        let released = reduce_position(self.vault, self.account, market, candidate.place, size)?;
        // Cannot be: the reserve was rounded up and the payout down, of at most the same value.
        if payout > released {
            return Err(ModelError::MathOverflow);
        }
        self.vault.pay(self.account, Ledger::Main, payout)?;
        self.report.proceeds = self.report.proceeds.plus(payout)?;
        self.report.closed = self.report.closed.saturating_add(1);
        let left = candidate.size.minus(size)?;
        self.candidates[candidate.place] = if left.is_zero() {
            None
        } else {
            Some(Candidate { size: left, margin: candidate.release.mul(self::size(left)), ..candidate })
        };
        Ok(())
    }

    /// The penalty never exceeds what is left, so it takes nothing from the pools.
    fn take_penalty(&mut self, keeper: &mut MarginAccount) -> Result<()> {
        let penalty = self.penalty()?.min(self.account.collateral);
        let reward = Tokens(penalty.0 / 2);
        let rest = penalty.minus(reward)?;
        self.vault.charge(self.account, Ledger::Insurance, rest)?;
        self.vault.release(self.account, reward)?;
        self.vault.deposit(keeper, reward)?;
        self.report.keeper_reward = reward;
        self.report.insurance_reward = rest;
        Ok(())
    }
}
