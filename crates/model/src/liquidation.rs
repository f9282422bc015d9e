//! Liquidation: closes just what brings an account back to its initial margin, in bounded work.

use perpetua_pricing::{Curve, Real, Rounding, Usd};

use crate::{
    account::{MarginAccount, MarketMuts, Markets, POSITIONS, SeriesKey},
    conditions::{Action, Condition, Conditions},
    error::{ModelError, Result},
    index::{Index, Reading},
    margin::{
        INITIAL_MARGIN_MULTIPLE, Requirement, assess, initial_margin, maintenance_margin, owed_tokens, size,
        units_per_millionth,
    },
    market::Market,
    quantities::{Size, Tokens, UnitsPerUsd, bps, share, token_value},
    quote::{Moment, worse_for_seller},
    trade::{collect_whole, move_entry, pay_closing, reduce_position},
    vault::{Ledger, MARKETS, Split, Vault},
};

/// What a liquidation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiquidationReport {
    /// Positions that were closed, whole or in part.
    pub closed: u8,
    /// What the closed options paid, raw units.
    pub proceeds: Tokens,
    /// The part of it that the insurance pool paid, raw units.
    pub from_insurance: Tokens,
    /// What became a claim on the insurance pool, raw units.
    pub claimed: Tokens,
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
    /// What closing it releases.
    required: Requirement,
    /// Its maintenance margin rounded down, raw units.
    least_margin: Tokens,
    /// The bid per index unit.
    value: Usd,
    /// Proceeds per millionth of an index unit, raw units.
    proceeds: Real,
    /// Margin released per token of proceeds: what is closed first has most of it.
    rank: Real,
    /// Whether a part was closed already; the rest then goes whole, so that the work stays bounded.
    reduced: bool,
}

/// What positions that cannot be closed now, for the state of their market, require and owe all the same.
struct Kept {
    /// Their maintenance margin, raw units.
    margin: Real,
    /// The dearest liquidation fee among their markets, raw units.
    fee: Tokens,
    /// What they owe, raw units Q64.64.
    owed: u128,
}

type Readings = [Option<Reading>; MARKETS];

/// An account while it is liquidated.
struct Liquidation<'a, 'm> {
    vault: &'a mut Vault,
    account: &'a mut MarginAccount,
    markets: &'a mut MarketMuts<'m>,
    candidates: [Option<Candidate>; POSITIONS],
    /// Places of the candidates; the last is closed first.
    order: [usize; POSITIONS],
    /// How many of them are left.
    left: usize,
    kept: Kept,
    debt: Tokens,
    /// The least that all positions' maintenance margin can be, raw units: each rounded down.
    least_margin: Tokens,
    min_penalty: Tokens,
    penalty_bps: u16,
    /// What the penalty leaves of proceeds, a fraction.
    after_penalty: Real,
    report: LiquidationReport,
}

/// Closes what restores the initial margin of an account below its maintenance margin, and rewards the keeper's account. A
/// market whose state forbids it, or whose index is silent, keeps its positions; what they owe and require counts all the
/// same, so that nobody hides behind it.
///
/// Errors: [`ModelError::MarketMissing`], [`ModelError::MarketNotAccrued`] unless every market of the account with a price
/// was cranked in this slot, [`ModelError::AccountHealthy`], and what the states forbid if they do in every market.
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
    vault.sync(account)?;
    vault.sync(keeper)?;
    let readings = readings(account, markets, indices, conditions, moment)?;
    let (min_penalty, penalty_bps) = penalty_terms(account, markets)?;
    let mut work = Liquidation {
        vault,
        account,
        markets,
        candidates: [None; POSITIONS],
        order: [0; POSITIONS],
        left: 0,
        kept: Kept { margin: Real::ZERO, fee: Tokens::ZERO, owed: 0 },
        debt: Tokens::ZERO,
        least_margin: Tokens::ZERO,
        min_penalty,
        penalty_bps,
        after_penalty: Real::ONE.saturating_sub(bps(penalty_bps)),
        report: LiquidationReport::default(),
    };
    work.find_candidates(&readings, moment.now)?;
    work.value_candidates(&readings)?;
    work.call_in_funding()?;
    work.pay_debt()?;
    while let Some((place, size)) = work.next_to_close()? {
        work.close(place, size, moment.now)?;
    }
    work.pay_debt()?;
    work.collect_from_kept()?;
    work.carry_debt();
    work.take_penalty(keeper)?;
    Ok(work.report)
}

