//! Liquidation: closes just what brings an account back to its initial margin, in bounded work.

use perpetua_pricing::{Real, Rounding, Usd};

use crate::{
    account::{MarginAccount, MarketMuts, Markets, POSITIONS},
    conditions::{Action, Condition, Conditions},
    error::{ModelError, Result},
    index::{Index, Reading},
    insurance::Payouts,
    margin::{
        Exposure, INITIAL_MARGIN_MULTIPLE, assess, initial_margin, maintenance_margin, owed_tokens, tokens_up,
        units_per_millionth,
    },
    market::slot_of,
    quantities::{Size, Tokens, UnitsPerUsd, bps, share, token_value},
    quote::{Moment, worse_for_seller},
    trade::{Part, collect_whole, move_entry, pay_closing, reduce_position},
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

type Readings = [Option<Reading>; MARKETS];

/// An account while it is liquidated.
struct Liquidation<'a, 'm> {
    vault: &'a mut Vault,
    account: &'a mut MarginAccount,
    markets: &'a mut MarketMuts<'m>,
    /// What all positions add up to.
    exposure: Exposure,
    /// What each position that may be closed is worth.
    offers: [Offer; POSITIONS],
    /// The [`order_of`] of the positions that may be closed; the last is closed first.
    order: [u64; POSITIONS],
    /// How many of them are left.
    left: usize,
    /// Whether a part of the next was closed already; the rest then goes whole, so that the work stays bounded.
    reduced: bool,
    debt: Tokens,
    /// What positions that cannot be closed now, for the state of their market, owe, raw units Q64.64.
    kept_owed: u128,
    /// At most the maintenance margin without the fee, raw units: what closing releases of it is taken off rounded up.
    least_margin: Tokens,
    /// The dearest liquidation fee, raw units.
    fee: Tokens,
    /// How many positions there are in each market.
    held: [u8; MARKETS],
    min_penalty: Tokens,
    penalty_bps: u16,
    payouts: Payouts,
    report: LiquidationReport,
}

/// Closes what restores the initial margin of an account below its maintenance margin, and rewards the keeper's account. A
/// market whose state forbids it, or whose index is silent, keeps its positions; what they owe and require counts all the
/// same, so that nobody hides behind it.
///
/// Errors: [`ModelError::MarketMissing`], [`ModelError::MarketNotAccrued`] unless every market of the account with a price
/// was cranked in this slot, [`ModelError::AccountHealthy`], and what the states forbid if they do in every market.
#[inline(never)] // what it works with takes a large part of one of the VM's stack frames
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
    let used = account.markets_used();
    let readings = readings(used, markets, indices, conditions, moment)?;
    let (min_penalty, penalty_bps) = penalty_terms(used, markets)?;
    let mut work = Liquidation {
        vault,
        account,
        markets,
        exposure: Exposure::NONE,
        offers: [Offer { value: Usd::ZERO, margin: Real::ZERO }; POSITIONS],
        order: [0; POSITIONS],
        left: 0,
        reduced: false,
        debt: Tokens::ZERO,
        kept_owed: 0,
        least_margin: Tokens::ZERO,
        fee: Tokens::ZERO,
        held: [0; MARKETS],
        min_penalty,
        penalty_bps,
        payouts: Payouts::default(),
        report: LiquidationReport::default(),
    };
    work.require_liquidatable(&readings, moment.now)?;
    work.value_positions(&readings)?;
    work.pay_debt()?;
    while work.close_next(moment.now)? {}
    work.book_payouts(moment.now)?;
    work.pay_debt()?;
    work.settle_open(&readings)?;
    work.carry_debt();
    work.take_penalty(keeper)?;
    Ok(work.report)
}

