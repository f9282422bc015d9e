//! Opening and closing positions, and collecting what they owe.

use bytemuck::Zeroable;
use perpetua_pricing::{Rounding, Side, Usd};

use crate::{
    account::{MarginAccount, MarketMuts, Position, SeriesKey, TradeMarkets},
    conditions::{Action, Condition, Conditions},
    error::{ModelError, Result},
    index::Index,
    insurance::{Payout, Payouts},
    margin::{health, owed_exact, owed_tokens},
    market::{Market, Settlement},
    quantities::{BPS, FundingIndex, MAX_SIZE, Size, Tokens, Wide, product, share, token_value, wrapping_product},
    quote::{CloseQuote, Moment, OpenQuote, RETIRE_TICKS, worse_for_seller},
    vault::{Ledger, Split, Vault},
};

/// Why anybody may close somebody's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleReason {
    /// The option is certain to be at its cap. It pays the cap.
    Capped,
    /// It is far out of the money, and its ladder slot is needed. It pays the value that funding is counted at.
    Far,
    /// Its index or its stock had no price for seven days. It pays the value at the last price and the middle volatility.
    Abandoned,
}

/// What opening did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// What it cost.
    pub quote: OpenQuote,
    /// Funding that the position owed before it was added to, raw units.
    pub funding: Tokens,
    /// Size of the position afterwards.
    pub size: Size,
}

/// What closing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseReport {
    /// What it was worth; the fee is the one that was taken.
    pub quote: CloseQuote,
    /// Who paid it.
    pub paid: Payout,
    /// Size that was closed.
    pub size: Size,
    /// Funding that the position owed, raw units.
    pub funding: Tokens,
    /// Size of the position afterwards.
    pub left: Size,
}

/// Buys `size` of an option, or adds it to the position held.
///
/// Errors: [`ModelError::MarketMissing`] for an order in another market than the one given; those of
/// [`Market::quote_open`] and, after it, [`ModelError::CostAboveLimit`], [`ModelError::SlotOccupied`],
/// [`ModelError::NoFreePosition`], [`ModelError::InsufficientCollateral`], [`ModelError::UtilisationTooHigh`],
/// [`ModelError::SeriesLimitReached`], [`ModelError::SideLimitReached`], [`ModelError::BelowInitialMargin`].
#[allow(clippy::too_many_arguments)] // each is a different thing that a trade needs
pub fn open_position(
    vault: &mut Vault,
    account: &mut MarginAccount,
    markets: TradeMarkets<'_>,
    index: &Index,
    order: (SeriesKey, Size),
    max_cost: Tokens,
    conditions: Conditions,
    moment: Moment,
) -> Result<OpenReport> {
    let (key, size) = order;
    if key.market != markets.number {
        return Err(ModelError::MarketMissing);
    }
    vault.sync(account)?;
    let market = &mut *markets.traded;
    let quote = market.quote_open(index, vault, key, size, conditions, moment)?;
    if quote.cost()? > max_cost {
        return Err(ModelError::CostAboveLimit);
    }
    market.claim_slot(key.tick)?;
    market.note_reserved(key.side)?;
    if market.series(key.side, key.tick)?.1.open_interest.is_zero() {
        let rate = market.current_rate(key.side, quote.strike.into(), index.feed.price.into())?;
        market.series_mut(key.side, key.tick)?.rate = rate;
    }
    let place = account.find_or_claim(key)?;
    require_covered(market, &account.positions[place], quote.strike.into())?;
    let funding = collect_in_full(vault, account, market, place)?;
    vault.charge(account, Ledger::Main, quote.premium)?;
    vault.charge_split(account, Split::of_fee(quote.fee)?)?;
    add_to_position(vault, account, market, place, size, quote.reserve)?;
    check_limits(vault, market, key)?;
    let left = account.positions[place].size;
    health(account, &markets, moment.now)?.require_initial()?;
    Ok(OpenReport { quote, funding, size: left })
}

