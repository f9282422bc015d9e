//! Tokens that are missing: what the issuer seized, who bears it, and how it is repaid.

use perpetua::Pool;
use perpetua_client::{
    event::Event,
    instruction::{self, VaultKeys},
};
use perpetua_tests::{
    Trader, World, scenes,
    token::{self, ONE},
    world::{INSURANCE_POOL, MAIN_POOL, Outcome, call},
};

const TWO_DAYS: i64 = 48 * 3_600;

/// Takes tokens out of the vault by force.
fn seize(world: &mut World, amount: u64) {
    let tokens = world.vault.tokens();
    token::seize(&mut world.chain, &tokens, amount);
}

/// Seizes tokens, and recognises the loss after its time; returns what protocol, insurance, main pool and margin lost.
fn lose(world: &mut World, amount: u64) -> [u64; 4] {
    seize(world, amount);
    world.chain.send_while_short(&[instruction::note_shortage(&world.vault)]).unwrap();
    world.chain.wait(TWO_DAYS);
    parts(&world.chain.send(&[instruction::recognise_loss(&world.vault)]))
}

/// Gives tokens back, and repays losses with them.
fn repay(world: &mut World, amount: u64) -> [u64; 4] {
    let tokens = world.vault.tokens();
    token::give_back(&mut world.chain, &tokens, amount);
    parts(&world.chain.send(&[instruction::repay_losses(&world.vault)]))
}

fn parts(outcome: &Outcome) -> [u64; 4] {
    match outcome.as_ref().unwrap().events[..] {
        [Event::LossRecognised(ref event)] => event.parts,
        [Event::LossesRepaid(ref event)] => event.parts,
        ref other => panic!("{other:?}"),
    }
}

fn sync(world: &mut World, trader: &Trader) -> u64 {
    world.chain.send(&[instruction::sync_account(&world.vault, &trader.account)]).unwrap();
    world.margin(trader).collateral.0
}

/// A world with fees, and with traders who hold 60 and 20 tokens of collateral.
fn traders() -> (World, Trader, Trader) {
    let mut world = World::new();
    let (rich, poor) = (world.trader("rich", 60 * ONE), world.trader("poor", 20 * ONE));
    let other = world.trader("other", 50 * ONE);
    world.open(&other, call(0), 100_000).unwrap();
    world.close(&other, call(0), 100_000).unwrap();
    let left = world.margin(&other).collateral.0;
    world.withdraw(&other, left).unwrap();
    assert!(world.ledgers().protocol_fees.0 > 0);
    (world, rich, poor)
}

#[test]
fn a_seizure_stops_new_risk_and_withdrawals_at_once_and_closing_goes_on() {
    let mut world = World::new();
    let trader = world.trader("trader", 60 * ONE);
    world.open(&trader, call(0), 100_000).unwrap();
    let provider = world.provider("second provider", world.vault, 10 * ONE);
    let first = world.first_provider();
    let ticket = world.request(&first, Pool::Main, 1_000_000_000).unwrap();
    world.chain.wait(3 * 86_400);
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    let keys = world.vault;
    let refused = [
        world.open_instruction(&trader, 0, call(0), 1_000, u64::MAX),
        instruction::withdraw(&trader.owner, &keys, &trader.account, &trader.tokens, &markets, 1_000),
        instruction::deposit(&trader.owner, &keys, &trader.account, &trader.tokens, 1_000),
        world.join(&provider, &markets, Pool::Main, ONE, 0),
        instruction::execute_withdrawal(&provider.owner, &keys, &ticket, &markets),
    ];
    for instruction in &refused {
        world.clone().chain.send(std::slice::from_ref(instruction)).expect("it works before the seizure");
    }
    seize(&mut world, 1);
    for instruction in refused {
        assert_eq!(world.chain.send_while_short(&[instruction]).unwrap_err().name(), "VaultShort");
    }
    let close = instruction::close_position(&trader.owner, &keys, &trader.account, &markets[0], call(0), 1_000, 0);
    world.chain.send_while_short(&[close]).unwrap();
}

