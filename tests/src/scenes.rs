//! One scene for each instruction: a crowded world in which it works, and the instruction alone, so that what a
//! transaction around it would permit does not hide what the instruction itself checks.

/// The names of an instruction's accounts, and of those that every event takes.
macro_rules! names {
    ($names:literal) => {
        concat!($names, " event_authority program")
    };
}

mod governance;
mod losses;
mod stock;

pub use stock::with_claim;

use perpetua::Pool;
use perpetua_client::{
    address,
    instruction::{self, MarketKeys, VaultKeys},
};
use solana_instruction::Instruction;

use crate::{
    Trader, World, actor,
    parameters::{guards, market_parameters, vault_parameters},
    price::FEEDS,
    token::{self, ONE},
    world::{PRICES, Provider, call, put},
};

/// An instruction in a world in which it works.
pub struct Scene {
    /// The instruction's name.
    pub name: &'static str,
    /// What its named accounts are called, in order; those behind them are markets and their indices.
    pub accounts: Vec<&'static str>,
    /// The world.
    pub world: World,
    /// The instruction.
    pub instruction: Instruction,
}

impl Scene {
    /// What the account at `place` is called.
    pub fn account(&self, place: usize) -> &'static str {
        self.accounts.get(place).copied().unwrap_or("market or index")
    }

    /// Whether the program's own address stands for an account that is absent, besides where events need it.
    pub fn names_program_twice(&self) -> bool {
        self.instruction.accounts.iter().filter(|meta| meta.pubkey == address::PROGRAM).count() > 1
    }
}

fn scene(name: &'static str, accounts: &'static str, world: World, instruction: Instruction) -> Scene {
    let accounts = accounts.split_whitespace().collect();
    Scene { name, accounts, world, instruction }
}

/// A world with many of each kind of account.
struct Crowd {
    world: World,
    alice: Trader,
    keeper: Trader,
    provider: Provider,
}

fn crowd() -> Crowd {
    crowd_in(World::with_markets(2))
}

/// The same in a world with two markets of the first two indices and maybe more.
fn crowd_in(mut world: World) -> Crowd {
    let (alice, bob) = (world.trader("alice", 500 * ONE), world.trader("bob", 100 * ONE));
    let keeper = world.trader("keeper", ONE);
    let (other, markets) = world.add_spl_vault();
    world.trader_in(other, "alice", 100 * ONE);
    for market in &markets {
        world.crank(market).expect("a fresh price cranks");
    }
    for trader in [alice, bob] {
        world.open(&trader, call(0), 100_000).expect("a position");
        world.open(&trader, put(0), 100_000).expect("a position");
        world.open_in(&trader, 1, call(1), 1_000_000, u64::MAX).expect("a position");
    }
    let provider = world.provider("second provider", world.vault, 200 * ONE);
    for pool in [Pool::Main, Pool::Insurance] {
        let markets = world.markets.clone();
        world.mark(&markets).expect("markets can be marked");
        world.chain.send(&[world.join(&provider, &markets, pool, 50 * ONE, 0)]).expect("the pool can be joined");
    }
    let (mint, program, recipient) = (world.vault.stock_mint, world.vault.token_program, world.fee_recipient);
    token::open(&mut world.chain, &recipient, &mint, &program);
    for name in ["stranger", "rent payer", "guardian"] {
        world.chain.fund(&actor(name));
    }
    Crowd { world, alice, keeper, provider }
}

/// Every instruction.
pub fn all() -> Vec<Scene> {
    [admin(), trade(), keeper(), pool(), stock::all(), losses::all(), governance::all()].into_iter().flatten().collect()
}