/// Refuses to add to a position that would be paid more than its reserve at its cap: the reserve of what is added would
/// pay for it.
fn require_covered(market: &Market, held: &Position, strike: Usd) -> Result<()> {
    let most = market.config.cap_value(held.key().side, strike);
    let payout = token_value(held.size, market.units.high, most, Rounding::Up)?;
    if payout > held.reserve { Err(ModelError::ReserveOutgrown) } else { Ok(()) }
}

/// Sells `size` of a position back at the bid.
///
/// Errors: those of [`Market::quote_close`] and [`ModelError::PositionNotFound`], [`ModelError::SizeTooLarge`],
/// [`ModelError::SizeTooSmall`] for nothing or a remainder below the minimum, [`ModelError::ProceedsBelowLimit`],
/// [`ModelError::InsufficientCollateral`] if proceeds and collateral do not cover what the position owes.
#[allow(clippy::too_many_arguments)] // each is a different thing that a trade needs
pub fn close_position(
    vault: &mut Vault,
    account: &mut MarginAccount,
    market: &mut Market,
    index: &Index,
    order: (SeriesKey, Size),
    min_proceeds: Tokens,
    conditions: Conditions,
    moment: Moment,
) -> Result<CloseReport> {
    let (key, size) = order;
    vault.sync(account)?;
    let place = account.find(key)?;
    let held = account.positions[place].size;
    if size.is_zero() {
        return Err(ModelError::SizeTooSmall);
    }
    if size > held {
        return Err(ModelError::SizeTooLarge);
    }
    let left = held.minus(size)?;
    if !left.is_zero() && left < market.config.min_size {
        return Err(ModelError::SizeTooSmall);
    }
    let quote = market.quote_close(index, key, size, conditions, moment)?;
    let report = finish_close(vault, account, market, place, size, quote, moment.now)?;
    // What became a claim is not there to spend.
    let received = report.paid.received()?.minus(report.quote.fee)?;
    if received < min_proceeds { Err(ModelError::ProceedsBelowLimit) } else { Ok(report) }
}

/// Closes a whole position for `reason`, to its owner, without a fee. Anyone may ask for it.
///
/// Errors: [`ModelError::PositionNotFound`], [`ModelError::MarketNotAccrued`], what the states forbid to settle;
/// [`ModelError::NotCapped`], [`ModelError::NotFar`], [`ModelError::NotAbandoned`]; [`ModelError::PayoutUncovered`]
/// unless it is paid whole; [`ModelError::InsufficientCollateral`] if the payout does not cover what the position owes.
pub fn settle_position(
    vault: &mut Vault,
    account: &mut MarginAccount,
    market: &mut Market,
    index: &Index,
    key: SeriesKey,
    reason: SettleReason,
    moment: Moment,
) -> Result<CloseReport> {
    vault.sync(account)?;
    let place = account.find(key)?;
    let value = market.settle_value(index, key, reason, moment)?;
    let size = account.positions[place].size;
    let payout = token_value(size, market.units.low, value, Rounding::Down)?;
    let quote = CloseQuote { value: value.into(), payout, fee: Tokens::ZERO };
    let report = finish_close(vault, account, market, place, size, quote, moment.now)?;
    // Whether to take a part, or a claim for tokens that are not there, is the owner's to decide.
    if report.paid.received()? == payout { Ok(report) } else { Err(ModelError::PayoutUncovered) }
}

impl Market {
    /// The states without those that only say what an abandoned index or stock lacks: it will not come.
    fn without_abandoned(&self, index: &Index, states: Conditions, now: i64) -> Conditions {
        let mut states = states;
        if index.is_abandoned(now) {
            states = states.without(Condition::PriceStale).without(Condition::VarianceStale);
        }
        if states.has(Condition::StockAbandoned) {
            states = states.without(Condition::StockClosed).without(Condition::StockAbandoned);
        }
        states
    }