/// The price readings of the account's markets in which positions may be closed.
///
/// Errors: [`ModelError::MarketMissing`], [`ModelError::MarketNotAccrued`]; [`ModelError::PriceStale`] for an index that
/// has a price, only none that is good enough to trade at; the first reason if positions may be closed nowhere.
fn readings(
    account: &MarginAccount,
    markets: &MarketMuts<'_>,
    indices: [Option<&Index>; MARKETS],
    conditions: Conditions,
    moment: Moment,
) -> Result<Readings> {
    let (mut readings, mut refusal) = ([None; MARKETS], None);
    for (number, _) in account.markets_used().into_iter().enumerate().filter(|(_, used)| *used) {
        let market = markets[number].as_deref().ok_or(ModelError::MarketMissing)?;
        let index = indices[number].ok_or(ModelError::MarketMissing)?;
        if !index.feed.is_fresh(moment.now, index.guards.max_age_crank) {
            refusal = refusal.or(Some(ModelError::PriceStale));
            continue;
        }
        let reading = market.trading_price(index, moment)?;
        if reading.conditions.has(Condition::PriceStale) {
            return Err(ModelError::PriceStale);
        }
        match conditions.and(reading.conditions).allow(Action::Liquidate) {
            Ok(()) => readings[number] = Some(reading),
            Err(reason) => refusal = refusal.or(Some(reason)),
        }
    }
    match refusal {
        Some(reason) if readings.iter().all(Option::is_none) => Err(reason),
        _ => Ok(readings),
    }
}

/// Bid curves of the markets and sides that an account is in, each computed once.
#[derive(Default)]
struct Bids([[Option<Bid>; 2]; MARKETS]);

/// What a forced sale on one side of a market pays.
struct Bid {
    curve: Curve,
    /// The worst spot of the price range for the seller.
    spot: Usd,
    units_per_millionth: Real,
}

impl Bids {
    /// The bid at `V_bid`, at the last known volatility where that is stale.
    fn of(&mut self, market: &Market, readings: &Readings, key: SeriesKey) -> Result<&Bid> {
        let number = usize::from(key.market);
        let known = self.0.get_mut(number).ok_or(ModelError::MarketMissing)?;
        Ok(match &mut known[key.side as usize] {
            Some(bid) => bid,
            unknown => {
                let reading = readings[number].as_ref().ok_or(ModelError::MarketMissing)?;
                unknown.insert(Bid {
                    curve: market.curve(key.side, market.bid_volatility(key.side))?,
                    spot: worse_for_seller(key.side, reading),
                    units_per_millionth: units_per_millionth(market.units.low)?,
                })
            }
        })
    }
}

/// Whole tokens of a margin, rounded down; nothing where they do not fit. The sum of such parts never exceeds the rounded
/// sum of the margins.
fn least_of(margin: Real) -> Tokens {
    Tokens(margin.to_fixed(0, Rounding::Down).unwrap_or(0))
}

/// The smallest penalty and the penalty rate: the dearest among the account's markets.
fn penalty_terms(account: &MarginAccount, markets: &MarketMuts<'_>) -> Result<(Tokens, u16)> {
    let (mut units, mut cents, mut rate) = (UnitsPerUsd::ZERO, 0, 0);
    for (market, _) in markets.iter().zip(account.markets_used()).filter(|(_, used)| *used) {
        let market = market.as_deref().ok_or(ModelError::MarketMissing)?;
        units = market.units.last.max(units);
        cents = market.config.min_penalty_cents.max(cents);
        rate = market.config.penalty_bps.max(rate);
    }
    Ok((units.cents(u64::from(cents), Rounding::Down)?, rate))
}

