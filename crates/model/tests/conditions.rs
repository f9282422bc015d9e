//! The table of states of `docs/mechanism.md` section 8, cell by cell: as written, and as brought about in a world.

mod common;

use Action::{Close, Liquidate, Open, PoolIn, PoolOut, Settle, Withdraw};
use ModelError::{OpeningPaused, PriceFarFromAverage, RecoveringFromOutage};
use common::*;
use perpetua_model::{
    pricing::{Rounding, Side, Usd},
    *,
};

const ACTIONS: [Action; 7] = [Open, Close, Settle, Liquidate, Withdraw, PoolIn, PoolOut];

/// A state, the reason it refuses for, which of [`ACTIONS`] it allows, and what funding does.
type Row = (Condition, ModelError, [bool; 7], Funding);

/// In the order in which reasons are named.
#[rustfmt::skip]
const TABLE: [Row; 16] = {
    use Condition as C;
    use Funding::{Accrues, Decays, Stops, Waits};
    use ModelError as E;
    const YES: bool = true;
    const NO_: bool = false;
    [
        //                                                 open  close settle liq. out   join  leave
        (C::Paused, E::OpeningPaused,                     [NO_, YES, YES, YES, YES, NO_, YES], Accrues),
        (C::VaultShort, E::VaultShort,                    [NO_, YES, YES, YES, NO_, NO_, NO_], Accrues),
        (C::MintPaused, E::MintPaused,                    [NO_, YES, YES, YES, NO_, NO_, YES], Accrues),
        (C::MintChanged, E::MintChanged,                  [NO_, YES, YES, YES, NO_, NO_, YES], Accrues),
        (C::TokensFrozen, E::TokensFrozen,                [NO_, YES, YES, YES, NO_, NO_, YES], Accrues),
        (C::PriceStale, E::PriceStale,                    [NO_, NO_, NO_, NO_, YES, NO_, NO_], Waits),
        (C::PriceDiverged, E::PriceFarFromAverage,        [NO_, YES, YES, NO_, NO_, NO_, NO_], Stops),
        (C::VarianceStale, E::VarianceStale,              [NO_, YES, NO_, YES, YES, NO_, NO_], Decays),
        (C::VarianceYoung, E::VarianceTooYoung,           [NO_, YES, YES, YES, YES, YES, YES], Accrues),
        (C::Grace, E::RecoveringFromOutage,               [NO_, YES, YES, NO_, YES, YES, YES], Stops),
        (C::MultiplierChanging, E::MultiplierChanging,    [NO_, NO_, NO_, NO_, NO_, NO_, NO_], Stops),
        (C::StockStale, E::StockPriceStale,               [NO_, NO_, NO_, NO_, YES, NO_, NO_], Accrues),
        (C::StockDiverged, E::StockFarFromAverage,        [NO_, YES, NO_, NO_, NO_, NO_, NO_], Stops),
        (C::StockClosed, E::StockMarketClosed,            [NO_, YES, NO_, YES, YES, NO_, YES], Accrues),
        (C::StockAbandoned, E::StockMarketClosed,         [YES, YES, YES, YES, YES, YES, YES], Accrues),
        (C::NotOpenYet, E::MarketNotOpen,                 [NO_, YES, YES, YES, YES, YES, YES], Accrues),
    ]
};

/// What an action is refused for in a state.
fn refusal((_, reason, allowed, _): Row, column: usize) -> Option<ModelError> {
    (!allowed[column]).then_some(reason)
}

#[test]
fn the_table_has_a_row_for_every_state_and_a_column_for_every_action() {
    assert_eq!(TABLE.map(|row| row.0), Condition::ALL);
    assert_eq!(ACTIONS, Action::ALL);
}