    /// What an option pays per index unit when it is settled for `reason`.
    fn settle_value(&self, index: &Index, key: SeriesKey, reason: SettleReason, moment: Moment) -> Result<Usd> {
        let reading = self.trading_price(index, moment)?;
        let strike = Usd::from(self.series(key.side, key.tick)?.0.strike);
        if reason == SettleReason::Abandoned {
            let states = self.without_abandoned(index, reading.conditions, moment.now);
            if states == reading.conditions {
                return Err(ModelError::NotAbandoned);
            }
            states.allow(Action::Settle)?;
            return self.middle_value(key.side, reading.last, strike);
        }
        reading.conditions.allow(Action::Settle)?;
        if reason == SettleReason::Capped {
            let certain = self.touches_cap(key.side, strike, worse_for_seller(key.side, &reading));
            return if certain { Ok(self.config.cap_value(key.side, strike)) } else { Err(ModelError::NotCapped) };
        }
        let above = self.ticks_above(key.tick, reading.last)?;
        let out_of_money = if key.side == Side::Call { above } else { -above };
        if out_of_money <= i32::from(RETIRE_TICKS) {
            return Err(ModelError::NotFar);
        }
        let diverged = reading.conditions.has(Condition::PriceDiverged);
        let spot = if diverged { worse_for_seller(key.side, &reading) } else { reading.last };
        self.middle_value(key.side, spot, strike)
    }
}

/// Collects what all positions of an account owe, as far as its collateral goes. Anyone may ask for it.
///
/// Errors: [`ModelError::MarketMissing`], [`ModelError::NothingToCollect`].
pub fn settle_funding(vault: &mut Vault, account: &mut MarginAccount, markets: &mut MarketMuts<'_>) -> Result<Tokens> {
    vault.sync(account)?;
    let mut collected = pay_debt(vault, account)?;
    for place in 0..account.positions.len() {
        let position = account.positions[place];
        if position.size.is_zero() {
            continue;
        }
        let market = markets.get_mut(usize::from(position.market)).and_then(Option::as_deref_mut);
        let paid = collect_whole(vault, account, market.ok_or(ModelError::MarketMissing)?, place)?;
        collected = collected.plus(paid)?;
    }
    if collected.is_zero() { Err(ModelError::NothingToCollect) } else { Ok(collected) }
}

/// Pays what an account owes for positions that are gone, as far as its collateral goes. What an account without positions
/// and claims cannot pay is written off.
pub(crate) fn pay_debt(vault: &mut Vault, account: &mut MarginAccount) -> Result<Tokens> {
    if account.debt.is_zero() {
        return Ok(Tokens::ZERO);
    }
    let paid = account.debt.min(account.collateral);
    vault.charge_split(account, Split::of_funding(paid)?)?;
    let lasting = account.has_prospects();
    account.debt = if lasting { account.debt.minus(paid)? } else { Tokens::ZERO };
    Ok(paid)
}

/// Collects the whole units that a position owes, as far as the collateral goes. The fraction goes on being owed, so that
/// nobody pays more for being asked often.
pub(crate) fn collect_whole(
    vault: &mut Vault,
    account: &mut MarginAccount,
    market: &mut Market,
    place: usize,
) -> Result<Tokens> {
    let position = account.positions[place];
    let key = position.key();
    let series = market.series_mut(key.side, key.tick)?;
    let whole = owed_exact(&position, series.index())? >> 64;
    let paid = Tokens(u64::try_from(whole).unwrap_or(u64::MAX)).min(account.collateral);
    if paid.is_zero() {
        return Ok(paid);
    }
    let entry = entry_after(&position, paid)?;
    move_entry(series, &mut account.positions[place], entry)?;
    market.void_mark();
    vault.charge_split(account, Split::of_funding(paid)?)?;
    Ok(paid)
}

/// Collects what one position owes, as far as the collateral goes; returns what was paid and what is still owed.
pub(crate) fn collect(
    vault: &mut Vault,
    account: &mut MarginAccount,
    market: &mut Market,
    place: usize,
) -> Result<(Tokens, Tokens)> {
    let position = account.positions[place];
    let key = position.key();
    let series = market.series_mut(key.side, key.tick)?;
    let owed = owed_tokens(owed_exact(&position, series.index())?);
    let paid = owed.min(account.collateral);
    let entry = if paid == owed { series.index() } else { entry_after(&position, paid)? };
    move_entry(series, &mut account.positions[place], entry)?;
    market.void_mark();
    vault.charge_split(account, Split::of_funding(paid)?)?;
    Ok((paid, owed.minus(paid)?))
}

