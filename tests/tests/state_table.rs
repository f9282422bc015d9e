//! The table of states in docs/mechanism.md section 8, cell by cell on the program: in each state every action is tried
//! once, in a quanto and in a dollar market.

use perpetua::Pool;
use perpetua_client::{instruction, price::PriceAccount};
use perpetua_tests::{
    Trader, World, actor,
    price::{self, SHARE_FEED, usd},
    stock::{IN_SESSION, set_multiplier},
    token::{self, ONE, extension},
    world::{Outcome, Provider, call, put},
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

const DAY: i64 = 86_400;
/// Numbers of the two markets of the first index.
const QUANTO: usize = 0;
const DOLLAR: usize = 1;
/// Where spot is, and the call that is at its cap there, and one near the money.
const SPOT: i64 = 110_000;
const CAPPED: i16 = -28;
const NEAR: i16 = 8;

/// A world in which every action works, all in one market.
#[derive(Clone)]
struct Stage {
    world: World,
    market: usize,
    holder: Trader,
    ruined: Trader,
    keeper: Trader,
    leaver: Provider,
    joiner: Provider,
    ticket: Pubkey,
}

impl Stage {
    fn new(market: usize) -> Self {
        let mut world = World::with_dollar_market(1);
        let [holder, ruined, keeper] = ["holder", "ruined", "keeper"].map(|name| world.trader(name, 300 * ONE));
        let leaver = world.provider("first provider", world.vault, 0);
        let joiner = world.provider("joiner", world.vault, 10 * ONE);
        world.chain.fund(&actor("stranger"));
        for series in [call(CAPPED), call(NEAR)] {
            world.open_in(&holder, market, series, 100_000, u64::MAX).unwrap();
        }
        for series in [call(0), put(0), call(4)] {
            world.open_in(&ruined, market, series, 1_000_000, u64::MAX).unwrap();
        }
        world.withdraw_most(&ruined);
        world.run(3 * DAY, 1_800);
        let ticket = world.request(&leaver, Pool::Main, 1_000_000_000).unwrap();
        world.run(3 * DAY, 1_800);
        world.leap(SPOT, 400);
        Self { world, market, holder, ruined, keeper, leaver, joiner, ticket }
    }

    /// Moves the clock, on the way sampling the index's variance, which needs no stock.
    fn at(&mut self, time: i64) {
        let sampled = time - time % 300;
        self.world.chain.wait(sampled - self.world.chain.now());
        self.world.crank_first().unwrap();
        self.world.chain.wait(time - sampled);
    }

    /// Cranks the stock and the market with what is posted.
    fn crank(&mut self, price_update: Option<Pubkey>) -> Outcome {
        let stock = self.world.crank_stock_instruction();
        let market = self.world.markets[self.market];
        self.world.chain.send_while_short(&[stock, instruction::crank_funding(&market, price_update.as_ref())])
    }

    fn action(&self, action: &str) -> Vec<Instruction> {
        let Self { world, holder, leaver, joiner, .. } = self;
        let (vault, market) = (world.vault, world.markets[self.market]);
        let marks = || world.markets.iter().map(instruction::mark_market);
        let execute = |caller: &Pubkey| instruction::execute_withdrawal(caller, &vault, &self.ticket, &world.markets);
        match action {
            "open" => vec![world.open_instruction(holder, self.market, call(NEAR), 1_000, u64::MAX)],
            "close" => {
                let Trader { owner, account, .. } = holder;
                vec![instruction::close_position(owner, &vault, account, &market, call(NEAR), 1_000, 0)]
            }
            "settle" => vec![instruction::settle_capped(&vault, &holder.account, &market, call(CAPPED))],
            "liquidate" => {
                let Trader { owner, account, .. } = self.keeper;
                vec![instruction::liquidate(&owner, &vault, &self.ruined.account, &account, [&market])]
            }
            "withdraw" => {
                let Trader { owner, account, tokens, .. } = holder;
                vec![instruction::withdraw(owner, &vault, account, tokens, [&market], 1_000)]
            }
            "join" => marks().chain([world.join(joiner, &world.markets, Pool::Main, ONE, 0)]).collect(),
            "leave" => marks().chain([execute(&leaver.owner)]).collect(),
            _ => marks().chain([execute(&actor("stranger"))]).collect(),
        }
    }

    /// How an action ends: `ok` or the error's name.
    fn attempt(&self, action: &str) -> String {
        let mut world = self.world.clone();
        let outcome = world.chain.send_while_short(&self.action(action));
        outcome.map_or_else(|failure| failure.name(), |_| "ok".to_owned())
    }

    /// What the call near the money owes per millionth.
    fn funding_index(&self) -> u128 {
        let market = self.world.market(self.market);
        market.slots[usize::try_from(NEAR).unwrap()].series[0].funding_index.get()
    }
}

/// The columns of the table: "leave" is the owner executing his withdrawal, "executed" anybody else.
const ACTIONS: [&str; 8] = ["open", "close", "settle", "liquidate", "withdraw", "join", "leave", "executed"];

/// What funding does within two minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Funding {
    Accrues,
    Stops,
    /// A market that cannot be cranked accrues later.
    Waits,
}
use Funding::{Accrues, Stops, Waits};

