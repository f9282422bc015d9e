//! Scenes of a vault's stock and of its dollar market, which is the third.

use perpetua::ShortDay;
use perpetua_client::instruction;

use super::{Crowd, Scene, crowd, crowd_in, scene};
use crate::{
    World,
    parameters::{stock_parameters, stock_parameters_with_token_feed},
    stock::IN_SESSION,
    token::ONE,
    world::{call, put},
};

/// Number of the dollar market.
const DOLLAR: usize = 2;

pub(super) fn all() -> Vec<Scene> {
    [admin(), cranks(), trade(), keeper()].into_iter().flatten().collect()
}

/// The crowd with options of a dollar market.
fn dollar_crowd() -> Crowd {
    let mut crowd = crowd_in(World::with_stock(2, stock_parameters_with_token_feed()));
    for series in [call(3), put(3)] {
        crowd.world.open_in(&crowd.alice, DOLLAR, series, 100_000, u64::MAX).expect("a position");
    }
    crowd
}

fn admin() -> Vec<Scene> {
    let Crowd { world: without_stock, .. } = crowd();
    let world = World::with_dollar_market(0);
    let (admin, vault) = (world.admin, world.vault);
    let day = u16::try_from(IN_SESSION / 86_400).expect("a date of this century") + 1;
    let short = vec![ShortDay { day, close_minute: 780 }, ShortDay { day: day + 1, close_minute: 0 }];
    let create = instruction::create_stock(&admin, &vault, stock_parameters());
    vec![
        scene("create_stock", names!("admin exchange vault stock_mint stock system_program"), without_stock, create),
        scene(
            "shorten_sessions",
            names!("admin exchange vault stock"),
            world.clone(),
            instruction::shorten_sessions(&admin, &vault, short),
        ),
        scene(
            "acknowledge_multiplier",
            names!("admin exchange vault stock"),
            world,
            instruction::acknowledge_multiplier(&admin, &vault, 3f64.to_bits()),
        ),
    ]
}

fn cranks() -> Vec<Scene> {
    let Crowd { mut world, .. } = dollar_crowd();
    world.chain.wait(10);
    world.post_stock();
    let crank_stock = world.crank_stock_instruction();
    let before_stock = world.clone();
    world.chain.send(std::slice::from_ref(&crank_stock)).expect("fresh prices crank");
    world.post(0, &world.price(0));
    let crank = world.crank_instruction(&world.markets[DOLLAR]);
    vec![
        scene("crank_stock", names!("stock stock_mint share_update token_update"), before_stock, crank_stock),
        scene("crank_funding", names!("index market price_update stock"), world, crank),
    ]
}

fn trade() -> Vec<Scene> {
    let Crowd { mut world, alice, .. } = dollar_crowd();
    let market = world.markets[DOLLAR];
    world.crank(&market).expect("fresh prices crank");
    let open = world.open_instruction(&alice, DOLLAR, call(2), 100_000, u64::MAX);
    let close = instruction::close_position(&alice.owner, &world.vault, &alice.account, &market, call(3), 50_000, 0);
    vec![
        scene(
            "open_position",
            names!("owner exchange vault account index market stock_mint tokens"),
            world.clone(),
            open,
        ),
        scene("close_position", names!("owner vault account index market"), world, close),
    ]
}

fn keeper() -> Vec<Scene> {
    let Crowd { mut world, alice, keeper, .. } = dollar_crowd();
    let (vault, markets) = (world.vault, world.markets.clone());
    world.withdraw_most(&alice);
    world.run(6 * 86_400, 1_800);
    for market in &markets {
        world.crank(market).expect("fresh prices crank");
    }
    let liquidate = instruction::liquidate(&keeper.owner, &vault, &alice.account, &keeper.account, &markets);

    let Crowd { world: mut abandoned, .. } = dollar_crowd();
    abandoned.chain.wait(7 * 86_400 + 60);
    abandoned.crank_stock().expect("fresh prices crank");
    let crank = instruction::crank_funding(&markets[DOLLAR], None);
    abandoned.chain.send(&[crank]).expect("an abandoned index needs no price");
    let settle = instruction::settle_abandoned(&vault, &alice.account, &markets[DOLLAR], call(3));
    vec![
        scene("liquidate", names!("keeper vault account keeper_account"), world, liquidate),
        scene("settle_abandoned", names!("vault account index market"), abandoned, settle),
    ]
}

/// A world in which a trader is paid more than what was reserved for him, so that insurance owes him a claim.
pub fn with_claim() -> (World, crate::Trader) {
    let mut world = World::with_dollar_market(0);
    let trader = world.trader("alice", 500 * ONE);
    world.trader("bob", ONE);
    // Eight bitcoins' calls: a cap of 1,000 tokens, for which 1,350 are reserved.
    world.open(&trader, call(0), 8_000_000).expect("a position");
    world.leap(160_000, 160);
    world.close(&trader, call(0), 8_000_000).expect("the owner may take a claim");
    (world, trader)
}
