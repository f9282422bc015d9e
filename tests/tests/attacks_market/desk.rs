//! What every attack here uses: a rich attacker, the options to search, prices posted by hand.

use perpetua_client::{
    instruction::{self, Series},
    price::PriceAccount,
};
use perpetua_tests::{
    Failure, Trader, World, actor,
    attacker::Attacker,
    price,
    token::ONE,
    world::{call, put},
};
use solana_instruction::Instruction;

/// One index unit.
pub const BITCOIN: u64 = 1_000_000;
/// Dollars that the first index starts at.
pub const SPOT: i64 = 100_000;
/// Collateral that an attacker starts with.
pub const STAKE: u64 = 2_000 * ONE;

/// A world with one rich attacker who only trades.
pub fn world_with_attacker() -> (World, Trader, Attacker) {
    with_attacker(World::new())
}

/// The same in any world.
pub fn with_attacker(mut world: World) -> (World, Trader, Attacker) {
    let trader = world.trader("attacker", STAKE);
    (world, trader, Attacker::trading(&[trader]))
}

/// Calls and puts of the given ticks.
pub fn options(ticks: &[i16]) -> Vec<Series> {
    ticks.iter().flat_map(|tick| [call(*tick), put(*tick)]).collect()
}

/// `spot` moved by hundredths of a percent.
pub fn moved(spot: i64, bps: i64) -> i64 {
    spot + spot * bps / 10_000
}

/// An update of the first index at `dollars`, published at `published`, a second after the one before it.
pub fn update(world: &World, dollars: i64, published: i64) -> PriceAccount {
    PriceAccount {
        publish_time: published,
        previous_publish_time: published - 1,
        ..price::fresh(&world.chain, price::FEEDS[0], price::usd(dollars))
    }
}

/// Writes an update into a price account of the attacker's own and returns the crank that takes it in.
pub fn crank_of(world: &mut World, name: &str, update: &PriceAccount) -> Instruction {
    let address = actor(name);
    price::post(&mut world.chain, &address, update);
    instruction::crank_funding(&world.markets[0], Some(&address))
}

/// Closes in the first market, after nothing.
pub fn closing(world: &World, trader: &Trader, series: Series, size: u64) -> Instruction {
    instruction::close_position(&trader.owner, &trader.vault, &trader.account, &world.markets[0], series, size, 0)
}

/// Opens in the first market, after nothing.
pub fn opening(world: &World, trader: &Trader, series: Series, size: u64) -> Instruction {
    world.open_instruction(trader, 0, series, size, u64::MAX)
}

/// Lets prices of before fall out of the window, with cranks at the world's spot.
pub fn settle_down(world: &mut World) -> Result<(), Failure> {
    for _ in 0..2 {
        world.chain.wait(61);
        world.crank_first()?;
    }
    Ok(())
}