/// A state: how it begins, what it posts and cranks while it lasts, and what each action ends with.
struct State {
    name: &'static str,
    begin: fn(&mut Stage),
    post: fn(&mut Stage) -> Outcome,
    ends: [&'static str; 8],
    funding: Funding,
}

/// A row of the table. Commas separate what the actions end with; a lone entry stands for all.
fn state(
    name: &'static str,
    begin: fn(&mut Stage),
    post: fn(&mut Stage) -> Outcome,
    ends: &'static str,
    funding: Funding,
) -> State {
    let ends: Vec<&str> = ends.split(',').map(str::trim).collect();
    let ends = if ends.len() == 1 { [ends[0]; 8] } else { ends.try_into().expect("an entry for each action") };
    State { name, begin, post, ends, funding }
}

/// A price that is posted next is newer than the last.
fn next_second(stage: &mut Stage) {
    stage.world.chain.wait(1);
}

/// Fresh prices of everything that publishes.
fn fresh(stage: &mut Stage) -> Outcome {
    let price = stage.world.price(0);
    stage.world.post(0, &price);
    stage.world.post_stock();
    stage.crank(Some(stage.world.prices[0]))
}

/// An index whose last price is eleven seconds old.
fn old_index(stage: &mut Stage) -> Outcome {
    fresh(stage)?;
    stage.world.chain.wait(11);
    stage.world.post_stock();
    stage.crank(None)
}

fn silent_index(stage: &mut Stage) -> Outcome {
    stage.world.post_stock();
    stage.crank(None)
}

fn index_far_from_average(stage: &mut Stage) -> Outcome {
    let price = PriceAccount { average: usd(117_000), ..stage.world.price(0) };
    stage.world.post(0, &price);
    stage.world.post_stock();
    stage.crank(Some(stage.world.prices[0]))
}

fn stock_far_from_average(stage: &mut Stage) -> Outcome {
    let price = stage.world.price(0);
    stage.world.post(0, &price);
    let share = PriceAccount { average: usd(376), ..price::fresh(&stage.world.chain, SHARE_FEED, usd(400)) };
    let address = stage.world.stock_prices[0];
    price::post(&mut stage.world.chain, &address, &share);
    stage.crank(Some(stage.world.prices[0]))
}

fn variance_stale(stage: &mut Stage) {
    let now = stage.world.chain.now();
    stage.at(now - now % 300 + 300);
    stage.world.chain.wait(3_720);
}

/// The index has sampled for an hour, as if it had been listed without a variance.
fn variance_young(stage: &mut Stage) {
    let since = stage.world.chain.now() - 3_600;
    let index = stage.world.markets[0].index;
    stage.world.chain.edit(&index, |data| data[272..280].copy_from_slice(&since.to_le_bytes()));
    assert_eq!(stage.world.index(0).sampling_since, since);
}

fn index_outage(stage: &mut Stage) {
    let last = stage.world.chain.now();
    stage.world.chain.wait(660);
    let price = PriceAccount { previous_publish_time: last, ..stage.world.price(0) };
    stage.world.post(0, &price);
    stage.world.post_stock();
    stage.crank(Some(stage.world.prices[0])).unwrap();
}

fn stock_halt(stage: &mut Stage) {
    let last = stage.world.stock().share.publish_time;
    stage.world.chain.wait(660);
    let share = price::fresh(&stage.world.chain, SHARE_FEED, usd(400));
    let address = stage.world.stock_prices[0];
    price::post(&mut stage.world.chain, &address, &PriceAccount { previous_publish_time: last, ..share });
    let crank = stage.world.crank_stock_instruction();
    stage.world.chain.send(&[crank]).unwrap();
}

fn stock_silent(stage: &mut Stage) {
    stage.world.set_share(None);
    stage.world.chain.wait(11);
}

fn exchange_closed(stage: &mut Stage) {
    // 16:00 in New York on the Monday.
    stage.at(IN_SESSION + 6 * DAY + 6 * 3_600 + 60);
}

fn multiplier_changing(stage: &mut Stage) {
    let (mint, soon) = (stage.world.vault.stock_mint, stage.world.chain.now() + 600);
    set_multiplier(&mut stage.world.chain, &mint, 1.0, 1.01, soon);
}

fn multiplier_changing_at_night(stage: &mut Stage) {
    exchange_closed(stage);
    multiplier_changing(stage);
}

fn guardian_pause(stage: &mut Stage) {
    let pause = instruction::set_opening_paused(&stage.world.guardian, true);
    stage.world.chain.send(&[pause]).unwrap();
}

fn vault_short(stage: &mut Stage) {
    let tokens = stage.world.vault.tokens();
    token::seize(&mut stage.world.chain, &tokens, ONE);
}

fn mint_paused(stage: &mut Stage) {
    let mint = stage.world.vault.stock_mint;
    token::pause(&mut stage.world.chain, &mint, true);
}

fn mint_changed(stage: &mut Stage) {
    let mint = stage.world.vault.stock_mint;
    token::edit_extension(&mut stage.world.chain, &mint, extension::PERMANENT_DELEGATE, |value| value[..32].fill(9));
}

fn tokens_frozen(stage: &mut Stage) {
    let tokens = stage.world.vault.tokens();
    token::freeze(&mut stage.world.chain, &tokens, true);
}

/// What is the same in both settlements. The columns: open, close, settle, liquidate, withdraw, join, leave, executed.
#[rustfmt::skip]
fn both() -> Vec<State> {
    vec![
        state("normal", next_second, fresh, "ok", Accrues),
        state("guardian pause", guardian_pause, fresh, "OpeningPaused, ok, ok, ok, ok, OpeningPaused, ok, ok", Accrues),
        state("vault short", vault_short, fresh,
            "VaultShort, ok, ok, ok, VaultShort, VaultShort, VaultShort, VaultShort", Accrues),
        state("mint paused", mint_paused, fresh, "MintPaused, ok, ok, ok, MintPaused, MintPaused, ok, ok", Accrues),
        state("mint changed", mint_changed, fresh, "MintChanged, ok, ok, ok, MintChanged, MintChanged, ok, ok", Accrues),
        state("vault's tokens frozen", tokens_frozen, fresh,
            "TokensFrozen, ok, ok, ok, TokensFrozen, TokensFrozen, ok, ok", Accrues),
        state("no fresh index price", next_second, old_index,
            "PriceStale, PriceStale, PriceStale, PriceStale, ok, PriceStale, PriceStale, PriceStale", Accrues),
        state("no index price for ten minutes", |stage| stage.world.chain.wait(660), silent_index,
            "MarketNotAccrued, MarketNotAccrued, MarketNotAccrued, PriceStale, ok, MarkAtBounds, ok, MarkAtBounds", Waits),
        state("index far from its average", next_second, index_far_from_average,
            "PriceFarFromAverage, ok, ok, PriceFarFromAverage, PriceFarFromAverage, PriceFarFromAverage, \
             PriceFarFromAverage, PriceFarFromAverage", Stops),
        state("variance stale", variance_stale, fresh,
            "VarianceStale, ok, VarianceStale, ok, ok, VarianceStale, VarianceStale, VarianceStale", Accrues),
        state("variance young", variance_young, fresh, "VarianceTooYoung, ok, ok, ok, ok, ok, ok, ok", Accrues),
        state("grace after an outage", index_outage, fresh,
            "RecoveringFromOutage, ok, ok, RecoveringFromOutage, ok, ok, ok, ok", Stops),
    ]
}

/// What is no business of a quanto market.
#[rustfmt::skip]
fn quanto() -> Vec<State> {
    vec![
        state("exchange closed", exchange_closed, fresh, "ok", Accrues),
        state("stock price due", stock_silent, fresh, "ok", Accrues),
        state("grace after a halt", stock_halt, fresh, "ok", Accrues),
        state("stock far from its average", next_second, stock_far_from_average, "ok", Accrues),
        state("multiplier changing", multiplier_changing, fresh, "ok", Accrues),
    ]
}

#[rustfmt::skip]
fn dollar() -> Vec<State> {
    vec![
        state("exchange closed", exchange_closed, fresh,
            "StockMarketClosed, ok, StockMarketClosed, ok, ok, MarkAtBounds, ok, MarkAtBounds", Accrues),
        state("stock price due", stock_silent, fresh,
            "StockPriceStale, StockPriceStale, StockPriceStale, StockPriceStale, ok, StockPriceStale, \
             StockPriceStale, StockPriceStale", Accrues),
        state("grace after a halt", stock_halt, fresh,
            "RecoveringFromOutage, ok, ok, RecoveringFromOutage, ok, ok, ok, ok", Stops),
        state("stock far from its average", next_second, stock_far_from_average,
            "StockFarFromAverage, ok, StockFarFromAverage, StockFarFromAverage, StockFarFromAverage, \
             StockFarFromAverage, StockFarFromAverage, StockFarFromAverage", Stops),
        state("multiplier changing", multiplier_changing, fresh, "MultiplierChanging", Stops),
        // Several states at once: the most restrictive.
        state("multiplier changing at night", multiplier_changing_at_night, fresh, "MultiplierChanging", Stops),
    ]
}

/// How a state differs from what the table says.
fn differences(stage: &Stage, state: &State) -> Vec<String> {
    let mut stage = stage.clone();
    (state.begin)(&mut stage);
    let cranked = (state.post)(&mut stage);
    assert_eq!(cranked.is_err(), state.funding == Waits, "{}: {:?}", state.name, cranked.err().map(|f| f.name()));
    let mut wrong = Vec::new();
    for (action, expected) in ACTIONS.into_iter().zip(state.ends) {
        let end = stage.attempt(action);
        if end != expected {
            wrong.push(format!("{}: {action} ends with {end} instead of {expected}", state.name));
        }
    }
    let before = stage.funding_index();
    stage.world.chain.wait(120);
    let _ = (state.post)(&mut stage);
    let moved = stage.funding_index() != before;
    if moved != (state.funding == Accrues) {
        wrong.push(format!("{}: funding {}", state.name, if moved { "accrues" } else { "stops" }));
    }
    wrong
}

fn check(market: usize, states: impl Iterator<Item = State>) {
    let stage = Stage::new(market);
    let wrong: Vec<String> = states.flat_map(|state| differences(&stage, &state)).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_action_in_every_state_of_a_quanto_market_ends_as_the_table_says() {
    check(QUANTO, both().into_iter().chain(quanto()));
}

#[test]
fn every_action_in_every_state_of_a_dollar_market_ends_as_the_table_says() {
    check(DOLLAR, both().into_iter().chain(dollar()));
}
