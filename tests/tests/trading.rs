//! What opening and closing cost and pay, to the unit, against the mechanism's formulas in another arithmetic.

use perpetua::state;
use perpetua_client::instruction;
use perpetua_model::pricing::Side;
use perpetua_tests::{
    World,
    parameters::UNITS_PER_USD,
    reference::{Big, Terms, assert_paid_up, assert_received_down, big, fixed, half_width, ratio, strike, years},
    token::ONE,
    world::{DECLARED_VARIANCE, call, put},
};

/// 0.25 BTC.
const SIZE: u64 = 250_000;
const SPOT: i64 = 100_000;

fn volatility() -> Big {
    use dashu_float::ops::SquareRoot;
    fixed(DECLARED_VARIANCE.into(), 48).sqrt()
}

/// The option that markets at the starting parameters list, at `factor` times the realised volatility.
fn terms(side: Side, factor: Big) -> Terms {
    Terms { side, volatility: volatility() * factor, period: years(7 * 86_400), cap: ratio(1, 2) }
}

fn strike_at(tick: i16) -> Big {
    strike(&big(SPOT), &ratio(10_125, 10_000), tick)
}

/// Raw units of `SIZE` of an option worth `value` dollars.
fn tokens(value: &Big) -> Big {
    value * big(UNITS_PER_USD.try_into().unwrap()) * ratio(SIZE.try_into().unwrap(), 1_000_000)
}

fn width() -> Big {
    half_width(&big(SPOT / 10_000), &volatility(), &big(SPOT), 0)
}

/// `min(5 bps of the notional, 12.5% of the value)`, each step rounded up.
fn fee(value: u64) -> u64 {
    let notional = u64::try_from(SPOT).unwrap() * UNITS_PER_USD / 1_000_000 * SIZE;
    (notional * 5).div_ceil(10_000).min((value * 125).div_ceil(1_000))
}

#[test]
fn opening_costs_the_ask_rounded_up_and_a_fee() {
    let cases = [
        (call(0), Side::Call, ratio(115, 100)),
        (call(8), Side::Call, ratio(115, 100)),
        (call(-8), Side::Call, ratio(115, 100)),
        (put(0), Side::Put, ratio(105, 100)),
        (put(8), Side::Put, ratio(105, 100)),
        (put(-8), Side::Put, ratio(105, 100)),
    ];
    for (series, side, markup) in cases {
        let mut world = World::new();
        let trader = world.trader("trader", 100 * ONE);
        let before = world.ledgers();
        world.open(&trader, series, SIZE).unwrap();
        let after = world.ledgers();

        // A buyer gets the end of the price range at which the option costs more.
        let spot = if side == Side::Call { big(SPOT) + width() } else { big(SPOT) - width() };
        let worth = terms(side, markup * ratio(102, 100)).worth(&spot, &strike_at(series.tick));
        let cost = 100 * ONE - world.margin(&trader).collateral.0;
        let fees_of_others = (after.insurance.assets.0 - before.insurance.assets.0) + after.protocol_fees.0;
        // Fees are split 50 / 20 / 30, so half of them stayed in the main pool beside the premium.
        let premium_and_half = after.main.assets.0 - before.main.assets.0;
        assert_eq!(cost, premium_and_half + fees_of_others, "what the trader pays the pools receive");
        let exact = tokens(&worth.value());
        let premium = (0..=cost).rev().find(|premium| premium + fee(*premium) <= cost).unwrap();
        assert_paid_up(premium, &exact, &format!("premium of {series:?}"));
        assert_eq!(cost, premium + fee(premium), "fee of {series:?}");
        let fee = fee(premium);
        assert_eq!(after.insurance.assets.0 - before.insurance.assets.0, fee * 20 / 100);
        assert_eq!(after.protocol_fees.0, fee * 30 / 100);

        let reserve = world.margin(&trader).positions[0].reserve.0;
        assert_paid_up(reserve, &tokens(&(strike_at(series.tick) * ratio(1, 2))), "the reserve is the cap");
        assert_eq!(after.reserves.0, reserve);
    }
}