/// The price readings of the account's markets in which positions may be closed.
///
/// Errors: [`ModelError::MarketMissing`], [`ModelError::MarketNotAccrued`]; [`ModelError::PriceStale`] for an index that
/// has a price, only none that is good enough to trade at; the first reason if positions may be closed nowhere.
fn readings(
    used: [bool; MARKETS],
    markets: &MarketMuts<'_>,
    indices: [Option<&Index>; MARKETS],
    conditions: Conditions,
    moment: Moment,
) -> Result<Readings> {
    let (mut readings, mut refusal) = ([None; MARKETS], None);
    for (number, _) in used.into_iter().enumerate().filter(|(_, used)| *used) {
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

/// What a position that may be closed is worth, per unit.
#[derive(Clone, Copy)]
struct Offer {
    /// The bid per index unit.
    value: Usd,
    /// Maintenance margin per millionth of an index unit, raw units.
    margin: Real,
}

/// Bits of a place.
const PLACE_BITS: u32 = POSITIONS.trailing_zeros();

/// A number that rises with the margin that closing releases per token of proceeds, to 31 bits, which one division of words
/// gives; of equal positions the first place has the higher. What pays nothing has the highest.
fn order_of(margin: Real, proceeds: Real, place: usize) -> u64 {
    let last = (POSITIONS.wrapping_sub(1).wrapping_sub(place)) as u64;
    let Some(quotient) = margin.mantissa().checked_div(proceeds.mantissa() >> 32) else {
        return (u64::MAX << PLACE_BITS) | last;
    };
    // Both mantissas have their top bits set, so the quotient has 32 bits or 33.
    let exponent = i64::from(margin.exponent()) - i64::from(proceeds.exponent());
    let (quotient, exponent) = if quotient >> 32 == 0 { (quotient, exponent) } else { (quotient >> 1, exponent + 1) };
    // Exponents of Reals have 25 bits and a sign.
    ((((exponent + (1 << 26)).cast_unsigned() << 32) | quotient) << PLACE_BITS) | last
}

/// The place in an [`order_of`].
fn place_of(order: u64) -> usize {
    POSITIONS.wrapping_sub(1).wrapping_sub(usize::from(order.to_le_bytes()[0]) % POSITIONS)
}

/// The smallest penalty and the penalty rate: the dearest among the account's markets.
fn penalty_terms(used: [bool; MARKETS], markets: &MarketMuts<'_>) -> Result<(Tokens, u16)> {
    let (mut units, mut cents, mut rate) = (UnitsPerUsd::ZERO, 0, 0);
    for (market, _) in markets.iter().zip(used).filter(|(_, used)| *used) {
        let market = market.as_deref().ok_or(ModelError::MarketMissing)?;
        units = market.units.last.max(units);
        cents = market.config.min_penalty_cents.max(cents);
        rate = market.config.penalty_bps.max(rate);
    }
    Ok((units.cents(u64::from(cents), Rounding::Down)?, rate))
}

impl Liquidation<'_, '_> {
    /// Adds up what all positions require and owe; what those that may be closed owe is one debt, rounded up once for each.
    ///
    /// Errors: [`ModelError::AccountHealthy`].
    #[inline(never)] // needs the stack for itself
    fn require_liquidatable(&mut self, readings: &Readings, now: i64) -> Result<()> {
        let (account, held) = (&*self.account, &mut self.held);
        let (mut debt, mut kept_owed) = (self.account.debt, 0u128);
        let see = |place: usize, owed: u128| {
            let number = usize::from(account.positions[place].market);
            if let Some(held) = held.get_mut(number) {
                *held = held.saturating_add(1);
            }
            if readings.get(number).is_some_and(Option::is_some) {
                // A debt beyond all tokens saturates: it is written off in any case.
                debt = Tokens(debt.0.saturating_add(owed_tokens(owed).0));
            } else {
                kept_owed = kept_owed.saturating_add(owed);
            }
        };
        let health = assess(account, self.markets, now, &mut self.exposure, see)?;
        if !health.is_liquidatable() {
            return Err(ModelError::AccountHealthy);
        }
        self.account.debt = Tokens::ZERO;
        (self.debt, self.kept_owed, self.fee) = (debt, kept_owed, self.exposure.fee());
        // The fee is added after rounding up, so this is at most the exact sum.
        self.least_margin = health.maintenance.less(self.fee).less(Tokens(1));
        Ok(())
    }

    /// Finds what each position that may be closed would pay, and so their order.
    fn value_positions(&mut self, readings: &Readings) -> Result<()> {
        for (number, reading) in (0..).zip(readings) {
            if let Some(reading) = reading {
                self.value_market(number, reading)?;
            }
        }
        Ok(())
    }

    /// The same in one market, which shares a grid and a curve for each side.
    #[inline(never)] // the curves need the stack for themselves
    fn value_market(&mut self, number: u8, reading: &Reading) -> Result<()> {
        let market = self.markets.require(number)?;
        let (grid, units) = (market.grid(), units_per_millionth(market.units.low));
        let rates = self.exposure.rates[usize::from(number)].ok_or(ModelError::MarketMissing)?;
        let mut curves = [None, None];
        for place in 0..POSITIONS {
            let position = &self.account.positions[place];
            if position.market != number || position.size.is_zero() {
                continue;
            }
            let key = position.key();
            let curve = match &mut curves[key.side as usize] {
                Some(curve) => curve,
                unknown => {
                    // `V_bid`, at the last known volatility where that is stale, at the worst spot for the seller.
                    let (volatility, spot) = (market.bid_volatility(key.side), worse_for_seller(key.side, reading));
                    let curve = market.contract(key.side).at_spot(volatility, &grid, spot);
                    unknown.insert(curve.ok_or(ModelError::MathOverflow)?)
                }
            };
            let strike = Usd::from(market.slots[slot_of(key.tick)].strike);
            let most = market.config.cap_value(key.side, strike);
            let value = curve.price(key.tick, strike, most, Rounding::Down);
            let margin = rates.maintenance(key.side, strike);
            self.offers[place] = Offer { value, margin };
            insert(&mut self.order, self.left, order_of(margin, units.mul(value.into()), place));
            self.left += 1;
        }
        Ok(())
    }

    fn pay_debt(&mut self) -> Result<()> {
        let paid = self.debt.min(self.account.collateral);
        if paid.is_zero() {
            return Ok(());
        }
        self.vault.charge_split(self.account, Split::of_funding(paid)?)?;
        self.debt = self.debt.minus(paid)?;
        self.report.funding = self.report.funding.plus(paid)?;
        Ok(())
    }

    /// What the account is short of its initial margin after the penalty; nothing once it is restored.
    fn shortfall(&mut self) -> Result<Tokens> {
        self.exposure.count_again(self.account, self.markets)?;
        let (margin, penalty) = (self.exposure.margin(), self.penalty(self.payouts.received()?)?);
        self.least_margin = tokens_up(margin).less(Tokens(1));
        Ok(self.shortfall_at(maintenance_margin(margin, self.fee), penalty))
    }

    /// The same for a given maintenance margin and penalty.
    fn shortfall_at(&self, maintenance: Tokens, penalty: Tokens) -> Tokens {
        let owed = self.debt.0.saturating_add(owed_tokens(self.kept_owed).0);
        let needed = initial_margin(maintenance).0.saturating_add(owed).saturating_add(penalty.0);
        Tokens(needed).less(self.account.collateral)
    }

    fn penalty(&self, proceeds: Tokens) -> Result<Tokens> {
        Ok(share(proceeds, self.penalty_bps, Rounding::Down)?.max(self.min_penalty))
    }

    /// Closes the position that releases most margin per token of proceeds, or as much of it as the account is short of; a
    /// remainder of dust, or below the market's minimum, is closed too. Whether it did, and there may be more to close.
    fn close_next(&mut self, now: i64) -> Result<bool> {
        let Some(&order) = self.order[..self.left].last() else { return Ok(false) };
        let place = place_of(order);
        let position = &self.account.positions[place];
        let (number, held, offer) = (position.market, position.size, self.offers[place]);
        let market = self.markets.require(number)?;
        let margin_of = |size: Size| tokens_up(offer.margin.mul(Real::from_u64(size.0)));
        let (mut size, mut margin) = (held, margin_of(held));
        let mut payout = token_value(held, market.units.low, offer.value, Rounding::Down)?;
        // Where the least that is short is more than the whole position can release, neither the exact sum nor a quotient is
        // needed.
        let most = initial_margin(margin).0.saturating_add(payout.0).saturating_add(1);
        let least = self.shortfall_at(Tokens(self.least_margin.0.saturating_add(self.fee.0)), self.min_penalty);
        if least.0 < most {
            let (units, dust) = (market.units.low, market.config.dust_size.max(market.config.min_size));
            let shortfall = self.shortfall()?;
            if shortfall.is_zero() {
                return Ok(false);
            }
            let wanted = self.wanted(offer, units, shortfall);
            if !self.reduced && wanted.0.saturating_add(dust.0) < held.0 {
                (size, margin) = (wanted, margin_of(wanted));
                payout = token_value(size, units, offer.value, Rounding::Down)?;
            }
        }
        self.least_margin = self.least_margin.less(margin);
        self.close(place, size, payout, now)?;
        self.reduced = size != held;
        if !self.reduced {
            self.left -= 1;
            self.note_closed(usize::from(number));
        }
        Ok(true)
    }

    /// Takes the fee of a market off where its last position was closed.
    fn note_closed(&mut self, number: usize) {
        let Some(held) = self.held.get_mut(number) else { return };
        *held = held.saturating_sub(1);
        if *held == 0 {
            let left = self.held.iter().zip(&self.exposure.rates).filter(|(held, _)| **held != 0);
            self.fee = left.filter_map(|(_, rates)| Some(rates.as_ref()?.fee)).max().unwrap_or(Tokens::ZERO);
        }
    }

    /// The size whose closing covers the shortfall: it releases four times its maintenance margin and pays its value, of
    /// which the penalty takes a part.
    fn wanted(&self, offer: Offer, units: UnitsPerUsd, shortfall: Tokens) -> Size {
        // The multiple is a power of two, so this is the exact product, and cheap.
        const { assert!(INITIAL_MARGIN_MULTIPLE.is_power_of_two()) };
        let power = INITIAL_MARGIN_MULTIPLE.trailing_zeros().cast_signed();
        let after_penalty = Real::ONE.saturating_sub(bps(self.penalty_bps));
        let proceeds = units_per_millionth(units).mul(offer.value.into());
        let gain = offer.margin.scale_by_power_of_two(power).add(proceeds.mul(after_penalty));
        let exact = Real::from_u64(shortfall.0).div(gain).and_then(|size| size.to_fixed(0, Rounding::Up));
        // One millionth more for each side of the rounding of proceeds and of margin.
        Size(exact.unwrap_or(u64::MAX).saturating_add(2))
    }

    fn close(&mut self, place: usize, size: Size, payout: Tokens, now: i64) -> Result<()> {
        let position = &self.account.positions[place];
        let part = Part::of(position, size)?;
        let market = self.markets[usize::from(position.market) % MARKETS].as_deref_mut();
        let market = market.ok_or(ModelError::MarketMissing)?;
        pay_closing(self.vault, self.account, market, &mut self.payouts, (part, payout), now)?;
        reduce_position(self.vault, self.account, market, place, part)?;
        self.report.closed = self.report.closed.saturating_add(1);
        Ok(())
    }

    fn book_payouts(&mut self, now: i64) -> Result<()> {
        let paid = self.vault.finish_payouts(self.account, core::mem::take(&mut self.payouts), now)?;
        self.report.proceeds = paid.received()?;
        self.report.from_insurance = paid.insurance;
        self.report.claimed = paid.claimed;
        Ok(())
    }

    /// Notes that the positions that stay open have paid: those that might have been closed in full, the others as far as the
    /// collateral goes; the rest goes on being owed.
    fn settle_open(&mut self, readings: &Readings) -> Result<()> {
        for place in 0..POSITIONS {
            let position = &mut self.account.positions[place];
            if position.size.is_zero() {
                continue;
            }
            let (key, number) = (position.key(), usize::from(position.market) % MARKETS);
            let market = self.markets[number].as_deref_mut().ok_or(ModelError::MarketMissing)?;
            if readings[number].is_some() {
                market.void_mark();
                let series = market.series_mut(key.side, key.tick)?;
                move_entry(series, position, series.index())?;
            } else if self.kept_owed != 0 {
                let paid = collect_whole(self.vault, self.account, market, place)?;
                self.report.funding = self.report.funding.plus(paid)?;
            }
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
        let penalty = self.penalty(self.report.proceeds)?.min(self.account.collateral);
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

/// Inserts an order among the first `count`, which rise.
fn insert(orders: &mut [u64; POSITIONS], count: usize, order: u64) {
    let mut at = count;
    while at > 0 && orders[at - 1] > order {
        orders[at] = orders[at - 1];
        at -= 1;
    }
    orders[at] = order;
}
