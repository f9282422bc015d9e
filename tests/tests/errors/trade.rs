//! Orders that are refused.

use perpetua_client::instruction;
use perpetua_tests::{
    World,
    token::ONE,
    world::{Outcome, call, put},
};

/// An order of a rich trader in a fresh world.
fn open(series: perpetua_client::instruction::Series, size: u64, max_cost: u64) -> Outcome {
    let mut world = World::new();
    let trader = world.trader("trader", 5_000 * ONE);
    world.open_in(&trader, 0, series, size, max_cost)
}

/// Closes `size` of a position of 10,000 for at least `least`.
fn close(size: u64, least: u64) -> Outcome {
    let mut world = World::new();
    let trader = world.trader("trader", 50 * ONE);
    world.open(&trader, call(0), 10_000).unwrap();
    world.close_in(&trader, 0, call(0), size, least)
}

refusals! {
    a_strike_29_ticks_from_the_money_is_refused: TickTooFar = open(call(29), 10_000, u64::MAX);
    the_highest_tick_is_refused: TickTooFar = open(call(i16::MAX), 10_000, u64::MAX);
    the_lowest_tick_is_refused: TickTooFar = open(put(i16::MIN), 10_000, u64::MAX);
    an_option_whose_cap_a_recent_price_reaches_is_refused: PriceTouchesCap = {
        let mut world = World::new();
        let trader = world.trader("trader", 50 * ONE);
        world.spot[0] = 108_000;
        world.chain.wait(60);
        world.crank_first().unwrap();
        world.chain.wait(5);
        world.spot[0] = 100_000;
        world.open(&trader, call(-28), 10_000)
    };
    an_option_worth_next_to_nothing_is_refused: OptionTooCheap = open(put(-28), 10_000, u64::MAX);
    a_slot_in_use_is_not_taken_over: SlotOccupied = {
        let mut world = World::new();
        let trader = world.trader("trader", 50 * ONE);
        world.open(&trader, call(20), 10_000).unwrap();
        world.chain.wait(90);
        world.spot[0] = 78_000;
        // Tick -44 lives in the slot of tick 20.
        world.open(&trader, call(-44), 10_000)
    };
    a_size_of_zero_is_refused: SizeTooSmall = open(call(0), 0, u64::MAX);
    a_size_below_the_minimum_is_refused: SizeTooSmall = open(call(0), 99, u64::MAX);
    the_largest_size_is_refused: SizeTooLarge = open(call(0), u64::MAX, u64::MAX);
    a_size_of_two_to_the_fortieth_is_refused: SizeTooLarge = open(call(0), 1 << 40, u64::MAX);
    a_cost_above_the_limit_is_refused: CostAboveLimit = open(call(0), 1_000_000, 1_000);
    a_size_that_reserves_more_than_the_pool_is_refused: UtilisationTooHigh = open(call(0), 200_000_000, u64::MAX);
    a_tenth_of_the_pool_is_the_most_for_a_series: SeriesLimitReached = open(call(0), 17_000_000, u64::MAX);
    half_of_the_pool_is_the_most_for_a_side: SideLimitReached = {
        let mut world = World::new();
        let trader = world.trader("trader", 9_000 * ONE);
        for tick in 0..5 {
            world.open(&trader, call(tick), 14_900_000).unwrap();
        }
        world.open(&trader, call(5), 14_900_000)
    };
    the_queue_to_leave_lowers_what_can_be_reserved: UtilisationTooHigh = {
        let mut world = World::new();
        let trader = world.trader("trader", 9_000 * ONE);
        let provider = world.provider("first provider", world.vault, 0);
        let shares = perpetua_tests::token::balance(&world.chain, &provider.shares[0]);
        world.request(&provider, perpetua::Pool::Main, shares / 100 * 99).unwrap();
        world.open(&trader, call(0), 14_000_000)
    };
    closing_nothing_is_refused: SizeTooSmall = close(0, 0);
    closing_all_but_dust_is_refused: SizeTooSmall = close(9_950, 0);
    closing_more_than_is_held_is_refused: SizeTooLarge = close(10_001, 0);
    closing_the_largest_size_is_refused: SizeTooLarge = close(u64::MAX, 0);
    proceeds_below_the_limit_are_refused: ProceedsBelowLimit = close(10_000, u64::MAX);
    a_position_that_is_not_held_cannot_be_closed: PositionNotFound = {
        let mut world = World::new();
        let trader = world.trader("trader", 50 * ONE);
        world.open(&trader, call(0), 10_000).unwrap();
        world.close(&trader, put(0), 10_000)
    };
    a_seventeenth_position_is_refused: NoFreePosition = {
        let mut world = World::new();
        let trader = world.trader("trader", 500 * ONE);
        for tick in -8..8 {
            world.open(&trader, call(tick), 10_000).unwrap();
        }
        world.open(&trader, call(8), 10_000)
    };
    a_premium_that_collateral_does_not_cover_is_refused: InsufficientCollateral = {
        let mut world = World::new();
        let trader = world.trader("trader", ONE / 100);
        world.open(&trader, call(0), 1_000_000)
    };
    opening_needs_the_initial_margin_after_the_cost: BelowInitialMargin = {
        let mut world = World::new();
        let trader = world.trader("trader", 100 * ONE);
        let mut twin = world.clone();
        twin.open(&trader, call(0), 1_000_000).unwrap();
        let cost = 100 * ONE - twin.margin(&trader).collateral.0;
        let poor = world.trader("poor", cost + ONE / 100);
        world.open(&poor, call(0), 1_000_000)
    };
    a_position_below_its_cap_cannot_be_settled: NotCapped = {
        let mut world = World::new();
        let trader = world.trader("trader", 50 * ONE);
        world.open(&trader, call(0), 10_000).unwrap();
        world.crank_first().unwrap();
        let settle = instruction::settle_capped(&world.vault, &trader.account, &world.markets[0], call(0));
        world.chain.send(&[settle])
    };
    a_position_near_the_money_cannot_be_retired: NotFar = {
        let mut world = World::new();
        let trader = world.trader("trader", 50 * ONE);
        world.open(&trader, call(0), 10_000).unwrap();
        world.crank_first().unwrap();
        let retire = instruction::retire_far(&world.vault, &trader.account, &world.markets[0], call(0));
        world.chain.send(&[retire])
    };
}
