//! Who may list and pause, and with which parameters.

use perpetua_client::instruction::{self, VaultKeys};
use perpetua_tests::{
    World, actor,
    parameters::{guards, market_parameters, vault_parameters},
    price::FEEDS,
    token,
    world::Outcome,
};

refusals! {
    only_the_upgrade_authority_can_initialize: Unauthorized = {
        let mut world = World::bare();
        let thief = actor("thief");
        world.chain.fund(&thief);
        world.chain.send(&[instruction::initialize_exchange(&thief, &thief, &thief)])
    };
    nobody_can_initialize_a_program_without_an_upgrade_authority: Unauthorized = {
        let mut world = World::bare();
        world.chain.set_upgrade_authority(None);
        world.initialize()
    };
    only_the_administrator_can_list_an_index: Unauthorized = {
        let mut world = World::new();
        let thief = actor("thief");
        world.chain.fund(&thief);
        world.chain.send(&[instruction::create_index(&thief, [3; 32], guards(), None)])
    };
    only_the_administrator_can_list_a_vault: Unauthorized = {
        let mut world = World::new();
        let (thief, mint) = (actor("thief"), actor("SPL mint"));
        world.chain.fund(&thief);
        token::create_spl(&mut world.chain, &mint);
        let vault = VaultKeys::new(mint, token::SPL_TOKEN);
        world.chain.send(&[instruction::create_vault(&thief, &vault, vault_parameters())])
    };
    only_the_administrator_can_list_a_market: Unauthorized = {
        let mut world = World::new();
        let thief = actor("thief");
        world.chain.fund(&thief);
        let market = world.vault.market(perpetua_client::address::index(&FEEDS[1]));
        world.chain.send(&[instruction::create_market(&thief, &world.vault, &market, market_parameters(4_000))])
    };
    a_stranger_cannot_pause: Unauthorized = {
        let mut world = World::new();
        world.chain.send(&[instruction::set_opening_paused(&actor("thief"), true)])
    };
    the_guardian_cannot_resume: Unauthorized = {
        let mut world = World::new();
        world.chain.send(&[instruction::set_opening_paused(&world.guardian, true)]).unwrap();
        world.chain.send(&[instruction::set_opening_paused(&world.guardian, false)])
    };
    guards_outside_the_bounds_are_refused: ParameterOutOfRange = {
        let mut world = World::new();
        let wrong = perpetua::GuardParameters { max_age_trade: 9, ..guards() };
        world.chain.send(&[instruction::create_index(&world.admin, [3; 32], wrong, None)])
    };
    a_declared_variance_outside_the_bounds_is_refused: ParameterOutOfRange = {
        let mut world = World::new();
        world.chain.send(&[instruction::create_index(&world.admin, [3; 32], guards(), Some(u64::MAX))])
    };
    a_put_that_could_pay_its_whole_strike_is_refused: ParameterOutOfRange = {
        let mut world = World::new();
        let mut wrong = market_parameters(4_000);
        wrong.cap_bps.put = 10_000;
        let market = world.vault.market(perpetua_client::address::index(&FEEDS[1]));
        world.chain.send(&[instruction::create_market(&world.admin, &world.vault, &market, wrong)])
    };
    a_fifth_market_is_refused: TooManyMarkets = {
        let mut world = World::with_markets(4);
        world.chain.send(&[instruction::create_index(&world.admin, [3; 32], guards(), Some(1 << 47))]).unwrap();
        let market = world.vault.market(perpetua_client::address::index(&[3; 32]));
        world.chain.send(&[instruction::create_market(&world.admin, &world.vault, &market, market_parameters(4_000))])
    };
    a_market_of_another_vault_is_refused: WrongAccount = {
        let mut world = World::new();
        let trader = world.trader("trader", token::ONE);
        let (other, markets) = world.add_spl_vault();
        world.crank(&markets[0]).unwrap();
        let mixed = VaultKeys { vault: world.vault.vault, ..other };
        let settle = instruction::settle_capped(&mixed, &trader.account, &markets[0], perpetua_tests::world::call(0));
        world.chain.send(&[settle])
    };
    fees_cannot_be_collected_where_there_are_none: NothingToCollect = {
        let mut world = World::new();
        let (mint, program) = (world.vault.stock_mint, world.vault.token_program);
        let recipient = world.fee_recipient;
        let destination = token::open(&mut world.chain, &recipient, &mint, &program);
        world.chain.send(&[instruction::collect_fees(&world.vault, &destination)])
    };
}

#[test]
fn nothing_can_be_initialized_or_listed_twice() {
    let mut world = World::new();
    let again: [Outcome; 4] = [
        world.initialize(),
        world.create_index(FEEDS[0]),
        world.create_vault(world.vault),
        world.create_market(world.vault, 0).map(|_| unreachable!()),
    ];
    for outcome in again {
        outcome.unwrap_err();
    }
}

#[test]
fn the_administrator_resumes_what_the_guardian_paused() {
    let mut world = World::new();
    world.chain.send(&[instruction::set_opening_paused(&world.guardian, true)]).unwrap();
    world.chain.send(&[instruction::set_opening_paused(&world.admin, false)]).unwrap();
    let trader = world.trader("trader", 10 * token::ONE);
    world.open(&trader, perpetua_tests::world::call(0), 10_000).unwrap();
}
