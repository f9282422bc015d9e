//! Which changes are refused, and when.

use perpetua::{GuardParameters, MarketParameters, NewParameters};
use perpetua_client::{
    address,
    instruction::{self, Changed},
};
use perpetua_tests::{
    World, actor,
    parameters::{guards, market_parameters},
    price::FEEDS,
    token::ONE,
    world::{Outcome, PRICES, call},
};

const DELAY: i64 = 48 * 3_600;
const WEEK: i64 = 7 * 86_400;

fn index() -> Changed {
    Changed::Index(address::index(&FEEDS[0]))
}

fn with_crank_age(max_age_crank: u32) -> NewParameters {
    NewParameters::Index(GuardParameters { max_age_crank, ..guards() })
}

fn propose(new: NewParameters, changed: impl FnOnce(&World) -> Changed) -> Outcome {
    let mut world = World::new();
    let propose = instruction::propose_change(&world.admin, &changed(&world), new);
    world.chain.send(&[propose])
}

/// A looser guard, proposed, and applied after `seconds`.
fn apply_after(seconds: i64, change: impl FnOnce(&mut World)) -> Outcome {
    let mut world = World::new();
    world.chain.send(&[instruction::propose_change(&world.admin, &index(), with_crank_age(90))])?;
    change(&mut world);
    world.chain.wait(seconds);
    let apply = instruction::apply_change(&world.admin, &index());
    world.chain.send(&[apply])
}

refusals! {
    what_positions_were_opened_under_cannot_change: ParameterNeverChanges = propose(
        NewParameters::Market(MarketParameters { period: 8 * 86_400, ..market_parameters(PRICES[0]) }),
        |world| Changed::Market(world.markets[0].market),
    );
    a_change_that_changes_nothing_is_refused: NothingToChange = propose(with_crank_age(60), |_| index());
    a_change_to_outside_the_bounds_is_refused: ParameterOutOfRange = propose(with_crank_age(301), |_| index());
    parameters_of_another_account_are_refused: WrongAccount =
        propose(with_crank_age(90), |world| Changed::Vault(world.vault.vault));
    only_the_administrator_proposes: Unauthorized = {
        let mut world = World::new();
        world.chain.fund(&world.guardian.clone());
        let propose = instruction::propose_change(&world.guardian, &index(), with_crank_age(90));
        world.chain.send(&[propose])
    };
    the_guardian_cannot_loosen_a_guard: ChangeMustWait = {
        let mut world = World::new();
        let loosen = instruction::tighten(&world.guardian, &index(), with_crank_age(90));
        world.chain.send(&[loosen])
    };
    a_stranger_cannot_tighten: Unauthorized = {
        let mut world = World::new();
        world.chain.send(&[instruction::tighten(&actor("thief"), &index(), with_crank_age(30))])
    };
    a_change_waits_for_two_days_to_the_second: ChangeNotReady = apply_after(DELAY - 1, |_| ());
    a_change_that_nobody_applied_for_a_week_expires: ChangeExpired = apply_after(DELAY + WEEK + 1, |_| ());
    a_tightening_makes_a_pending_loosening_void: ChangeOutdated = apply_after(DELAY, |world| {
        let tighten = instruction::tighten(&world.guardian, &index(), with_crank_age(30));
        world.chain.send(&[tighten]).unwrap();
    });
    a_stranger_cannot_cancel_a_change: Unauthorized = {
        let mut world = World::new();
        world.chain.send(&[instruction::propose_change(&world.admin, &index(), with_crank_age(90))]).unwrap();
        let cancel = instruction::cancel_change(&actor("thief"), &world.admin, &index());
        world.chain.send(&[cancel])
    };
    nobody_accepts_who_was_not_named: Unauthorized = {
        let mut world = World::new();
        world.chain.send(&[instruction::accept_admin(&actor("thief"))])
    };
    a_market_on_a_vault_with_lps_does_not_open_before_they_could_leave: MarketNotOpen = {
        let mut world = World::new();
        let trader = world.trader("trader", 100 * ONE);
        let market = world.create_market(world.vault, 1).unwrap();
        world.markets.push(market);
        world.open_in(&trader, 1, call(0), 1_000_000, u64::MAX)
    };
}