#[test]
fn every_cell_of_the_table_allows_or_names_its_reason() {
    for row in TABLE {
        let condition = row.0;
        for (column, action) in ACTIONS.into_iter().enumerate() {
            let expected = refusal(row, column);
            assert_eq!(condition.forbids(action), expected, "{condition:?} {action:?}");
            assert_eq!(Conditions::NORMAL.with(condition, true).allow(action).err(), expected);
            assert_eq!(Conditions::NORMAL.with(condition, false).allow(action), Ok(()));
        }
        assert_eq!(condition.funding(), row.3, "{condition:?}");
    }
}

/// All 16,384 of them.
#[test]
fn states_together_forbid_what_any_of_them_forbids_and_name_the_first_reason() {
    for bits in 0..1u32 << TABLE.len() {
        let rows = || TABLE.iter().enumerate().filter(|(place, _)| bits >> place & 1 == 1).map(|(_, row)| *row);
        let states = rows().fold(Conditions::NORMAL, |all, row| all.with(row.0, true));
        for (place, (condition, ..)) in TABLE.iter().enumerate() {
            assert_eq!(states.has(*condition), bits >> place & 1 == 1);
            assert!(!states.without(*condition).has(*condition));
        }
        for (column, action) in ACTIONS.into_iter().enumerate() {
            let first = rows().find_map(|row| refusal(row, column));
            assert_eq!(states.allow(action).err(), first, "{bits:b} {action:?}");
        }
        let all = rows().map(|row| row.3);
        let expected = [Funding::Stops, Funding::Waits, Funding::Decays]
            .into_iter()
            .find(|does| all.clone().any(|row| row == *does));
        assert_eq!(states.funding(), expected.unwrap_or(Funding::Accrues), "{bits:b}");
    }
}

/// What a [`scene`] holds: an option at its cap, one near the money, and a debtor's; somebody who waits to leave the pool.
const CAPPED: (usize, SeriesKey) = (0, SeriesKey { market: 0, side: Side::Call, tick: 0 });
const TRADER: usize = 1;
const DEBTOR: usize = 2;
const KEEPER: usize = 3;
const NEAR: SeriesKey = SeriesKey { market: 0, side: Side::Call, tick: 38 };
/// A Monday's noon in New York, three days after [`IN_SESSION`].
const SCENE: i64 = IN_SESSION + 3 * 86_400;

fn scene(config: &dyn Fn(u64) -> MarketConfig) -> World {
    let mut world = World::with_markets(4, &[config], IN_SESSION);
    world.open(CAPPED.0, CAPPED.1, 1_000_000).unwrap();
    world.request(PoolKind::Main, 1_000_000).unwrap();
    while world.now < SCENE - 1_200 {
        world.step((SCENE - 1_200 - world.now).min(43_000));
    }
    world.set_price(BTC, 16_000_000);
    for _ in 0..4 {
        world.step(300);
    }
    for account in [TRADER, DEBTOR] {
        world.open(account, NEAR, 1_000_000).unwrap();
    }
    let health = world.health(DEBTOR);
    let taken = world.accounts[DEBTOR].collateral.0 - health.maintenance.0 / 2;
    world.vault.release(&mut world.accounts[DEBTOR], Tokens(taken)).unwrap();
    world.balance -= taken;
    world
}

/// What each of [`ACTIONS`] is refused for, each tried on a copy.
fn outcomes(world: &World) -> [Option<ModelError>; 7] {
    let copy = || world.clone();
    [
        copy().open(TRADER, key(0, Side::Put, NEAR.tick), 1_000).err(),
        copy().close(TRADER, NEAR, 1_000_000).err(),
        copy().settle_capped(CAPPED.0, CAPPED.1).err(),
        copy().liquidate(DEBTOR, KEEPER).err(),
        copy().withdraw(TRADER, 1).err(),
        copy().join(PoolKind::Main, 1_000_000).err(),
        copy().execute(0).err(),
    ]
}