fn admin() -> Vec<Scene> {
    let bare = World::bare();
    let initialize = instruction::initialize_exchange(&bare.admin, &bare.guardian, &bare.fee_recipient);
    let Crowd { mut world, .. } = crowd();
    let admin = world.admin;
    let mint = actor("third mint");
    token::create_xstock(&mut world.chain, &mint);
    let third = VaultKeys::new(mint, token::TOKEN_2022);
    let market = world.vault.market(address::index(&FEEDS[2]));
    let destination = token::associated(&world.fee_recipient, &world.vault.stock_mint, &world.vault.token_program);
    let parameters = market_parameters(PRICES[2]);
    vec![
        scene("initialize_exchange", "admin exchange this_program program_data system_program", bare, initialize),
        scene(
            "create_index",
            names!("admin exchange index system_program"),
            world.clone(),
            instruction::create_index(&admin, [3; 32], guards(), None),
        ),
        scene(
            "create_vault",
            names!(
                "admin exchange stock_mint vault tokens main_shares insurance_shares stock_token_program share_token_program system_program"
            ),
            world.clone(),
            instruction::create_vault(&admin, &third, vault_parameters()),
        ),
        scene(
            "create_market",
            names!("admin exchange vault index market system_program"),
            world.clone(),
            instruction::create_market(&admin, &world.vault, &market, parameters),
        ),
        scene(
            "set_opening_paused",
            names!("authority exchange"),
            world.clone(),
            instruction::set_opening_paused(&admin, true),
        ),
        scene(
            "acknowledge_mint",
            names!("admin exchange vault stock_mint"),
            world.clone(),
            instruction::acknowledge_mint(&admin, &world.vault),
        ),
        scene(
            "collect_fees",
            names!("exchange vault tokens stock_mint destination token_program"),
            world.clone(),
            instruction::collect_fees(&world.vault, &destination),
        ),
    ]
}

fn trade() -> Vec<Scene> {
    let Crowd { mut world, alice, .. } = crowd();
    let (vault, market) = (world.vault, world.markets[0]);
    let (newcomer, payer) = (actor("stranger"), actor("rent payer"));
    let mut with_empty = world.clone();
    let empty = with_empty.trader("empty", 0);
    world.crank_first().expect("a fresh price cranks");
    let open = world.open_instruction(&alice, 0, call(2), 100_000, u64::MAX);
    vec![
        scene(
            "open_account",
            names!("owner payer vault account system_program"),
            world.clone(),
            instruction::open_account(&newcomer, &payer, &vault, 3),
        ),
        scene(
            "close_account",
            names!("owner account"),
            with_empty,
            instruction::close_account(&empty.owner, &empty.account),
        ),
        scene(
            "deposit",
            names!("owner vault account stock_mint source tokens token_program"),
            world.clone(),
            instruction::deposit(&alice.owner, &vault, &alice.account, &alice.tokens, ONE),
        ),
        scene(
            "withdraw",
            names!("owner exchange vault account stock_mint destination tokens token_program"),
            world.clone(),
            instruction::withdraw(&alice.owner, &vault, &alice.account, &alice.tokens, &world.markets, ONE),
        ),
        scene(
            "open_position",
            names!("owner exchange vault account index market stock_mint tokens"),
            world.clone(),
            open,
        ),
        scene(
            "close_position",
            names!("owner vault account index market"),
            world.clone(),
            instruction::close_position(&alice.owner, &vault, &alice.account, &market, call(0), 50_000, 0),
        ),
        scene(
            "view_quote",
            "vault index market exchange tokens",
            world.clone(),
            instruction::view_quote(&vault, &market, call(0), 50_000),
        ),
        scene(
            "view_health",
            "vault account",
            world.clone(),
            instruction::view_health(&vault, &alice.account, &world.markets),
        ),
    ]
}

/// The crowd where alice took all that her initial margin lets her, so long ago that she is below maintenance.
fn ruined() -> Crowd {
    let mut crowd = crowd();
    let alice = crowd.alice;
    crowd.world.withdraw_most(&alice);
    crowd.world.run(6 * 86_400, 1_800);
    crowd
}

