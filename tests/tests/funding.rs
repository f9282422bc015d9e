//! What holding an option costs, and to whom it goes.

use dashu_float::ops::SquareRoot;
use perpetua_client::instruction;
use perpetua_model::pricing::Side;
use perpetua_tests::{
    World,
    parameters::UNITS_PER_USD,
    reference::{Big, Terms, assert_received_down, big, fixed, ratio, strike, years},
    token::ONE,
    world::{DECLARED_VARIANCE, call, put},
};

const SIZE: u64 = 400_000;
const SPOT: i64 = 100_000;

/// What a holder pays per index unit and year, `seconds` after the price stopped moving: realised variance then halves
/// every 72 hours, and the market's volatility follows at once, since that is slower than its slew.
fn rate(side: Side, tick: i16, seconds: i64) -> Big {
    let markup = if side == Side::Call { ratio(115, 100) } else { ratio(105, 100) };
    let kept = (big(2).ln() * ratio(-seconds, 72 * 3_600)).exp();
    let volatility = (fixed(DECLARED_VARIANCE.into(), 48) * kept).sqrt() * markup;
    let terms = Terms { side, volatility, period: years(7 * 86_400), cap: ratio(1, 2) };
    let carry = if side == Side::Call { ratio(10, 100) } else { big(0) };
    terms.funding_rate(&big(SPOT), &strike(&big(SPOT), &ratio(10_125, 10_000), tick), &carry, &ratio(4, 100))
}

/// Raw units of `SIZE` at `dollars` per index unit.
fn tokens(dollars: &Big) -> Big {
    dollars * big(UNITS_PER_USD.try_into().unwrap()) * ratio(SIZE.try_into().unwrap(), 1_000_000)
}

fn settle(world: &mut World, account: &solana_pubkey::Pubkey) {
    let settle = instruction::settle_funding(&world.vault, account, &world.markets);
    world.chain.send(&[settle]).unwrap();
}

#[test]
fn a_holder_pays_the_average_of_the_rates_at_both_ends_of_a_crank() {
    for (series, side) in
        [(call(0), Side::Call), (call(-7), Side::Call), (call(9), Side::Call), (put(0), Side::Put), (put(6), Side::Put)]
    {
        let mut world = World::new();
        let trader = world.trader("trader", 100 * ONE);
        world.open(&trader, series, SIZE).unwrap();
        let (held, before) = (world.margin(&trader).collateral.0, world.ledgers());

        world.run(600, 300);
        settle(&mut world, &trader.account);

        let halves = [(0, 300), (300, 600)].map(|(from, to)| {
            (rate(side, series.tick, from) + rate(side, series.tick, to)) / big(2) * years(to - from)
        });
        let paid = held - world.margin(&trader).collateral.0;
        let [first, second] = halves;
        // Only whole units are collected; the fraction goes on being owed.
        assert_received_down(paid, &tokens(&(first + second)), &format!("funding of {series:?}"));

        let after = world.ledgers();
        assert_eq!(after.insurance.assets.0 - before.insurance.assets.0, paid * 15 / 100);
        assert_eq!(after.protocol_fees.0 - before.protocol_fees.0, paid * 5 / 100);
        let rest = paid - paid * 15 / 100 - paid * 5 / 100;
        assert_eq!(after.main.assets.0 - before.main.assets.0, rest);
    }
}

#[test]
fn time_that_nobody_cranked_is_charged_at_the_lower_rate() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, put(0), SIZE).unwrap();
    let held = world.margin(&trader).collateral.0;
    world.run(3 * 3_600, 3 * 3_600);
    settle(&mut world, &trader.account);
    // After three hours the rate is the lower one; the first hour of the gap accrues at the average.
    let (first, last) = (rate(Side::Put, 0, 0), rate(Side::Put, 0, 3 * 3_600));
    let exact = (first + &last) / big(2) * years(3_600) + last * years(2 * 3_600);
    let paid = held - world.margin(&trader).collateral.0;
    let exact = tokens(&exact).to_f64().value();
    let off = (paid as f64 - exact).abs() / exact;
    assert!(off < 1e-6, "paid {paid}, about {exact}");
}

#[test]
fn cranking_twice_in_a_second_charges_once() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    world.run(600, 300);
    let market = world.market(0);
    let crank = world.crank_instruction(&world.markets[0]);
    world.chain.send(&[crank]).unwrap();
    assert_eq!(*world.market(0), *market);
    let (now, slot) = (world.chain.now(), world.chain.slot());
    world.chain.set_clock(now, slot + 1);
    world.crank_first().unwrap();
    assert_eq!(world.market(0).slots[0].series[0].funding_index, market.slots[0].series[0].funding_index);
}

#[test]
fn time_that_the_feed_was_out_is_never_charged() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    world.chain.wait(500);
    let mut price = world.price(0);
    price.previous_publish_time = world.chain.now() - 500;
    world.post(0, &price);
    let crank = world.crank_instruction(&world.markets[0]);
    world.chain.send(&[crank]).unwrap();
    assert_eq!(world.market(0).slots[0].series[0].funding_index.get(), 0);
    assert_eq!(world.index(0).outage_seconds, 500);
}

#[test]
fn a_long_outage_bars_liquidation_and_funding_for_half_an_hour() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    world.chain.wait(900);
    let mut price = world.price(0);
    price.previous_publish_time = world.chain.now() - 900;
    world.post(0, &price);
    let crank = world.crank_instruction(&world.markets[0]);
    world.chain.send(&[crank]).unwrap();
    assert_eq!(world.index(0).grace_until, world.chain.now() + 1_800);
    world.run(1_500, 300);
    assert_eq!(world.market(0).slots[0].series[0].funding_index.get(), 0, "nothing accrues during the grace");
    world.run(900, 300);
    assert!(world.market(0).slots[0].series[0].funding_index.get() > 0, "it accrues again afterwards");
}
