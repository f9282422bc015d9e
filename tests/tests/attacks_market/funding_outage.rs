//! Making the time that one holds an option look like an outage of the feed, which is free, by posting updates seldom or only
//! some of them; and charging others for an outage. A known class: time that a program measures by when it was called.

use perpetua_tests::{
    World,
    attacker::{Search, advantage},
};

use crate::desk::*;

/// Three hours in which only the attacker posts, every `gap` seconds, true updates: each says that one came a second before.
fn seldom(world: &mut World, gap: i64) -> Result<(), perpetua_tests::Failure> {
    let end = world.chain.now() + 10_800;
    while world.chain.now() < end {
        let seconds = gap.min(end - world.chain.now());
        world.chain.wait(seconds);
        let now = world.chain.now();
        // At a mark the update before it is just before the mark: the feed publishes every second.
        let honest = update(world, SPOT, now);
        let crank = crank_of(world, "attacker's", &honest);
        world.chain.send(&[crank])?;
    }
    Ok(())
}

#[test]
fn posting_seldom_is_no_outage() {
    let (mut world, trader, attacker) = with_attacker(World::with_variance(1, 1 << 40));
    world.run(3_600, 300);
    let mut search = Search::default();
    for series in options(&[-12, -3, 0, 3, 12]) {
        for gap in [20, 150, 300, 600, 900, 1_800, 3_600] {
            let hold = |gap: i64| {
                move |world: &mut World| {
                    world.open(&trader, series, BITCOIN)?;
                    seldom(world, gap)?;
                    world.close(&trader, series, BITCOIN).map(drop)
                }
            };
            let earned = advantage(&world, &attacker, hold(gap), hold(60));
            search.note((series, gap), earned);
        }
    }
    search.assert_unprofitable(56);
}

/// An hour without any update is free for holders, whoever posts what comes after it and in which order.
#[test]
fn an_outage_is_never_charged_whichever_update_comes_first() {
    let (mut world, trader, _) = world_with_attacker();
    world.run(3_600, 300);
    world.open(&trader, perpetua_tests::world::call(0), BITCOIN).unwrap();
    let start = world.chain.now();
    world.chain.wait(3_600);
    let end = world.chain.now();
    let index = |world: &World| world.market(0).slots[0].series[0].funding_index.get();
    let before = index(&world);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
        let mut world = world.clone();
        world.chain.wait(3);
        for place in order {
            let mut posted = update(&world, SPOT, end + place);
            if place == 0 {
                posted.previous_publish_time = start;
            }
            let crank = crank_of(&mut world, "posted", &posted);
            world.chain.send(&[crank]).unwrap();
            let slot = world.chain.slot() + 1;
            world.chain.set_clock(end + 3, slot);
        }
        // What was charged before the first update proved the outage is taken off what comes after the grace.
        for _ in 0..60 {
            world.chain.wait(60);
            world.crank_first().unwrap();
        }
        let charged = index(&world) - before;
        let mut fair = world.clone();
        let since = index(&fair);
        for _ in 0..30 {
            fair.chain.wait(60);
            fair.crank_first().unwrap();
        }
        let half_hour = index(&fair) - since;
        assert!(charged <= 2 * half_hour + half_hour / 10, "{order:?}: {charged} against {half_hour} per half hour");
    }
}