/// Whether the funding index moves while a minute passes as `pass` lets it.
fn funding_moves(mut world: World, pass: impl Fn(&mut World)) -> bool {
    let index = |world: &World| world.markets[0].series(NEAR.side, NEAR.tick).unwrap().1.index();
    let before = index(&world);
    pass(&mut world);
    world.crank(0).unwrap();
    index(&world) > before
}

/// Time for which only what the world publishes by itself happens.
fn wait(seconds: i64) -> impl Fn(&mut World) {
    move |world| {
        world.slot += 100;
        world.now += seconds;
        world.publish();
    }
}

/// Both kinds of market, the dollar market first.
const KINDS_OF_MARKET: [fn(u64) -> MarketConfig; 2] = [dollar_config, market_config];

/// Brings a state about with `pass`, which also keeps it up for another minute, and compares with the table, for both kinds
/// of market where `everywhere`; otherwise a quanto market must not care.
fn compare(condition: Condition, everywhere: bool, instead: &[(Action, ModelError)], pass: impl Fn(&mut World)) {
    let row = TABLE[condition as usize];
    for config in KINDS_OF_MARKET {
        let mut world = scene(&config);
        pass(&mut world);
        world.crank(0).unwrap();
        let expected: [_; 7] = core::array::from_fn(|column| {
            let named = instead.iter().find(|(action, _)| *action == ACTIONS[column]).map(|(_, reason)| *reason);
            refusal(row, column).map(|reason| named.unwrap_or(reason))
        });
        let dollar = world.markets[0].config.settlement() == Settlement::Dollar;
        let applies = everywhere || dollar;
        let expected = if applies { expected } else { [None; 7] };
        assert_eq!(outcomes(&world), expected, "{condition:?}, dollar market: {dollar}");
        let moves = !applies || matches!(row.3, Funding::Accrues | Funding::Decays);
        assert_eq!(funding_moves(world, &pass), moves, "{condition:?}, dollar market: {dollar}");
    }
}

#[test]
fn everything_is_allowed_in_a_normal_world() {
    for config in KINDS_OF_MARKET {
        let world = scene(&config);
        assert_eq!(outcomes(&world), [None; 7]);
        assert!(funding_moves(world, wait(60)));
    }
}

#[test]
fn what_the_guardian_or_the_issuer_does_to_a_vault_has_the_outcomes_of_its_row() {
    use Condition::{MintChanged, MintPaused, Paused, TokensFrozen, VaultShort};
    for condition in [Paused, VaultShort, MintPaused, MintChanged, TokensFrozen] {
        compare(condition, true, &[], |world| {
            world.conditions = Conditions::NORMAL.with(condition, true);
            wait(60)(world);
        });
    }
}

#[test]
fn a_price_too_old_to_trade_at_has_the_outcomes_of_its_row_and_funding_waits_for_the_next_one() {
    for config in KINDS_OF_MARKET {
        let mut world = scene(&config);
        (world.now, world.slot) = (world.now + 30, world.slot + 75);
        world.crank(0).unwrap();
        let row = TABLE[Condition::PriceStale as usize];
        assert_eq!(outcomes(&world), core::array::from_fn(|column| refusal(row, column)));

        let elapsed = |silence: i64| {
            let mut world = world.clone();
            (world.now, world.slot) = (world.now + 40, world.slot + 100);
            assert_eq!(world.crank(0), Err(ModelError::PriceStale));
            world.now += silence - 70;
            let [cents, _] = world.cents;
            world.indices[BTC].accept(&update(cents, 2, world.now, world.now - 1), world.now).unwrap();
            world.crank(0).unwrap().seconds
        };
        assert_eq!(elapsed(90), 60, "what passed since the last crank is charged once a price is there");
    }
}

