//! Dollar markets: options of an index unit that cost and pay real dollars' worth of stock tokens.

use dashu_float::ops::SquareRoot;
use perpetua_client::{event::Event, instruction};
use perpetua_model::pricing::Side;
use perpetua_tests::{
    Done, World,
    reference::{Big, Terms, big, down, fixed, half_width, ratio, strike, up, years},
    token::ONE,
    world::{DECLARED_VARIANCE, call, put},
};

/// 0.25 BTC.
const SIZE: u64 = 250_000;
const SPOT: i64 = 100_000;

fn volatility() -> Big {
    fixed(DECLARED_VARIANCE.into(), 48).sqrt()
}

/// The option that markets at the starting parameters list, at `factor` times the realised volatility.
fn terms(side: Side, factor: Big) -> Terms {
    Terms { side, volatility: volatility() * factor, period: years(7 * 86_400), cap: ratio(1, 2) }
}

fn strike_at(tick: i16) -> Big {
    strike(&big(SPOT), &ratio(10_125, 10_000), tick)
}

/// Half the width of the index's price range, just published.
fn width() -> Big {
    half_width(&big(SPOT / 10_000), &volatility(), &big(SPOT), 0)
}

/// Half the width of a share's: at the 60% of volatility that its settings declare.
fn share_width(share: i64) -> Big {
    half_width(&ratio(share, 10_000), &ratio(60, 100), &big(share), 0)
}

/// Raw tokens of `SIZE` of an option worth `value` dollars, where a token is worth `token` dollars.
fn tokens(value: &Big, token: &Big) -> Big {
    value * big(ONE.try_into().unwrap()) / token * ratio(SIZE.try_into().unwrap(), 1_000_000)
}

/// A payer pays at least what is exact, and no more than one in 2^40 and two units above it: `X` has 24 fraction bits.
fn assert_paid(paid: u64, exact: &Big, what: &str) {
    let least = up(exact);
    assert!((least..=least + (least >> 40) + 2).contains(&paid), "{what}: paid {paid}, exactly {exact}");
}

/// The same for a receiver.
fn assert_received(received: u64, exact: &Big, what: &str) {
    let most = down(exact);
    assert!((most - (most >> 40) - 2..=most).contains(&received), "{what}: received {received}, exactly {exact}");
}

/// What one closing paid out, raw units, and at what value, dollars per index unit.
fn closed(done: &Done) -> (u64, Big) {
    let [Event::PositionClosed(closed)] = &done.events[..] else { panic!("{:?}", done.events) };
    (closed.payout, fixed(closed.value, 64))
}

#[test]
fn opening_costs_dollars_at_the_lowest_price_of_the_share_and_closing_pays_them_at_the_highest() {
    let cases = [
        (call(0), Side::Call, ratio(115, 100)),
        (call(-8), Side::Call, ratio(115, 100)),
        (put(0), Side::Put, ratio(105, 100)),
        (put(8), Side::Put, ratio(105, 100)),
    ];
    for (series, side, markup) in cases {
        let mut world = World::with_dollar_market(0);
        let trader = world.trader("trader", 100 * ONE);
        let done = world.open(&trader, series, SIZE).unwrap();
        let [Event::PositionOpened(opened)] = &done.events[..] else { panic!("{:?}", done.events) };
        let dearer = if side == Side::Call { big(SPOT) + width() } else { big(SPOT) - width() };
        let ask = terms(side, markup.clone() * ratio(102, 100)).worth(&dearer, &strike_at(series.tick)).value();
        let lowest = big(400) - share_width(400);
        assert_paid(opened.premium, &tokens(&ask, &lowest), &format!("premium of {series:?}"));
        let fee = tokens(&big(SPOT), &lowest) * ratio(5, 10_000);
        assert_paid(opened.fee, &fee, &format!("fee of {series:?}"));
        let extra = if side == Side::Call { ratio(135, 100) } else { ratio(150, 100) };
        let reserve = tokens(&(strike_at(series.tick) * ratio(1, 2)), &lowest) * extra;
        assert_paid(opened.reserve, &reserve, &format!("reserve of {series:?}"));

        let done = world.close(&trader, series, SIZE).unwrap();
        let cheaper = if side == Side::Call { big(SPOT) - width() } else { big(SPOT) + width() };
        let bid = terms(side, markup * ratio(98, 100)).worth(&cheaper, &strike_at(series.tick)).value();
        let highest = big(400) + share_width(400);
        assert_received(closed(&done).0, &tokens(&bid, &highest), &format!("payout of {series:?}"));
        assert!(world.margin(&trader).collateral.0 < 100 * ONE, "opening and closing gains nothing");
    }
}

