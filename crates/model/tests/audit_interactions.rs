//! What a second audit found where features meet: each was a hole once.
mod common;

use common::{desk::*, *};
use perpetua_model::{pricing::*, *};

const CALL: SeriesKey = SeriesKey { market: 0, side: Side::Call, tick: 0 };
const PUT: SeriesKey = SeriesKey { market: 0, side: Side::Put, tick: 0 };
const BITCOIN: u64 = 1_000_000;

/// Tokens that are missing may come back; whether to take part of a payout now is the owner's to decide, not that of
/// somebody with shares of the pool that keeps the rest.
#[test]
fn a_stranger_does_not_settle_anybodys_option_at_a_part_while_tokens_are_missing() {
    let mut world = World::new(1, 2);
    world.open(0, CALL, BITCOIN).unwrap();
    world.set_price(BTC, 20_000_000);
    world.step(60);
    let all = world.vault.total().unwrap();
    let missing = all.0 - world.vault.margin.0 - world.vault.reserves.0 / 2;
    world.vault.observe_balance(Tokens(all.0 - missing), world.now).unwrap();
    assert_eq!(world.clone().settle_capped(0, CALL).err(), Some(ModelError::PayoutUncovered));
    let part = world.clone().close(0, CALL, BITCOIN).unwrap();
    assert!(part.paid.main.0 < part.quote.payout.0, "the owner may take what there is");

    world.vault.observe_balance(all, world.now).unwrap();
    let report = world.settle_capped(0, CALL).unwrap();
    assert_eq!(report.paid.main, report.quote.payout);
}

/// A stock whose feed died with its last price in doubt, or whose token went its own way afterwards, is compared with
/// nothing any more: else one idle position would bind every LP of the vault for ever.
#[test]
fn an_abandoned_stock_binds_nobody_however_far_its_token_is_from_the_last_price() {
    let week = 7 * 86_400 + 5 * 3_600;
    for token_cents in [SHARE_CENTS, SHARE_CENTS / 2, SHARE_CENTS * 2] {
        let mut world = World::dollar(1);
        world.stock.config = with_token_feed();
        world.token_cents = Some(SHARE_CENTS);
        world.step(1);
        world.open(0, CALL, BITCOIN).unwrap();
        (world.share_cents, world.token_cents) = (None, Some(token_cents));
        world.step(week);
        assert!(world.markets[0].conditions.has(Condition::StockAbandoned));
        assert!(world.value(PoolKind::Main).unwrap().at_bounds, "who has waited can leave");
        world.settle_abandoned(0, CALL).unwrap();
        let units = world.markets[0].units;
        let dearer = Usd::from_cents(token_cents.max(SHARE_CENTS));
        assert!(integer(units.low) < exact(8, dearer), "at the fewer tokens of both");
        world.check();
    }
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    desk.announce(3.0, IN_SESSION + 3 * DAY);
    desk.share(SHARE_CENTS / 3, IN_SESSION + 60, IN_SESSION + 59);
    assert!(desk.at(IN_SESSION + 3_600).conditions.has(Condition::StockDiverged));
    desk.announce(1.0, 0);
    assert!(!desk.at(CLOSES + 8 * DAY).conditions.has(Condition::StockDiverged));
}

/// The administrator's word lasts until the next price, whoever cranks before it.
#[test]
fn the_administrators_word_for_a_far_move_holds_before_an_announced_split_too() {
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    desk.announce(1.03, IN_SESSION + 3 * DAY);
    let [doubted, believed, late] = [60, 120, 180].map(|seconds| IN_SESSION + seconds);
    desk.share(SHARE_CENTS * 102 / 100, doubted, doubted - 1);
    assert!(desk.at(doubted).conditions.has(Condition::StockDiverged), "2% is nearer to 3% than to nothing");
    desk.stock.acknowledge(Multiplier::ONE);
    desk.crank(None, None, believed - 1).unwrap();
    desk.share(SHARE_CENTS * 102 / 100, believed, believed - 1);
    assert_eq!(desk.states(believed), []);
    assert_eq!(Usd::from(desk.stock.share.price), Usd::from_cents(SHARE_CENTS * 102 / 100));
    desk.share(SHARE_CENTS * 104 / 100, late, late - 1);
    assert!(desk.at(late).conditions.has(Condition::StockDiverged), "it was for one price");
}

/// For the seconds in which the price before a doubted one is still young enough to trade at.
#[test]
fn a_doubted_price_counts_at_once() {
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    desk.announce(3.0, IN_SESSION + 3 * DAY);
    let before = desk.at(IN_SESSION + 3).units;
    desk.share(SHARE_CENTS * 3 / 2, IN_SESSION + 3, IN_SESSION + 2);
    assert_eq!(desk.states(IN_SESSION + 3), [Condition::StockDiverged]);
    let units = desk.at(IN_SESSION + 3).units;
    assert_eq!(units.last, before.last);
    assert!(integer(units.low) <= units_of(SHARE_CENTS * 3 / 2), "who closes is paid at the worse of both");
}

/// A later `w` says nothing of the reserves of before it.
#[test]
fn raising_what_is_reserved_does_not_hide_what_insurance_owes_for_older_positions() {
    let mut world = World::dollar(1);
    world.open(0, PUT, BITCOIN).unwrap();
    world.set_price(BTC, 4_000_000);
    world.share_cents = Some(SHARE_CENTS / 2);
    world.step(120);
    let above = |world: &mut World| {
        let value = world.value(PoolKind::Insurance).unwrap();
        (world.markets[0].mark.above_reserve, world.markets[0].mark.liability_low, value.low)
    };
    let before = above(&mut world);
    assert!(before.0 > Tokens(0));
    let config = MarketConfig { reserve_extra_bps: [10_000, 12_000], ..world.markets[0].config };
    let moment = world.moment();
    world.markets[0].reconfigure(config, moment).unwrap();
    assert_eq!(above(&mut world), before);
}