impl Liquidation<'_, '_> {
    /// Lists every position that may be closed with what it requires, in place: the VM's stack has no room for a second
    /// list.
    ///
    /// Errors: [`ModelError::AccountHealthy`].
    #[inline(never)] // the margin rates need not be on the stack beside the curves
    fn find_candidates(&mut self, readings: &Readings, now: i64) -> Result<()> {
        let (candidates, kept, account) = (&mut self.candidates, &mut self.kept, &*self.account);
        let list = |required: Requirement| {
            let market = usize::from(account.positions[required.place].market);
            if readings.get(market).is_none_or(Option::is_none) {
                kept.margin = kept.margin.add(required.margin);
                kept.fee = kept.fee.max(required.fee);
                kept.owed = kept.owed.saturating_add(required.owed);
                return;
            }
            candidates[required.place] = Some(Candidate {
                required,
                least_margin: least_of(required.margin),
                value: Usd::ZERO,
                proceeds: Real::ZERO,
                rank: Real::ZERO,
                reduced: false,
            });
        };
        let health = assess(account, self.markets, now, list)?;
        self.least_margin = least_of(self.kept.margin);
        if health.is_liquidatable() { Ok(()) } else { Err(ModelError::AccountHealthy) }
    }

    /// Finds what each candidate would pay, and so its rank.
    #[inline(never)]
    fn value_candidates(&mut self, readings: &Readings) -> Result<()> {
        let mut bids = Bids::default();
        for candidate in self.candidates.iter_mut().flatten() {
            let key = self.account.positions[candidate.required.place].key();
            let market = self.markets.require(key.market)?;
            let bid = bids.of(market, readings, key)?;
            candidate.value = market.value(&bid.curve, bid.spot, candidate.required.strike, Rounding::Down);
            candidate.proceeds = bid.units_per_millionth.mul(candidate.value.into());
            self.least_margin = Tokens(self.least_margin.0.saturating_add(candidate.least_margin.0));
            candidate.rank = candidate.required.per_millionth.div(candidate.proceeds).unwrap_or(Real::MAX);
        }
        self.sort_candidates();
        Ok(())
    }

    /// Sorts by rank, once for all closes; of equal ranks the first place is closed first.
    fn sort_candidates(&mut self) {
        let mut ranks = [Real::ZERO; POSITIONS];
        for candidate in self.candidates.iter().flatten() {
            let (rank, mut at) = (candidate.rank, self.left);
            while at > 0 && ranks[at - 1] >= rank {
                (ranks[at], self.order[at]) = (ranks[at - 1], self.order[at - 1]);
                at -= 1;
            }
            (ranks[at], self.order[at]) = (rank, candidate.required.place);
            self.left += 1;
        }
    }