#[test]
fn closing_pays_the_bid_rounded_down_less_a_fee() {
    let cases = [
        (call(0), Side::Call, ratio(115, 100)),
        (call(-8), Side::Call, ratio(115, 100)),
        (put(0), Side::Put, ratio(105, 100)),
        (put(8), Side::Put, ratio(105, 100)),
    ];
    for (series, side, markup) in cases {
        let mut world = World::new();
        let trader = world.trader("trader", 100 * ONE);
        world.open(&trader, series, SIZE).unwrap();
        let (held, before) = (world.margin(&trader).collateral.0, world.ledgers());
        world.close(&trader, series, SIZE).unwrap();
        let after = world.ledgers();

        let spot = if side == Side::Call { big(SPOT) - width() } else { big(SPOT) + width() };
        let worth = terms(side, markup * ratio(98, 100)).worth(&spot, &strike_at(series.tick));
        let received = world.margin(&trader).collateral.0 - held;
        let payout = (received..).find(|payout| payout - fee(*payout) >= received).unwrap();
        assert_received_down(payout, &tokens(&worth.value()), &format!("payout of {series:?}"));
        assert_eq!(received, payout - fee(payout), "fee of {series:?}");
        assert_eq!(
            before.main.assets.0 - after.main.assets.0,
            payout - (fee(payout) - fee(payout) * 20 / 100 - fee(payout) * 30 / 100)
        );
        assert_eq!(after.reserves.0, 0, "nothing stays reserved");
        assert_eq!(world.margin(&trader).open_positions().count(), 0);
        assert_eq!(world.market(0).active, 0);
    }
}

#[test]
fn closing_a_part_leaves_the_rest_fully_reserved() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(3), SIZE).unwrap();
    let whole = world.margin(&trader).positions[0];
    world.close(&trader, call(3), 100_001).unwrap();
    let left = world.margin(&trader).positions[0];
    assert_eq!(left.size.0, SIZE - 100_001);
    let share = u128::from(whole.reserve.0) * u128::from(left.size.0);
    assert_eq!(u128::from(left.reserve.0), share.div_ceil(SIZE.into()));
}

#[test]
fn adding_to_a_position_first_collects_what_it_owes() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    world.run(3_600, 300);
    let before = world.ledgers();
    world.open(&trader, call(0), SIZE).unwrap();
    let position = world.margin(&trader).positions[0];
    assert_eq!(position.size.0, 2 * SIZE);
    let series = world.market(0).slots[0].series[0];
    assert_eq!(position.entry, series.funding_index, "it owes nothing now");
    assert!(series.funding_index.get() > 0);
    assert!(world.ledgers().insurance.assets > before.insurance.assets);
}

#[test]
fn opening_and_closing_at_once_never_gains() {
    for series in [call(-20), call(-3), call(0), call(12), put(-12), put(0), put(5), put(20)] {
        let mut world = World::new();
        let trader = world.trader("trader", 200 * ONE);
        world.open(&trader, series, SIZE).unwrap();
        world.close(&trader, series, 100_000).unwrap();
        world.close(&trader, series, SIZE - 100_000).unwrap();
        assert!(world.margin(&trader).collateral.0 < 200 * ONE, "{series:?}");
    }
}

#[test]
fn two_prices_inside_one_window_cannot_be_played_against_each_other() {
    let mut world = World::new();
    let trader = world.trader("trader", 200 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    world.chain.wait(5);
    world.spot[0] = SPOT * 102 / 100;
    world.close(&trader, call(0), SIZE).unwrap();
    assert!(world.margin(&trader).collateral.0 < 200 * ONE);
}

#[test]
fn a_position_can_be_held_in_each_of_four_markets() {
    let mut world = World::with_markets(4);
    let trader = world.trader("trader", 200 * ONE);
    for market in 0..4 {
        world.open_in(&trader, market, put(0), 10_000, u64::MAX).unwrap();
    }
    let account: state::MarginAccount = world.read(&trader.account);
    let mut numbers: Vec<u8> = account.state.open_positions().map(|(_, position)| position.market).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3]);
}

#[test]
fn a_crank_and_a_trade_fit_one_transaction() {
    let mut world = World::with_markets(4);
    let trader = world.trader("trader", 200 * ONE);
    world.post(0, &world.price(0));
    let open = world.open_instruction(&trader, 0, call(0), SIZE, u64::MAX);
    let transaction = instruction::with_crank([(&world.markets[0], &world.prices[0])], open);
    assert!(world.chain.fits_a_packet(&transaction));
    world.chain.wait(1);
    world.post(0, &world.price(0));
    world.chain.send(&transaction).unwrap();
}
