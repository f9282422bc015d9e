//! Payouts above what was reserved: insurance pays within its daily limit, owes the rest, and serves that before anybody
//! leaves it.

use perpetua::Pool;
use perpetua_client::{event::Event, instruction};
use perpetua_tests::{
    Trader, World,
    scenes::with_claim,
    token::ONE,
    world::{INSURANCE_POOL, call},
};

/// A trader at the cap of a call for eight bitcoins, whose payout is worth `share` dollars a token. Nothing is paid yet.
fn at_the_cap(share: i64) -> (World, Trader) {
    let mut world = World::with_dollar_market(0);
    let trader = world.trader("alice", 500 * ONE);
    world.open(&trader, call(0), 8_000_000).unwrap();
    world.leap(160_000, share);
    (world, trader)
}

/// Its owner closes it, who alone may take a claim; returns what the main pool and the insurance pool paid, and what is
/// owed.
fn settle(world: &mut World, trader: &Trader) -> [u64; 3] {
    let done = world.close(trader, call(0), 8_000_000).unwrap();
    let [Event::PositionClosed(closed)] = done.events[..] else { panic!("{:?}", done.events) };
    [closed.payout, closed.from_insurance, closed.claimed]
}

/// `amount` is `tokens` whole tokens but for a tenth of a percent, which the width of the share's price takes.
fn assert_about(amount: u64, tokens: u64) {
    let exact = tokens * ONE;
    assert!((exact - exact / 1_000..=exact + exact / 1_000).contains(&amount), "{amount}, about {tokens} tokens");
}

#[test]
fn what_the_reserve_covers_the_main_pool_pays_alone() {
    // 400,000 dollars are 1,000 tokens of 400 dollars; 1,350 are reserved.
    for (share, tokens) in [(500, 800), (400, 1_000), (300, 1_333)] {
        let (mut world, trader) = at_the_cap(share);
        let [main, insurance, claimed] = settle(&mut world, &trader);
        assert_about(main, tokens);
        assert_eq!((insurance, claimed), (0, 0));
    }
}

#[test]
fn insurance_tops_up_what_exceeds_the_reserve() {
    let (mut world, trader) = at_the_cap(250);
    let reserve = world.ledgers().reserves.0;
    let [main, insurance, claimed] = settle(&mut world, &trader);
    assert_eq!(main, reserve);
    assert_about(main, 1_350);
    assert_about(main + insurance, 1_600);
    assert_eq!(claimed, 0);
}

#[test]
fn above_a_quarter_of_its_assets_a_day_insurance_owes_the_rest() {
    let (mut world, trader) = at_the_cap(160);
    let assets = world.ledgers().insurance.assets.0;
    assert!(assets > INSURANCE_POOL);
    let [main, insurance, claimed] = settle(&mut world, &trader);
    assert_eq!(insurance, assets / 4);
    assert_about(main + insurance + claimed, 2_500);
    assert_eq!(world.ledgers().reserves.0, 0);
}

#[test]
fn the_days_limit_is_one_for_all_that_is_paid_in_it() {
    let (mut world, trader) = at_the_cap(160);
    let [_, first, _] = settle(&mut world, &trader);
    let serve = instruction::serve_claims(&world.vault);
    world.chain.wait(86_399);
    assert_eq!(world.chain.send(std::slice::from_ref(&serve)).unwrap_err().name(), "NothingToCollect");
    world.chain.wait(1);
    let assets = world.ledgers().insurance.assets.0;
    let done = world.chain.send(&[serve]).unwrap();
    let [Event::ClaimsServed(served)] = done.events[..] else { panic!("{:?}", done.events) };
    assert_eq!(served.served, assets / 4);
    assert!(served.served < first);
}

#[test]
fn income_serves_claims_before_it_is_anybodys_else() {
    let (mut world, trader) = with_claim();
    let owed = world.ledgers().claims.outstanding.0;
    let insurance = world.ledgers().insurance.assets;
    let other = world.trader("other", 100 * ONE);
    let before = world.ledgers();
    let market = world.markets[0];
    let open = |world: &World| world.open_instruction(&other, 0, call(38), 100_000, u64::MAX);
    world.crank(&market).unwrap();
    let done = world.chain.send(&[open(&world)]).unwrap();
    let [Event::PositionOpened(opened)] = done.events[..] else { panic!("{:?}", done.events) };
    let income = opened.fee / 5;
    let after = world.ledgers();
    assert_eq!(after.insurance.assets, insurance, "all of the income went to the claim");
    assert_eq!(after.claims.outstanding.0, owed - income);
    assert_eq!(after.claims.funded.0, before.claims.funded.0 + income);
    let held = world.margin(&trader).collateral.0;
    world.chain.send(&[instruction::sync_account(&world.vault, &trader.account)]).unwrap();
    let collected = world.margin(&trader).collateral.0 - held;
    assert!((income - 1..=income + 1).contains(&collected), "collected {collected} of {income}");
}