#[test]
fn what_settles_in_the_ledgers_goes_on_while_tokens_are_missing_paused_or_frozen() {
    let names = ["crank_funding", "mark_market", "close_position", "settle_capped", "retire_far", "settle_abandoned"];
    let names = [&names[..], &["liquidate", "settle_funding", "request_withdrawal", "cancel_withdrawal"]].concat();
    let states: [fn(&mut World); 3] = [
        |world| seize(world, ONE),
        |world| {
            let mint = world.vault.stock_mint;
            token::pause(&mut world.chain, &mint, true);
        },
        |world| {
            let tokens = world.vault.tokens();
            token::freeze(&mut world.chain, &tokens, true);
        },
    ];
    let mut seen = std::collections::BTreeSet::new();
    for scene in scenes::all().into_iter().filter(|scene| names.contains(&scene.name)) {
        for (place, state) in states.iter().enumerate() {
            let mut world = scene.world.clone();
            state(&mut world);
            let outcome = world.chain.send_while_short(std::slice::from_ref(&scene.instruction));
            outcome.unwrap_or_else(|refusal| panic!("{} in state {place}: {}", scene.name, refusal.name()));
        }
        seen.insert(scene.name);
    }
    assert_eq!(seen.len(), names.len());
}

#[test]
fn fees_lose_first_then_insurance_then_the_main_pool_then_margin() {
    let (world, ..) = traders();
    let books = world.ledgers();
    let layers = [books.protocol_fees.0, books.insurance.assets.0, books.main.assets.0, books.margin.0];
    let mut reach = 0;
    for (place, layer) in layers.into_iter().enumerate() {
        // To the middle of this layer.
        let amount = reach + layer / 2;
        reach += layer;
        let mut expected = [0; 4];
        expected[..place].copy_from_slice(&layers[..place]);
        expected[place] = layer / 2;
        let mut world = world.clone();
        assert_eq!(lose(&mut world, amount), expected);
        let after = world.ledgers();
        let left = [after.protocol_fees.0, after.insurance.assets.0, after.main.assets.0, after.margin.0];
        assert_eq!([0, 1, 2, 3].map(|place| layers[place] - left[place]), expected);
    }
}

#[test]
fn margin_is_cut_by_one_fraction_for_all_rounded_down() {
    let (mut world, rich, poor) = traders();
    let books = world.ledgers();
    let pools = books.protocol_fees.0 + books.insurance.assets.0 + books.main.assets.0;
    // A third of 80 tokens of margin.
    let lost = 80 * ONE / 3;
    assert_eq!(lose(&mut world, pools + lost)[3], lost);
    let kept = |collateral: u64| {
        let exact = u128::from(collateral) * u128::from(80 * ONE - lost) / u128::from(80 * ONE);
        u64::try_from(exact).unwrap()
    };
    assert_eq!(sync(&mut world, &rich), kept(60 * ONE));
    assert_eq!(sync(&mut world, &rich), kept(60 * ONE), "once");
    // Whatever touches an account does the same.
    world.withdraw(&poor, 1).unwrap();
    assert_eq!(world.margin(&poor).collateral.0, kept(20 * ONE) - 1);
    // A newcomer bears nothing of it.
    let newcomer = world.trader("newcomer", 10 * ONE);
    assert_eq!(sync(&mut world, &newcomer), 10 * ONE);
}

#[test]
fn tokens_that_come_back_repay_in_reverse() {
    let (mut world, rich, poor) = traders();
    let before = world.ledgers();
    let pools = before.protocol_fees.0 + before.insurance.assets.0 + before.main.assets.0;
    let lost = 40 * ONE;
    lose(&mut world, pools + lost);
    sync(&mut world, &rich);
    assert_eq!(repay(&mut world, 30 * ONE), [0, 0, 0, 30 * ONE]);
    assert_eq!(sync(&mut world, &rich), 30 * ONE + 30 * ONE * 3 / 4);
    assert_eq!(repay(&mut world, 110 * ONE), [0, 0, 100 * ONE, 10 * ONE]);
    assert_eq!((sync(&mut world, &rich), sync(&mut world, &poor)), (60 * ONE, 20 * ONE));
    let rest = pools - 100 * ONE;
    let main = before.main.assets.0 - 100 * ONE;
    // Ten tokens more than were lost stay nobody's.
    assert_eq!(repay(&mut world, rest + 10 * ONE), [before.protocol_fees.0, before.insurance.assets.0, main, 0]);
    let after = world.ledgers();
    assert_eq!((after.protocol_fees, after.margin), (before.protocol_fees, before.margin));
    assert_eq!((after.main.assets, after.insurance.assets), (before.main.assets, before.insurance.assets));
    assert_eq!(after.lost, perpetua_model::Loss::default());
    let again = world.chain.send(&[instruction::repay_losses(&world.vault)]);
    assert_eq!(again.unwrap_err().name(), "NothingToRepay");
}