/// What the table refuses for a missing price, the pools have again at bounds that need none.
#[test]
fn ten_minutes_without_a_price_let_the_owner_leave_the_pool_at_its_bounds_and_nobody_join() {
    for config in KINDS_OF_MARKET {
        let mut world = scene(&config);
        (world.now, world.slot) = (world.now + 600, world.slot + 1_500);
        assert_eq!(world.clone().execute(0).err(), Some(ModelError::MarketNotAccrued));
        world.now += 1;
        assert_eq!(world.clone().join(PoolKind::Main, 1_000_000).err(), Some(ModelError::MarkAtBounds));
        assert!(world.execute(0).is_ok());
    }
}

#[test]
fn a_price_far_from_its_average_has_the_outcomes_of_its_row() {
    compare(Condition::PriceDiverged, true, &[], |world| {
        wait(60)(world);
        world.now += 1;
        let [cents, _] = world.cents;
        let average = Usd::from_cents(cents);
        let spot = update(cents * 11 / 10, 2, world.now, world.now - 1);
        world.indices[BTC].accept(&PriceUpdate { average, ..spot }, world.now).unwrap();
    });
}

#[test]
fn an_hour_without_a_sample_has_the_outcomes_of_its_row() {
    compare(Condition::VarianceStale, true, &[], |world| {
        let passed = (0..70).find(|_| {
            wait(59)(world);
            // None of these updates comes at a mark, so none is a sample.
            world.indices[BTC].variance_stale(world.now)
        });
        assert!(passed.is_some());
    });
}

#[test]
fn an_index_that_was_sampled_for_less_than_a_day_has_the_outcomes_of_its_row() {
    compare(Condition::VarianceYoung, true, &[], |world| {
        wait(60)(world);
        world.indices[BTC].sampling_since = world.now - 3_600;
    });
}

#[test]
fn the_half_hour_after_a_long_outage_of_the_index_has_the_outcomes_of_its_row() {
    compare(Condition::Grace, true, &[], |world| {
        world.now += 650;
        world.slot += 1_500;
        let [cents, _] = world.cents;
        world.indices[BTC].accept(&update(cents, 2, world.now, world.now - 650), world.now).unwrap();
    });
}

#[test]
fn the_half_hour_after_a_halt_of_the_stock_has_the_outcomes_of_its_row() {
    compare(Condition::Grace, false, &[], |world| {
        wait(650)(world);
        let halted = update(SHARE_CENTS, 2, world.now, world.now - 650);
        world.stock.crank(&world.mint, Some(&halted), None, world.moment()).unwrap();
    });
}

#[test]
fn a_multiplier_about_to_change_has_the_outcomes_of_its_row() {
    compare(Condition::MultiplierChanging, false, &[], |world| {
        wait(60)(world);
        world.mint = ScaledUi { next: 1.01f64.to_bits(), next_from: SCENE + 1_200, ..world.mint };
    });
}

#[test]
fn a_stock_price_that_is_due_has_the_outcomes_of_its_row() {
    compare(Condition::StockStale, false, &[], |world| {
        world.share_cents = None;
        wait(60)(world);
    });
}

#[test]
fn a_stock_far_from_its_average_has_the_outcomes_of_its_row() {
    compare(Condition::StockDiverged, false, &[], |world| {
        wait(60)(world);
        world.share_cents = None;
        let average = Usd::from_cents(SHARE_CENTS);
        let spot = update(SHARE_CENTS * 11 / 10, 2, world.now, world.now - 1);
        world.stock.crank(&world.mint, Some(&PriceUpdate { average, ..spot }), None, world.moment()).unwrap();
    });
}

/// Pools are marked at their bounds then, which nobody joins at.
#[test]
fn a_closed_exchange_has_the_outcomes_of_its_row() {
    let instead = [(PoolIn, ModelError::MarkAtBounds)];
    compare(Condition::StockClosed, false, &instead, |world| {
        world.advance(if world.now < SCENE + 18_000 { 18_000 } else { 60 });
    });
}

