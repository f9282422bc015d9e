//! What margin accounts, keepers and collateral are refused.

use perpetua_client::instruction;
use perpetua_tests::{
    Trader, World,
    price::usd,
    token::ONE,
    world::{Outcome, call},
};

/// A world with a trader who holds a position.
fn holding() -> (World, Trader) {
    let mut world = World::new();
    let trader = world.trader("trader", 50 * ONE);
    world.open(&trader, call(0), 1_000_000).unwrap();
    (world, trader)
}

fn liquidate(world: &mut World, trader: &Trader, keeper: &Trader) -> Outcome {
    let liquidate =
        instruction::liquidate(&keeper.owner, &world.vault, &trader.account, &keeper.account, &world.markets);
    world.chain.send(&[liquidate])
}

refusals! {
    more_collateral_than_there_is_cannot_be_withdrawn: InsufficientCollateral = {
        let mut world = World::new();
        let trader = world.trader("trader", ONE);
        world.withdraw(&trader, ONE + 1)
    };
    the_largest_amount_cannot_be_withdrawn: InsufficientCollateral = {
        let mut world = World::new();
        let trader = world.trader("trader", ONE);
        world.withdraw(&trader, u64::MAX)
    };
    collateral_that_the_margin_needs_cannot_be_withdrawn: BelowInitialMargin = {
        let (mut world, trader) = holding();
        let all = world.margin(&trader).collateral.0;
        world.withdraw(&trader, all)
    };
    a_stale_index_cannot_hide_debt_from_a_withdrawal: BelowInitialMargin = {
        let (mut world, trader) = holding();
        // All but what the margin needs now; a day without a crank needs more.
        let free = world.margin(&trader).collateral.0 - 12 * ONE;
        world.clone().withdraw(&trader, free).unwrap();
        world.chain.wait(30 * 86_400);
        world.withdraw(&trader, free)
    };
    withdrawing_without_the_markets_in_use_is_refused: MarketMissing = {
        let (mut world, trader) = holding();
        let withdraw =
            instruction::withdraw(&trader.owner, &world.vault, &trader.account, &trader.tokens, [], 1);
        world.chain.send(&[withdraw])
    };
    settling_funding_without_the_markets_in_use_is_refused: MarketMissing = {
        let (mut world, trader) = holding();
        world.chain.send(&[instruction::settle_funding(&world.vault, &trader.account, [])])
    };
    withdrawing_while_spot_is_far_from_its_average_is_refused: PriceFarFromAverage = {
        let (mut world, trader) = holding();
        world.chain.wait(30);
        let mut price = world.price(0);
        price.average = usd(94_000);
        world.post(0, &price);
        let crank = world.crank_instruction(&world.markets[0]);
        world.chain.send(&[crank]).unwrap();
        world.withdraw(&trader, 1)
    };
    withdrawing_while_tokens_are_missing_is_refused: VaultShort = {
        let (mut world, trader) = holding();
        let tokens = world.vault.tokens();
        perpetua_tests::token::seize(&mut world.chain, &tokens, 1);
        world.withdraw(&trader, 1)
    };
    depositing_nothing_is_refused: AmountZero = {
        let mut world = World::new();
        let trader = world.trader("trader", ONE);
        world.deposit(&trader, 0)
    };
    withdrawing_nothing_is_refused: AmountZero = {
        let mut world = World::new();
        let trader = world.trader("trader", ONE);
        world.withdraw(&trader, 0)
    };
    an_account_with_collateral_cannot_be_closed: AccountNotEmpty = {
        let mut world = World::new();
        let trader = world.trader("trader", ONE);
        world.chain.send(&[instruction::close_account(&trader.owner, &trader.account)])
    };
    a_healthy_account_cannot_be_liquidated: AccountHealthy = {
        let (mut world, trader) = holding();
        let keeper = world.trader("keeper", 0);
        liquidate(&mut world, &trader, &keeper)
    };
    an_account_without_positions_cannot_be_liquidated: AccountHealthy = {
        let mut world = World::new();
        let (trader, keeper) = (world.trader("trader", 0), world.trader("keeper", 0));
        liquidate(&mut world, &trader, &keeper)
    };
    liquidating_needs_every_market_cranked_in_the_slot: MarketNotAccrued = {
        let (mut world, trader) = holding();
        let keeper = world.trader("keeper", 0);
        world.chain.wait(1);
        liquidate(&mut world, &trader, &keeper)
    };
    a_keeper_cannot_be_paid_into_the_account_he_liquidates: SameAccount = {
        let (mut world, trader) = holding();
        world.crank_first().unwrap();
        liquidate(&mut world, &trader, &trader)
    };
    liquidation_waits_for_half_an_hour_after_a_long_outage: RecoveringFromOutage = {
        let (mut world, trader) = holding();
        let keeper = world.trader("keeper", 0);
        world.chain.wait(900);
        let mut price = world.price(0);
        price.previous_publish_time = world.chain.now() - 900;
        world.post(0, &price);
        let crank = world.crank_instruction(&world.markets[0]);
        world.chain.send(&[crank]).unwrap();
        liquidate(&mut world, &trader, &keeper)
    };
    there_is_no_funding_to_settle_right_after_opening: NothingToCollect = {
        let (mut world, trader) = holding();
        let settle = instruction::settle_funding(&world.vault, &trader.account, &world.markets);
        world.chain.send(&[settle])
    };
}