    /// Turns what all positions that may be closed owe into one debt, rounded up once per position.
    fn call_in_funding(&mut self) -> Result<()> {
        self.debt = core::mem::take(&mut self.account.debt);
        for candidate in self.candidates.iter().flatten() {
            let position = &mut self.account.positions[candidate.required.place];
            let key = position.key();
            let market = self.markets[usize::from(key.market)].as_deref_mut();
            let market = market.ok_or(ModelError::MarketMissing)?;
            market.void_mark();
            let series = market.series_mut(key.side, key.tick)?;
            // A debt beyond all tokens saturates: it is written off in any case.
            self.debt = Tokens(self.debt.0.saturating_add(owed_tokens(candidate.required.owed).0));
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
        let Kept { mut margin, mut fee, .. } = self.kept;
        for Candidate { required, .. } in self.candidates.iter().flatten() {
            margin = margin.add(required.margin);
            fee = fee.max(required.fee);
        }
        self.shortfall_at(maintenance_margin(margin, fee))
    }

    /// The same for a given maintenance margin.
    fn shortfall_at(&self, maintenance: Tokens) -> Result<Tokens> {
        let owed = self.debt.0.saturating_add(owed_tokens(self.kept.owed).0);
        let needed = initial_margin(maintenance).0.saturating_add(owed).saturating_add(self.penalty()?.0);
        Ok(Tokens(needed).less(self.account.collateral))
    }

    fn penalty(&self) -> Result<Tokens> {
        Ok(share(self.report.proceeds, self.penalty_bps, Rounding::Down)?.max(self.min_penalty))
    }

    /// Which position to close next and how much of it: the one that releases most margin per token of proceeds.
    fn next_to_close(&self) -> Result<Option<(usize, Size)>> {
        let Some(&place) = self.order[..self.left].last() else { return Ok(None) };
        let best = self.candidates[place].as_ref().ok_or(ModelError::PositionNotFound)?;
        // Where the least that is short takes the whole position, the exact sum over all candidates is spared.
        let least = self.shortfall_at(self.least_margin)?;
        if !least.is_zero() {
            let size = self.size_to_close(best, least)?;
            if size == self.account.positions[place].size {
                return Ok(Some((place, size)));
            }
        }
        let shortfall = self.shortfall()?;
        if shortfall.is_zero() { Ok(None) } else { Ok(Some((place, self.size_to_close(best, shortfall)?))) }
    }

    /// The size whose closing covers the shortfall: it releases four times its maintenance margin and pays its value, of
    /// which the penalty takes a part. A remainder of dust, or below the market's minimum, is closed too.
    fn size_to_close(&self, candidate: &Candidate, shortfall: Tokens) -> Result<Size> {
        let position = &self.account.positions[candidate.required.place];
        if candidate.reduced {
            return Ok(position.size);
        }
        let config = &self.markets.require(position.market)?.config;
        // The multiple is a power of two, so this is the exact product, and cheap.
        const { assert!(INITIAL_MARGIN_MULTIPLE.is_power_of_two()) };
        let power = INITIAL_MARGIN_MULTIPLE.trailing_zeros().cast_signed();
        let released = candidate.required.per_millionth.scale_by_power_of_two(power);
        let gain = released.add(candidate.proceeds.mul(self.after_penalty));
        let exact = Real::from_u64(shortfall.0).div(gain).and_then(|size| size.to_fixed(0, Rounding::Up));
        // One millionth more for each side of the rounding of proceeds and of margin.
        let wanted = Size(exact.unwrap_or(u64::MAX).saturating_add(2));
        let dust = config.dust_size.max(config.min_size);
        Ok(if wanted.0.saturating_add(dust.0) >= position.size.0 { position.size } else { wanted })
    }

    fn close(&mut self, place: usize, size: Size, now: i64) -> Result<()> {
        let number = usize::from(self.account.positions[place].market);
        let market = self.markets[number].as_deref_mut().ok_or(ModelError::MarketMissing)?;
        let candidate = self.candidates[place].as_mut().ok_or(ModelError::PositionNotFound)?;
        let payout = token_value(size, market.units.low, candidate.value, Rounding::Down)?;
        let paid = pay_closing(self.vault, self.account, market, (place, size), payout, now)?;
        reduce_position(self.vault, self.account, market, place, size)?;
        let left = self.account.positions[place].size;
        self.least_margin = self.least_margin.less(candidate.least_margin);
        if left.is_zero() {
            self.candidates[place] = None;
            self.left -= 1;
        } else {
            candidate.reduced = true;
            candidate.required.margin = candidate.required.per_millionth.mul(self::size(left));
            candidate.least_margin = least_of(candidate.required.margin);
            self.least_margin = Tokens(self.least_margin.0.saturating_add(candidate.least_margin.0));
        }
        self.report.proceeds = self.report.proceeds.plus(paid.received()?)?;
        self.report.from_insurance = self.report.from_insurance.plus(paid.insurance)?;
        self.report.claimed = self.report.claimed.plus(paid.claimed)?;
        self.report.closed = self.report.closed.saturating_add(1);
        Ok(())
    }

    /// Collects what positions that stay owe, as far as the collateral goes; the rest goes on being owed.
    fn collect_from_kept(&mut self) -> Result<()> {
        if self.kept.owed == 0 {
            return Ok(());
        }
        for place in 0..POSITIONS {
            let position = self.account.positions[place];
            if position.size.is_zero() || self.candidates[place].is_some() {
                continue;
            }
            let market = self.markets[usize::from(position.market)].as_deref_mut().ok_or(ModelError::MarketMissing)?;
            let paid = collect_whole(self.vault, self.account, market, place)?;
            self.report.funding = self.report.funding.plus(paid)?;
        }
        Ok(())
    }

    /// What is still owed for closed positions stays owed while others are open; it is written off with the last of them.
    fn carry_debt(&mut self) {
        if self.account.has_prospects() {
            self.account.debt = self.debt;
        } else {
            self.report.written_off = self.debt;
        }
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