/// Sets up to where a position has paid, in the position and in the series' sum. The sum is kept modulo 2^128, so that an
/// index that grew large can never stop a position from closing.
pub(crate) fn move_entry(
    series: &mut crate::market::Series,
    position: &mut Position,
    entry: FundingIndex,
) -> Result<()> {
    let advance = entry.0.checked_sub(position.entry().0).ok_or(ModelError::MathOverflow)?;
    let paid = wrapping_product(position.size, advance);
    series.entry_sum = Wide::new(series.entry_sum.get().wrapping_add(paid));
    position.entry = entry.into();
    Ok(())
}

/// A part of a position that is about to be taken off.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    size: Size,
    left: Size,
    /// What stays reserved for the rest, rounded up, raw units.
    keep: Tokens,
    /// The reserve that it frees, raw units.
    released: Tokens,
}

impl Part {
    /// `size` of a position.
    ///
    /// Errors: [`ModelError::MathOverflow`] where it is smaller.
    pub(crate) fn of(position: &Position, size: Size) -> Result<Self> {
        let left = position.size.minus(size)?;
        let keep = reserve_of_rest(position, left)?;
        Ok(Self { size, left, keep, released: position.reserve.minus(keep)? })
    }
}

/// Takes a part off a position and what goes with it: open interest, entry sum, reserve, the slot, the mark.
pub(crate) fn reduce_position(
    vault: &mut Vault,
    account: &mut MarginAccount,
    market: &mut Market,
    place: usize,
    part: Part,
) -> Result<()> {
    let Part { size, left, keep, released } = part;
    let position = &mut account.positions[place];
    let key = position.key();

    let series = market.series_mut(key.side, key.tick)?;
    let paid = wrapping_product(size, position.entry().0);
    series.entry_sum = Wide::new(series.entry_sum.get().wrapping_sub(paid));
    series.open_interest = series.open_interest.minus(size)?;
    series.reserve = series.reserve.minus(released)?;
    let side = &mut market.reserves[key.side as usize];
    *side = side.minus(released)?;
    vault.reserves = vault.reserves.minus(released)?;

    *position = if left.is_zero() { Position::zeroed() } else { Position { size: left, reserve: keep, ..*position } };
    market.refresh_active(key.tick);
    market.void_mark();
    Ok(())
}

/// What stays reserved in full for the rest of a position, rounded up.
fn reserve_of_rest(position: &Position, left: Size) -> Result<Tokens> {
    // Mostly nothing is left, and the wide division for it is long.
    if left.is_zero() {
        return Ok(Tokens::ZERO);
    }
    let keep = product(position.reserve.0, left.0).div_ceil(u128::from(position.size.0.max(1)));
    u64::try_from(keep).map(Tokens).map_err(|_| ModelError::MathOverflow)
}

fn add_to_position(
    vault: &mut Vault,
    account: &mut MarginAccount,
    market: &mut Market,
    place: usize,
    size: Size,
    reserve: Tokens,
) -> Result<()> {
    let position = &mut account.positions[place];
    let key = position.key();
    let series = market.series_mut(key.side, key.tick)?;
    let index = series.index();
    let paid = wrapping_product(size, index.0);
    series.entry_sum = Wide::new(series.entry_sum.get().wrapping_add(paid));
    series.open_interest = series.open_interest.plus(size)?;
    series.reserve = series.reserve.plus(reserve)?;
    let side = &mut market.reserves[key.side as usize];
    *side = side.plus(reserve)?;
    vault.reserves = vault.reserves.plus(reserve)?;

    position.size = position.size.plus(size)?;
    position.entry = index.into();
    position.reserve = position.reserve.plus(reserve)?;
    let too_large = position.size.0 >= MAX_SIZE || market.series(key.side, key.tick)?.1.open_interest.0 >= MAX_SIZE;
    if too_large {
        return Err(ModelError::SizeTooLarge);
    }
    market.refresh_active(key.tick);
    market.void_mark();
    Ok(())
}