#[test]
fn a_halted_stock_has_the_outcomes_of_a_closed_exchange() {
    let instead = [(PoolIn, ModelError::MarkAtBounds)];
    compare(Condition::StockClosed, false, &instead, |world| {
        world.share_cents = None;
        if world.now < SCENE + 601 {
            world.advance(30);
            world.crank_stock().unwrap();
            world.advance(601);
        } else {
            world.advance(60);
        }
    });
}

/// A world with a position, just before something happens to it.
fn with_position() -> (World, SeriesKey) {
    let mut world = World::new(1, 2);
    world.step(30);
    let key = key(0, Side::Call, 0);
    world.open(0, key, 1_000_000).unwrap();
    (world, key)
}

/// Spot ten percent above its moving average.
fn diverge(world: &mut World) {
    world.now += 60;
    world.slot += 100;
    let average = Usd::from_cents(world.cents[BTC]);
    let spot = update(world.cents[BTC] * 11 / 10, 2, world.now, world.now - 1);
    world.indices[BTC].accept(&PriceUpdate { average, ..spot }, world.now).unwrap();
    world.crank(BTC).unwrap();
}

/// An hour and more of prices of which none is the first after a mark, since the world's clock is off the marks.
fn let_variance_grow_stale(world: &mut World) {
    assert_ne!(world.now % 60, 0);
    for _ in 0..66 {
        world.now += 60;
        world.slot += 100;
        world.publish();
    }
    world.crank_all();
}

#[test]
fn a_diverged_price_bars_all_but_closing_and_funding_stands_still() {
    let (mut world, key) = with_position();
    let index = world.markets[0].series(Side::Call, 0).unwrap().1.index();
    diverge(&mut world);
    assert_eq!(world.markets[0].series(Side::Call, 0).unwrap().1.index(), index);
    assert_eq!(world.open(1, key, 1_000).err(), Some(PriceFarFromAverage));
    assert_eq!(world.withdraw(0, 1).err(), Some(PriceFarFromAverage));
    assert_eq!(world.liquidate(0, 1).err(), Some(PriceFarFromAverage));
    assert_eq!(world.join(PoolKind::Main, 1_000).err(), Some(PriceFarFromAverage));
    assert_eq!(world.withdraw(1, 1).err(), None, "an account without positions has no market that diverged");
    // Closing pays at the lower of spot and average.
    let paid = world.close(0, key, 1_000_000).unwrap().quote;
    let market = &world.markets[0];
    let curve = market.config.curve(Side::Call, market.bid_volatility(Side::Call)).unwrap();
    let at_average = curve.value(Usd::from_cents(world.cents[BTC]), Usd::from_integer(100_000)).value(Rounding::Up);
    assert!(Usd::from(paid.value) <= at_average);
}

#[test]
fn funding_starts_again_only_after_a_crank_at_a_normal_price() {
    let (mut world, _) = with_position();
    diverge(&mut world);
    world.advance(60);
    assert_eq!(world.crank(BTC), Ok(Accrual { seconds: 0, barred: true }));
    world.advance(60);
    assert_eq!(world.crank(BTC), Ok(Accrual { seconds: 60, barred: false }));
}

#[test]
fn a_stale_variance_closes_at_the_intrinsic_value_and_bars_opening_and_the_pools() {
    let (mut world, key) = with_position();
    world.set_price(BTC, 10_200_000);
    let_variance_grow_stale(&mut world);
    assert!(world.indices[BTC].variance_stale(world.now));
    assert_eq!(world.open(1, key, 1_000).err(), Some(ModelError::VarianceStale));
    assert_eq!(world.join(PoolKind::Main, 1_000).err(), Some(ModelError::VarianceStale));
    assert_eq!(world.retire(0, key).err(), Some(ModelError::VarianceStale));
    assert_eq!(world.settle_capped(0, key).err(), Some(ModelError::VarianceStale));
    assert_eq!(world.liquidate(0, 1).err(), Some(ModelError::AccountHealthy), "liquidation is not barred");
    world.withdraw(0, 1).unwrap();
    let reading = world.indices[BTC].read(world.now, 10).unwrap();
    let paid = world.close(0, key, 1_000_000).unwrap().quote;
    assert_eq!(Usd::from(paid.value), reading.low.saturating_sub(Usd::from_integer(100_000)));
}

