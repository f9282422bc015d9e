//! Being first when tokens are missing, and being there when they come back.
//!
//! Drift, May 2022 (the first to leave emptied the vault for the others): profits were paid out before losses were known. Here the
//! vault stops by itself when its tokens do not cover its ledgers; who joins later pays for what may be repaid.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    World,
    attacker::{Attacker, Search},
    token::{self, ONE},
    world::call,
};

use super::lp::{claim, execute_instruction, join, pass, shares};

const TWO_DAYS: i64 = 48 * 3_600;

fn seize(world: &mut World, amount: u64) {
    let tokens = world.vault.tokens();
    token::seize(&mut world.chain, &tokens, amount);
}

#[test]
fn nobody_runs_between_a_seizure_and_its_recognition() {
    let mut world = World::new();
    let (trader, lp) = (world.trader("runner", 50 * ONE), world.provider("runner", world.vault, 1_000 * ONE));
    join(&mut world, &lp, Pool::Main, 500 * ONE).unwrap();
    let half = shares(&world, &lp, Pool::Main) / 2;
    let paid = world.request(&lp, Pool::Main, half).unwrap();
    let ready = world.request(&lp, Pool::Main, half / 2).unwrap();
    pass(&mut world, 3 * 86_400);
    super::lp::execute(&mut world, &lp.owner, &paid).unwrap();
    seize(&mut world, ONE);
    // Before anybody noted it, and after.
    for note in [false, true] {
        if note {
            world.chain.send_while_short(&[instruction::note_shortage(&world.vault)]).unwrap();
        }
        let markets = world.markets.clone();
        let run = [
            instruction::withdraw(&trader.owner, &world.vault, &trader.account, &trader.tokens, &markets, ONE),
            instruction::claim_withdrawal(&lp.owner, &world.vault, &paid, &lp.tokens),
            execute_instruction(&world, &lp.owner, &ready),
        ];
        let mark = instruction::mark_market(&markets[0]);
        for instruction in run {
            let refused = world.chain.send_while_short(&[mark.clone(), instruction]).unwrap_err();
            assert_eq!(refused.name(), "VaultShort");
        }
    }
    // What was executed before is paid in full once the loss is recognised.
    world.chain.wait(TWO_DAYS);
    world.chain.send(&[instruction::recognise_loss(&world.vault)]).unwrap();
    claim(&mut world, &lp, &paid).unwrap();
}

/// A trader whose options are worth much closes right after the seizure, or waits for the recognition like the others.
#[test]
fn closing_before_the_recognition_pays_no_more_than_after_it() {
    let payout = |seized: u64, after: bool| {
        let mut world = World::new();
        let (first, second) = (world.trader("first", 500 * ONE), world.trader("second", 500 * ONE));
        world.open(&first, call(0), 8_000_000).unwrap();
        world.open(&second, call(0), 8_000_000).unwrap();
        world.leap(160_000, 400);
        seize(&mut world, seized);
        world.chain.send_while_short(&[instruction::note_shortage(&world.vault)]).unwrap();
        if after {
            world.chain.wait(TWO_DAYS);
            world.chain.send(&[instruction::recognise_loss(&world.vault)]).unwrap();
            world.leap(160_000, 400);
        }
        let held = world.margin(&first).collateral.0;
        let close = instruction::close_position(
            &first.owner,
            &world.vault,
            &first.account,
            &world.markets[0],
            call(0),
            8_000_000,
            0,
        );
        world.chain.send_while_short(&[close]).unwrap();
        world.margin(&first).collateral.0 - held
    };
    for seized in [ONE, 2_000 * ONE, 20_500 * ONE, 21_500 * ONE] {
        // Funding of two days is less than two tokens here.
        let (before, after) = (payout(seized, false), payout(seized, true));
        assert!(before <= after + 20 * ONE, "{seized}: {before} before, {after} after");
    }
}

#[test]
fn who_joins_or_deposits_after_a_loss_has_no_part_in_its_repayment() {
    let mut search = Search::default();
    for seized in [1_000 * ONE, 5_000 * ONE, 15_000 * ONE] {
        for pool in [Pool::Main, Pool::Insurance] {
            for stake in [ONE, 1_000 * ONE, 10_000 * ONE] {
                let mut world = World::new();
                let (lp, trader) = (world.provider("newcomer", world.vault, stake), world.trader("newcomer", 0));
                let attacker = Attacker::new(&[trader], &[lp]);
                seize(&mut world, seized);
                world.chain.send_while_short(&[instruction::note_shortage(&world.vault)]).unwrap();
                world.chain.wait(TWO_DAYS);
                world.chain.send(&[instruction::recognise_loss(&world.vault)]).unwrap();
                let before = attacker.wealth(&world);
                if let Err(refusal) = join(&mut world, &lp, pool, stake) {
                    search.note((seized, pool, stake), Err(refusal.name()));
                    continue;
                }
                let tokens = world.vault.tokens();
                token::give_back(&mut world.chain, &tokens, seized);
                world.chain.send(&[instruction::repay_losses(&world.vault)]).unwrap();
                search.note((seized, pool, stake), Ok(attacker.cash_out(&mut world) - before));
            }
        }
    }
    search.assert_unprofitable(9);
}
