//! Shortages, losses, repayments and claims that are not there, or not yet.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    World,
    scenes::with_claim,
    token::{self, ONE},
    world::{Outcome, call},
};

/// The vault's tokens but `left`, seized.
fn seized_to(world: &mut World, left: u64) -> u64 {
    let tokens = world.vault.tokens();
    let amount = token::balance(&world.chain, &tokens) - left;
    token::seize(&mut world.chain, &tokens, amount);
    amount
}

/// Seizes the vault's tokens but `left`, waits and recognises the loss.
fn lose_all_but(world: &mut World, left: u64) -> Outcome {
    seized_to(world, left);
    world.chain.send_while_short(&[instruction::note_shortage(&world.vault)])?;
    world.chain.wait(48 * 3_600);
    world.chain.send_while_short(&[instruction::recognise_loss(&world.vault)])
}

refusals! {
    a_loss_that_is_none_is_not_recognised: NotShort = {
        let mut world = World::new();
        world.chain.send(&[instruction::recognise_loss(&world.vault)])
    };
    a_loss_is_not_recognised_when_it_is_first_seen: LossNotDue = {
        let mut world = World::new();
        seized_to(&mut world, ONE);
        world.chain.wait(100 * 3_600);
        world.chain.send_while_short(&[instruction::recognise_loss(&world.vault)])
    };
    a_loss_is_not_recognised_a_second_early: LossNotDue = {
        let mut world = World::new();
        seized_to(&mut world, ONE);
        world.chain.send_while_short(&[instruction::note_shortage(&world.vault)]).unwrap();
        world.chain.wait(48 * 3_600 - 1);
        world.chain.send_while_short(&[instruction::recognise_loss(&world.vault)])
    };
    a_shortage_that_ended_in_between_starts_anew: LossNotDue = {
        let mut world = World::new();
        let (tokens, note) = (world.vault.tokens(), instruction::note_shortage(&world.vault));
        let amount = seized_to(&mut world, ONE);
        world.chain.send_while_short(std::slice::from_ref(&note)).unwrap();
        token::give_back(&mut world.chain, &tokens, amount);
        world.chain.wait(40 * 3_600);
        world.chain.send(std::slice::from_ref(&note)).unwrap();
        seized_to(&mut world, ONE);
        world.chain.send_while_short(&[note]).unwrap();
        world.chain.wait(47 * 3_600);
        world.chain.send_while_short(&[instruction::recognise_loss(&world.vault)])
    };
    a_fifth_loss_of_margin_is_refused: TooManyLosses = {
        let mut world = World::new();
        world.trader("trader", 100 * ONE);
        for left in [80, 60, 40, 20] {
            lose_all_but(&mut world, left * ONE).unwrap();
        }
        lose_all_but(&mut world, 10 * ONE)
    };
    nothing_is_repaid_without_a_loss: NothingToRepay = {
        let mut world = World::new();
        let tokens = world.vault.tokens();
        token::give_back(&mut world.chain, &tokens, ONE);
        world.chain.send(&[instruction::repay_losses(&world.vault)])
    };
    nothing_is_repaid_without_tokens: NothingToRepay = {
        let mut world = World::new();
        lose_all_but(&mut world, ONE).unwrap();
        world.chain.send(&[instruction::repay_losses(&world.vault)])
    };
    no_claims_are_served_where_there_are_none: NothingToCollect = {
        let mut world = World::new();
        world.chain.send(&[instruction::serve_claims(&world.vault)])
    };
    nobody_forces_a_claim_on_the_owner_of_a_position: PayoutUncovered = {
        let mut world = World::with_dollar_market(0);
        let trader = world.trader("trader", 500 * ONE);
        world.open(&trader, call(0), 8_000_000).unwrap();
        world.leap(160_000, 160);
        let settle = instruction::settle_capped(&world.vault, &trader.account, &world.markets[0], call(0));
        world.chain.send(&[settle])
    };
    nobody_joins_insurance_while_claims_are_open: ClaimsOpen = {
        let (mut world, _) = with_claim();
        let provider = world.provider("second provider", world.vault, 10 * ONE);
        let markets = world.markets.clone();
        world.mark(&markets).unwrap();
        let join = world.join(&provider, &markets, Pool::Insurance, ONE, 0);
        world.chain.send(&[join])
    };
}