#[test]
fn the_last_rate_halves_each_hour_while_variance_is_stale() {
    let (mut world, _) = with_position();
    let_variance_grow_stale(&mut world);
    let before = world.markets[0].series(Side::Call, 0).unwrap().1.rate.0;
    world.now += 3_600;
    world.slot += 9_000;
    world.publish();
    world.crank(BTC).unwrap();
    let after = world.markets[0].series(Side::Call, 0).unwrap().1.rate.0;
    assert!(after.abs_diff(before / 2) <= 1, "{before} {after}");
}

#[test]
fn a_long_outage_bars_liquidation_and_funding_for_half_an_hour_after_it() {
    let (mut world, _) = with_position();
    world.now += 700;
    world.slot += 1_000;
    for (index, cents) in world.indices.iter_mut().zip(world.cents) {
        index.accept(&update(cents, 2, world.now, world.now - 700), world.now).unwrap();
    }
    assert_eq!(world.crank(BTC), Ok(Accrual { seconds: 0, barred: true }));
    assert_eq!(world.liquidate(0, 1).err(), Some(RecoveringFromOutage));
    let end = world.now + GRACE_SECONDS;
    while world.now + 60 < end {
        world.step(60);
        assert_eq!(world.liquidate(0, 1).err(), Some(RecoveringFromOutage));
    }
    world.step(60);
    assert_eq!(world.liquidate(0, 1).err(), Some(ModelError::AccountHealthy));
}

/// A world with a position in each kind of market whose index is silent, `seconds` later.
fn silent(config: &dyn Fn(u64) -> MarketConfig, seconds: i64) -> (World, SeriesKey, Usd) {
    let mut world = World::with_markets(2, &[config], IN_SESSION);
    let key = key(0, Side::Call, 0);
    world.open(0, key, 1_000_000).unwrap();
    let curve = world.markets[0].config.curve(Side::Call, world.markets[0].middle[0].real()).unwrap();
    let spot = Usd::from_integer(100_000);
    let value = curve.value(spot, spot).value(Rounding::Down);
    world.now += seconds;
    world.slot += 1_000_000;
    (world, key, value)
}

#[test]
fn a_week_without_a_price_lets_the_owner_close_at_the_last_one_and_charges_nothing_for_it() {
    for config in KINDS_OF_MARKET {
        let (mut world, key, _) = silent(&config, ABANDONED_SECONDS);
        assert_eq!(world.crank(0), Err(ModelError::PriceStale));
        assert_eq!(world.close(0, key, 1_000_000).err(), Some(ModelError::MarketNotAccrued));

        let (mut world, key, value) = silent(&config, ABANDONED_SECONDS + 1);
        assert_eq!(world.close(0, key, 1_000_000).err(), Some(ModelError::MarketNotAccrued));
        assert_eq!(world.crank(0), Ok(Accrual::default()));
        assert_eq!(world.open(0, key, 1_000).err(), Some(ModelError::PriceStale));
        assert_eq!(world.liquidate(0, 1).err(), Some(ModelError::PriceStale));
        let report = world.close(0, key, 1_000_000).unwrap();
        assert_eq!((Usd::from(report.quote.value), report.funding), (value, Tokens(0)));
        let rest = world.accounts[0].collateral.0;
        world.withdraw(0, rest).unwrap();
        world.check();
    }
}