fn keeper() -> Vec<Scene> {
    let Crowd { mut world, alice, .. } = crowd();
    world.run(600, 300);
    let (vault, markets) = (world.vault, world.markets.clone());
    let market = markets[0];
    let mut before_crank = world.clone();
    before_crank.chain.wait(10);
    before_crank.post(0, &before_crank.price(0));
    let crank = before_crank.crank_instruction(&market);

    let Crowd { world: mut late, keeper, .. } = ruined();
    for market in &markets {
        late.crank(market).expect("a fresh price cranks");
    }
    let leap = |spot: i64| {
        let mut world = world.clone();
        world.spot[0] = spot;
        for _ in 0..2 {
            world.chain.wait(90);
            world.crank(&market).expect("a fresh price cranks");
        }
        world
    };
    vec![
        scene("crank_funding", names!("index market price_update stock"), before_crank, crank),
        scene(
            "settle_funding",
            names!("vault account"),
            world.clone(),
            instruction::settle_funding(&vault, &alice.account, &markets),
        ),
        scene(
            "liquidate",
            names!("keeper vault account keeper_account"),
            late,
            instruction::liquidate(&keeper.owner, &vault, &alice.account, &keeper.account, &markets),
        ),
        scene(
            "settle_capped",
            names!("vault account index market"),
            leap(160_000),
            instruction::settle_capped(&vault, &alice.account, &market, call(0)),
        ),
        scene(
            "retire_far",
            names!("vault account index market"),
            leap(170_000),
            instruction::retire_far(&vault, &alice.account, &market, put(0)),
        ),
        scene("mark_market", names!("index market"), world.clone(), instruction::mark_market(&market)),
    ]
}

fn marked(world: &World, markets: &[MarketKeys]) -> World {
    let mut world = world.clone();
    world.mark(markets).expect("markets can be marked");
    world
}

fn pool() -> Vec<Scene> {
    let Crowd { world, provider, .. } = crowd();
    let (vault, markets, owner) = (world.vault, world.markets.clone(), provider.owner);
    let payer = actor("rent payer");
    let joining = marked(&world, &markets);
    let join = joining.join(&provider, &markets, Pool::Main, ONE, 0);
    let shares = token::balance(&world.chain, &provider.shares[0]);
    let request =
        instruction::request_withdrawal(&owner, &payer, &vault, Pool::Main, 0, &provider.shares[0], shares / 3);
    let mut waiting = world.clone();
    let ticket = waiting.request(&provider, Pool::Main, shares / 3).expect("shares can be given up");
    waiting.request(&provider, Pool::Main, shares / 3).expect("shares can be given up");
    waiting.request(&provider, Pool::Insurance, shares / 3).expect("shares can be given up");
    let mut ready = waiting.clone();
    ready.chain.wait(3 * 86_400);
    let ready = marked(&ready, &markets);
    let caller = actor("stranger");
    let execute = instruction::execute_withdrawal(&caller, &vault, &ticket, &markets);
    let mut executed = ready.clone();
    executed.chain.send(std::slice::from_ref(&execute)).expect("the withdrawal is due");
    let claim = instruction::claim_withdrawal(&owner, &vault, &ticket, &provider.tokens);
    let mut claimed = executed.clone();
    claimed.chain.send(std::slice::from_ref(&claim)).expect("there are tokens to claim");
    vec![
        scene(
            "join_pool",
            names!(
                "owner exchange vault stock_mint source tokens share_mint shares_destination token_program share_token_program"
            ),
            joining,
            join,
        ),
        scene(
            "request_withdrawal",
            names!("owner payer vault ticket share_mint shares_source share_token_program system_program"),
            world,
            request,
        ),
        scene(
            "cancel_withdrawal",
            names!("owner vault ticket share_mint shares_destination share_token_program"),
            waiting,
            instruction::cancel_withdrawal(&owner, &vault, Pool::Main, &ticket, &provider.shares[0]),
        ),
        scene("execute_withdrawal", names!("caller exchange vault ticket tokens"), ready, execute),
        scene(
            "claim_withdrawal",
            names!("owner exchange vault ticket stock_mint destination tokens token_program"),
            executed,
            claim,
        ),
        scene("close_ticket", "owner vault ticket", claimed, instruction::close_ticket(&owner, &vault, &ticket)),
    ]
}