#[test]
fn closing_pays_the_dollars_of_its_value_at_whatever_the_share_costs_then() {
    for share in [200, 320, 400, 555, 1_000] {
        let mut world = World::with_dollar_market(0);
        let trader = world.trader("trader", 100 * ONE);
        world.open(&trader, call(0), SIZE).unwrap();
        world.leap(SPOT, share);
        let (payout, value) = closed(&world.close(&trader, call(0), SIZE).unwrap());
        let highest = big(share) + share_width(share);
        assert_received(payout, &tokens(&value, &highest), &format!("payout at {share} dollars a share"));
    }
}

#[test]
fn a_call_at_its_cap_pays_half_its_strike_in_dollars() {
    let mut world = World::with_dollar_market(0);
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    world.leap(160_000, 400);
    let market = world.markets[0];
    let settle = instruction::settle_capped(&world.vault, &trader.account, &market, call(0));
    let (payout, value) = closed(&world.chain.send(&[settle]).unwrap());
    assert_eq!(value, big(50_000));
    assert_received(payout, &tokens(&big(50_000), &(big(400) + share_width(400))), "payout at the cap");
}

#[test]
fn two_prices_of_the_share_inside_one_window_cannot_be_played_against_each_other() {
    for (first, second) in [(400, 392), (392, 400)] {
        let mut world = World::with_dollar_market(0);
        let trader = world.trader("trader", 100 * ONE);
        world.set_share(Some(first));
        world.open(&trader, call(-8), SIZE).unwrap();
        world.chain.wait(10);
        world.set_share(Some(second));
        world.close(&trader, call(-8), SIZE).unwrap();
        assert!(world.margin(&trader).collateral.0 < 100 * ONE, "{first} to {second}");
    }
}

#[test]
fn funding_is_charged_in_tokens_of_the_shares_price() {
    let charged = |share: i64| {
        let mut world = World::with_dollar_market(0);
        let trader = world.trader("trader", 100 * ONE);
        world.leap(SPOT, share);
        world.open(&trader, call(0), SIZE).unwrap();
        let before = world.market(0).receivable().0;
        world.run(3_600, 300);
        world.market(0).receivable().0 - before
    };
    let (at_400, at_200) = (charged(400), charged(200));
    assert!(at_400 > 1_000_000);
    // Twice as many tokens of half the price, but for rounding.
    assert!((2 * at_400).abs_diff(at_200) <= 2, "{at_400} at 400 dollars, {at_200} at 200");
}

#[test]
fn a_dollar_market_and_a_quanto_market_of_one_index_are_two_markets() {
    let mut world = World::with_dollar_market(1);
    let trader = world.trader("trader", 200 * ONE);
    world.open_in(&trader, 0, call(0), SIZE, u64::MAX).unwrap();
    world.open_in(&trader, 1, call(0), SIZE, u64::MAX).unwrap();
    world.leap(SPOT, 200);
    let quanto = closed(&world.close_in(&trader, 0, call(0), SIZE, 0).unwrap());
    let dollar = closed(&world.close_in(&trader, 1, call(0), SIZE, 0).unwrap());
    assert_eq!(quanto.1, dollar.1, "both are worth as many dollars");
    let ratio = f64::from(u32::try_from(dollar.0).unwrap()) / f64::from(u32::try_from(quanto.0).unwrap());
    assert!((1.99..2.0).contains(&ratio), "a dollar is twice as many tokens once the share halved: {ratio}");
}