/// The limits of docs/mechanism.md section 5, which new opens must leave intact.
fn check_limits(vault: &Vault, market: &Market, key: SeriesKey) -> Result<()> {
    let main = vault.main.assets;
    if vault.reserves > vault.reservable()? {
        return Err(ModelError::UtilisationTooHigh);
    }
    let series = market.series(key.side, key.tick)?.1;
    if series.reserve > share(main, market.config.series_limit_bps, Rounding::Down)? {
        return Err(ModelError::SeriesLimitReached);
    }
    if market.reserves[key.side as usize] > share(main, market.config.side_limit_bps, Rounding::Down)? {
        return Err(ModelError::SideLimitReached);
    }
    Ok(())
}

impl Vault {
    /// The most that may be reserved: the maximum utilisation of the main assets that are not about to leave.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn reservable(&self) -> Result<Tokens> {
        let whole = u128::from(self.main.assets.0) * u128::from(self.config.max_utilisation_bps);
        let staying = self.main.shares.less(self.main.queued_shares);
        let all = u128::from(self.main.shares.0).checked_mul(u128::from(BPS)).filter(|all| *all > 0);
        let Some(all) = all else { return Ok(Tokens::ZERO) };
        let part = perpetua_pricing::wide::mul_div(whole, u128::from(staying.0), all, Rounding::Down);
        part.and_then(|part| u64::try_from(part).ok()).map(Tokens).ok_or(ModelError::MathOverflow)
    }
}

/// Pays for a part of a position that is about to be taken off: the main pool up to the reserve that this frees, then
/// insurance, then a claim on it.
pub(crate) fn pay_closing(
    vault: &mut Vault,
    account: &mut MarginAccount,
    market: &Market,
    payouts: &mut Payouts,
    (part, payout): (Part, Tokens),
    now: i64,
) -> Result<()> {
    // Cannot be where X is fixed: the reserve was rounded up and the payout down, of at most the same value.
    if payout > part.released && market.config.settlement() != Settlement::Dollar {
        return Err(ModelError::MathOverflow);
    }
    vault.pay_next(account, payouts, payout, part.released, now)
}

fn finish_close(
    vault: &mut Vault,
    account: &mut MarginAccount,
    market: &mut Market,
    place: usize,
    size: Size,
    quote: CloseQuote,
    now: i64,
) -> Result<CloseReport> {
    let key = account.positions[place].key();
    // The payout comes first, so that it can pay the funding that the position owes.
    let part = Part::of(&account.positions[place], size)?;
    let mut payouts = Payouts::default();
    pay_closing(vault, account, market, &mut payouts, (part, quote.payout), now)?;
    let paid = vault.finish_payouts(account, payouts, now)?;
    // No fee on what is not there: it stays below its share of what arrived.
    let fee = quote.fee.min(share(paid.received()?, market.config.fee_value_bps, Rounding::Up)?);
    vault.charge_split(account, Split::of_fee(fee)?)?;
    let funding = collect_in_full(vault, account, market, place)?;
    reduce_position(vault, account, market, place, part)?;
    let funding = funding.plus(pay_debt(vault, account)?)?;
    let left = account.find(key).map_or(Size::ZERO, |place| account.positions[place].size);
    Ok(CloseReport { quote: CloseQuote { fee, ..quote }, paid, size, funding, left })
}

fn collect_in_full(
    vault: &mut Vault,
    account: &mut MarginAccount,
    market: &mut Market,
    place: usize,
) -> Result<Tokens> {
    match collect(vault, account, market, place)? {
        (paid, Tokens::ZERO) => Ok(paid),
        _ => Err(ModelError::InsufficientCollateral),
    }
}

/// Up to where a position has paid after paying only part of what it owes; rounded down, so that no debt is forgiven.
fn entry_after(position: &Position, paid: Tokens) -> Result<FundingIndex> {
    let advance = (u128::from(paid.0) << 64) / u128::from(position.size.0.max(1));
    position.entry().0.checked_add(advance).map(FundingIndex).ok_or(ModelError::MathOverflow)
}