#[test]
fn two_losses_and_a_repayment_between_them_leave_every_account_its_part() {
    let (mut world, rich, poor) = traders();
    let before = world.ledgers();
    let pools = before.protocol_fees.0 + before.insurance.assets.0 + before.main.assets.0;
    lose(&mut world, pools + 40 * ONE);
    repay(&mut world, 20 * ONE);
    lose(&mut world, 30 * ONE);
    // One synced after each event, the other only now: both keep the same fraction.
    let (rich, poor) = (sync(&mut world, &rich), sync(&mut world, &poor));
    assert!(rich.abs_diff(3 * poor) <= 6, "{rich} of 60, {poor} of 20");
    assert!((30 * ONE - 4..=30 * ONE).contains(&(rich + poor)), "{} of 80", rich + poor);
}

#[test]
fn payouts_shrink_with_the_main_pool_once_it_is_smaller_than_what_it_reserved() {
    let payout = |seized: u64| {
        let mut world = World::new();
        let trader = world.trader("trader", 500 * ONE);
        // Deep in the money, so that it is worth its cap of 50,000 dollars at 160,000.
        world.open(&trader, call(0), 8_000_000).unwrap();
        if seized > 0 {
            lose(&mut world, seized);
        }
        world.spot[0] = 160_000;
        for _ in 0..2 {
            world.chain.wait(150);
            world.crank_first().unwrap();
        }
        let books = world.ledgers();
        let settle = instruction::settle_capped(&world.vault, &trader.account, &world.markets[0], call(0));
        if seized > 0 {
            // Whether to take a part is the owner's to decide.
            assert_eq!(world.chain.send(&[settle]).unwrap_err().name(), "PayoutUncovered");
        } else {
            world.clone().chain.send(&[settle]).unwrap();
        }
        let Trader { owner, vault, account, .. } = trader;
        let close = instruction::close_position(&owner, &vault, &account, &world.markets[0], call(0), 8_000_000, 0);
        let done = world.chain.send(&[close]).unwrap();
        let [Event::PositionClosed(closed)] = done.events[..] else { panic!("{:?}", done.events) };
        assert_eq!((closed.from_insurance, closed.claimed), (0, 0));
        (closed.payout, books.main.assets.0, books.reserves.0)
    };
    let (whole, _, reserves) = payout(0);
    assert_eq!((whole, reserves), (1_000 * ONE, 1_000 * ONE));
    let fees_and_insurance = INSURANCE_POOL + 20 * ONE;
    let (cut, assets, reserves) = payout(fees_and_insurance + MAIN_POOL - 600 * ONE);
    assert_eq!(reserves, 1_000 * ONE);
    assert!(assets < 700 * ONE, "{assets}");
    assert_eq!(u128::from(cut), u128::from(whole) * u128::from(assets) / u128::from(reserves));
}

#[test]
fn what_falls_on_withdrawals_executed_stays_short() {
    let mut world = World::new();
    let provider = world.first_provider();
    let ticket = world.request(&provider, Pool::Main, 100_000_000_000).unwrap();
    world.chain.wait(3 * 86_400);
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    world.chain.send(&[instruction::execute_withdrawal(&provider.owner, &world.vault, &ticket, &markets)]).unwrap();
    let payable = world.ledgers().payable.0;
    assert!(payable > 0);
    let balance = token::balance(&world.chain, &world.vault.tokens());
    seize(&mut world, balance - 1);
    world.chain.send_while_short(&[instruction::note_shortage(&world.vault)]).unwrap();
    world.chain.wait(TWO_DAYS);
    world.chain.send_while_short(&[instruction::recognise_loss(&world.vault)]).unwrap();
    assert_eq!(world.ledgers().payable.0, payable);
    let claim = instruction::claim_withdrawal(&provider.owner, &world.vault, &ticket, &provider.tokens);
    assert_eq!(world.chain.send_while_short(&[claim]).unwrap_err().name(), "VaultShort");
}

#[test]
fn a_loss_in_one_vault_is_no_business_of_another() {
    let mut world = World::new();
    let (other, _) = world.add_spl_vault();
    let books = |world: &World, vault: VaultKeys| world.chain.account(&vault.vault).data;
    let before = books(&world, other);
    lose(&mut world, MAIN_POOL);
    assert_eq!(books(&world, other), before);
}