#[test]
fn a_week_without_a_price_lets_anyone_settle_to_the_owner_without_a_fee() {
    for config in KINDS_OF_MARKET {
        let (mut world, key, _) = silent(&config, ABANDONED_SECONDS);
        let kind = world.markets[0].config.settlement();
        assert_eq!(world.settle_abandoned(0, key).err(), Some(ModelError::MarketNotAccrued));

        let (mut world, key, value) = silent(&config, ABANDONED_SECONDS + 1);
        world.crank(0).unwrap();
        assert_eq!(world.settle_capped(0, key).err(), Some(ModelError::PriceStale));
        let before = world.accounts[0].collateral.0;
        let report = world.settle_abandoned(0, key).unwrap();
        assert_eq!((Usd::from(report.quote.value), report.quote.fee), (value, Tokens(0)), "{kind:?}");
        assert_eq!(world.accounts[0].collateral.0, before + report.quote.payout.0);
        world.check();
    }
}

#[test]
fn an_index_with_a_price_is_not_abandoned() {
    let (mut world, key) = with_position();
    world.step(5);
    assert_eq!(world.settle_abandoned(0, key).err(), Some(ModelError::NotAbandoned));
}

/// A dollar position whose stock has been silent for `seconds`, at a time at which the exchange is closed.
fn without_stock(seconds: i64) -> (World, SeriesKey) {
    let mut world = World::dollar(1);
    let key = key(0, Side::Call, 0);
    world.open(0, key, 1_000_000).unwrap();
    world.share_cents = None;
    world.step(seconds / 2);
    world.step(seconds - seconds / 2);
    (world, key)
}

/// Nobody may force a haircut on another before a week has shown that the stock's price does not come back.
#[test]
fn a_week_without_a_stock_price_lets_anyone_settle_a_dollar_position_and_no_day_less() {
    let (mut world, key) = without_stock(7 * 86_400 - 3 * 3_600);
    assert!(world.markets[0].conditions.has(Condition::StockClosed));
    assert_eq!(world.settle_abandoned(0, key).err(), Some(ModelError::NotAbandoned));
    assert_eq!(world.settle_capped(0, key).err(), Some(ModelError::StockMarketClosed));
    let (mut world, key) = without_stock(7 * 86_400 + 5 * 3_600);
    assert!(world.markets[0].conditions.has(Condition::StockAbandoned));
    let report = world.settle_abandoned(0, key).unwrap();
    let last = world.markets[0].units.last.0;
    assert_eq!(world.markets[0].units.low.0, last - last.div_ceil(20), "at the last X less the haircut");
    assert!(report.paid.main > Tokens(0));
    world.check();
}

#[test]
fn pausing_stops_new_risk_but_nobody_from_leaving() {
    let (mut world, key) = with_position();
    let ticket = world.request(PoolKind::Main, 1_000_000).unwrap();
    world.step(3 * 86_400);
    world.conditions = Conditions::NORMAL.with(Condition::Paused, true);
    assert_eq!(world.open(0, key, 1_000).err(), Some(OpeningPaused));
    assert_eq!(world.join(PoolKind::Main, 1_000).err(), Some(OpeningPaused));
    world.execute(ticket).unwrap();
    world.claim(ticket).unwrap();
    world.withdraw(0, 1).unwrap();
    world.close(0, key, 1_000_000).unwrap();
    world.check();
}

#[test]
fn a_short_vault_lets_positions_close_but_no_token_out() {
    let (mut world, key) = with_position();
    let ticket = world.request(PoolKind::Main, 1_000_000).unwrap();
    world.step(3 * 86_400);
    world.conditions = Conditions::NORMAL.with(Condition::VaultShort, true);
    for error in [
        world.open(0, key, 1_000).err(),
        world.join(PoolKind::Main, 1_000).err(),
        world.execute(ticket).err(),
        world.withdraw(0, 1).err(),
    ] {
        assert_eq!(error, Some(ModelError::VaultShort));
    }
    assert_eq!(world.liquidate(0, 1).err(), Some(ModelError::AccountHealthy));
    world.close(0, key, 1_000_000).unwrap();
    assert_eq!(world.vault.check_conservation(Tokens(world.balance - 1)), Err(ModelError::VaultShort));
}