#[test]
fn a_claim_is_served_whole_in_the_end() {
    let (mut world, trader) = with_claim();
    let (owed, held) = (world.ledgers().claims.outstanding.0, world.margin(&trader).collateral.0);
    let serve = instruction::serve_claims(&world.vault);
    for _ in 0..2 {
        world.chain.wait(86_400);
        world.chain.send(std::slice::from_ref(&serve)).unwrap();
    }
    assert_eq!(world.ledgers().claims.outstanding.0, 0);
    world.chain.send(&[instruction::sync_account(&world.vault, &trader.account)]).unwrap();
    let received = world.margin(&trader).collateral.0 - held;
    assert!((owed..=owed + 1).contains(&received), "received {received} of {owed}");
    assert_eq!(world.ledgers().claims.funded.0, 0);
    world.withdraw(&trader, received).unwrap();
}

#[test]
fn two_claimants_are_served_in_proportion() {
    let mut world = World::with_dollar_market(0);
    let [alice, bob] = ["alice", "bob"].map(|name| world.trader(name, 500 * ONE));
    world.open(&alice, call(0), 8_000_000).unwrap();
    world.open(&bob, call(1), 4_000_000).unwrap();
    world.leap(170_000, 130);
    world.close(&alice, call(0), 8_000_000).unwrap();
    world.close(&bob, call(1), 4_000_000).unwrap();
    // The fee that bob paid served alice's claim already.
    for trader in [alice, bob] {
        world.chain.send(&[instruction::sync_account(&world.vault, &trader.account)]).unwrap();
    }
    let claims = |world: &World| [alice, bob].map(|trader| world.margin(&trader).claim);
    let owed = claims(&world).map(|claim| claim.amount.0 - claim.collected.0);
    let held = [alice, bob].map(|trader| world.margin(&trader).collateral.0);
    world.chain.wait(86_400);
    world.chain.send(&[instruction::serve_claims(&world.vault)]).unwrap();
    for trader in [alice, bob] {
        world.chain.send(&[instruction::sync_account(&world.vault, &trader.account)]).unwrap();
    }
    let received = [alice, bob].map(|trader| world.margin(&trader).collateral.0);
    let parts = [0, 1].map(|who| {
        f64::from(u32::try_from((received[who] - held[who]) >> 8).unwrap())
            / f64::from(u32::try_from(owed[who] >> 8).unwrap())
    });
    assert!(parts[0] > 0.1 && (parts[0] - parts[1]).abs() < 1e-6, "{parts:?}");
}

#[test]
fn who_leaves_insurance_waits_until_claims_are_served() {
    let (mut world, trader) = at_the_cap(160);
    let provider = world.first_provider();
    let ticket = world.request(&provider, Pool::Insurance, 1_000_000_000).unwrap();
    // Within the session of a Tuesday, 14 days later; the day's limit is used up by the payout.
    for _ in 0..14 {
        world.run(86_400, 3_600);
    }
    let market = world.markets[0];
    world.crank(&market).unwrap();
    settle(&mut world, &trader);
    let execute = instruction::execute_withdrawal(&provider.owner, &world.vault, &ticket, &world.markets);
    let marked = [instruction::mark_market(&market), execute];
    assert_eq!(world.chain.send(&marked).unwrap_err().name(), "ClaimsOpen");
    // The next day insurance serves what it may; two days later everything, and then shares are paid.
    world.run(86_400, 3_600);
    assert_eq!(world.chain.send(&marked).unwrap_err().name(), "ClaimsOpen");
    world.chain.send(&[instruction::serve_claims(&world.vault)]).unwrap();
    world.run(86_400, 3_600);
    world.chain.send(&marked).unwrap();
    assert!(world.ledgers().payable.0 > 0);
}

#[test]
fn nobody_leaves_insurance_at_night_past_payouts_above_the_reserves() {
    let (mut world, trader) = at_the_cap(160);
    let provider = world.first_provider();
    let ticket = world.request(&provider, Pool::Insurance, 1_000_000_000).unwrap();
    for _ in 0..14 {
        world.run(86_400, 3_600);
    }
    // After the close of that day.
    world.run(7 * 3_600, 3_600);
    let market = world.markets[0];
    world.crank(&market).unwrap();
    let execute = instruction::execute_withdrawal(&provider.owner, &world.vault, &ticket, &world.markets);
    let marked = [instruction::mark_market(&market), execute];
    assert_eq!(world.chain.send(&marked).unwrap_err().name(), "MarkAtBounds");
    // By day it counts what the call is worth above its reserve.
    world.run(17 * 3_600, 3_600);
    let before = world.ledgers().insurance;
    let above = world.market(0).mark.above_reserve.0;
    world.chain.send(&marked).unwrap();
    let mark = world.market(0).mark;
    assert!(mark.above_reserve.0 > 1_000 * ONE && above == 0, "{mark:?}");
    let fair = u128::from(before.assets.0 - mark.above_reserve.0) * 1_000_000_000 / u128::from(before.shares.0);
    let paid = u128::from(world.ledgers().payable.0);
    assert!(paid <= fair && paid > fair * 98 / 100, "paid {paid} of {fair}");
    world.crank(&market).unwrap();
    settle(&mut world, &trader);
}
