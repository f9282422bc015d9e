//! Several markets on one vault, BTC and ETH, quanto and dollar side by side, and a second vault with a stock of its own.

use perpetua::{Pool, StockParameters};
use perpetua_client::{
    address,
    event::Event,
    instruction::{self, MarketKeys, VaultKeys},
    price::PriceAccount,
};
use perpetua_tests::{
    Trader, World, actor,
    parameters::{dollar_parameters, stock_parameters},
    price::{self, FEEDS, usd},
    token::{self, ONE},
    world::{Outcome, call, put},
};
use solana_pubkey::Pubkey;

/// BTC and ETH quanto, BTC and ETH dollar.
const MARKETS: usize = 4;
/// Sizes of about 25,000 dollars each.
const SIZES: [u64; MARKETS] = [250_000, 6_000_000, 250_000, 6_000_000];

fn four_markets() -> World {
    let mut world = World::with_dollar_market(2);
    // ETH's dollar market comes behind BTC's.
    let eth = world.create_dollar_market(1).unwrap();
    world.let_open(&eth);
    world.markets.push(eth);
    world
}

/// A trader with a call or a put in each of the four.
fn in_all_four(collateral: u64) -> (World, Trader) {
    let mut world = four_markets();
    let trader = world.trader("trader", collateral);
    for (market, size) in SIZES.into_iter().enumerate() {
        let series = if market % 2 == 0 { call(0) } else { put(0) };
        world.open_in(&trader, market, series, size, u64::MAX).unwrap();
    }
    (world, trader)
}

/// In which markets the account has positions.
fn markets_of(world: &World, trader: &Trader) -> Vec<u8> {
    let mut numbers: Vec<u8> = world.margin(trader).open_positions().map(|(_, position)| position.market).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn one_account_holds_positions_in_all_four_and_closes_each() {
    let (mut world, trader) = in_all_four(200 * ONE);
    assert_eq!(markets_of(&world, &trader), [0, 1, 2, 3]);
    let reserves: u64 = world.margin(&trader).open_positions().map(|(_, position)| position.reserve.0).sum();
    assert_eq!(world.ledgers().reserves.0, reserves, "one vault backs all");
    for (market, size) in SIZES.into_iter().enumerate() {
        let series = if market % 2 == 0 { call(0) } else { put(0) };
        world.close_in(&trader, market, series, size, 0).unwrap();
    }
    assert_eq!(world.ledgers().reserves.0, 0);
    let left = world.margin(&trader).collateral.0;
    world.withdraw(&trader, left).unwrap();
}

#[test]
fn a_market_left_out_stops_whatever_needs_the_whole_account() {
    let (mut world, trader) = in_all_four(200 * ONE);
    let (vault, all) = (world.vault, world.markets.clone());
    for missing in 0..MARKETS {
        let given: Vec<_> = all.iter().enumerate().filter(|(number, _)| *number != missing).map(|(_, m)| m).collect();
        let withdraw =
            instruction::withdraw(&trader.owner, &vault, &trader.account, &trader.tokens, given.clone(), 1_000);
        assert_eq!(world.chain.send(&[withdraw]).unwrap_err().name(), "MarketMissing", "{missing}");
        let settle = instruction::settle_funding(&vault, &trader.account, given);
        assert_eq!(world.chain.send(&[settle]).unwrap_err().name(), "MarketMissing", "{missing}");
    }
}

#[test]
fn a_pools_value_counts_every_market() {
    let (mut world, _) = in_all_four(200 * ONE);
    world.run(3_600, 300);
    let provider = world.provider("second provider", world.vault, 20 * ONE);
    let markets = world.markets.clone();
    let (mut liability, mut receivable) = (0, 0);
    for market in &markets {
        world.crank(market).unwrap();
        let done = world.chain.send(&[instruction::mark_market(market)]).unwrap();
        let [Event::MarketMarked(mark)] = done.events[..] else { panic!("{:?}", done.events) };
        assert!(mark.liability_low > ONE && mark.receivable > 0 && !mark.at_bounds);
        liability += mark.liability_low;
        receivable += mark.receivable;
    }
    let main = world.ledgers().main;
    world.chain.send(&[world.join(&provider, &markets, Pool::Main, 10 * ONE, 0)]).unwrap();
    // `floor(d (shares + S0) / (NAV_hi + 1))` with 80% of what is receivable, rounded up.
    let value = main.assets.0 + (receivable * 8_000).div_ceil(10_000) - liability;
    let shares = u128::from(10 * ONE) * u128::from(main.shares.0 + 100_000) / u128::from(value + 1);
    assert_eq!(u128::from(token::balance(&world.chain, &provider.shares[0])), shares);
}

#[test]
fn what_one_market_reserves_is_not_there_for_another() {
    let mut world = four_markets();
    let trader = world.trader("trader", 500 * ONE);
    // All but a hundredth of the pool is about to leave: 85% of 200 tokens can be reserved.
    let provider = world.first_provider();
    let shares = token::balance(&world.chain, &provider.shares[0]);
    world.request(&provider, Pool::Main, shares / 100 * 99).unwrap();
    // 100 tokens each: 0.8 BTC of 50,000 dollars, and in the dollar market as much with what is reserved above.
    let (quanto, dollar) = (800_000, 590_000);
    world.clone().open_in(&trader, 2, call(0), dollar, u64::MAX).unwrap();
    world.open_in(&trader, 0, call(0), quanto, u64::MAX).unwrap();
    let refused = world.open_in(&trader, 2, call(0), dollar, u64::MAX).unwrap_err();
    assert_eq!(refused.name(), "UtilisationTooHigh");
}

#[test]
fn cranks_and_a_trade_beside_three_other_markets_fit_one_packet() {
    let (mut world, trader) = in_all_four(200 * ONE);
    let market = world.markets[2];
    let transaction = |world: &World| {
        let stock = world.crank_stock_instruction();
        let open = world.open_instruction(&trader, 2, call(1), 1_000, u64::MAX);
        [stock, world.crank_instruction(&market), open]
    };
    let transactions = transaction(&world);
    assert!(world.chain.fits_a_packet(&transactions), "{} bytes", world.chain.wire_size(&transactions));
    world.chain.wait(1);
    world.post(0, &world.price(0));
    world.post_stock();
    world.chain.send(&transaction(&world)).unwrap();
}

/// A trader who took out all that his initial margin allows, so long ago that he is below maintenance.
fn ruined() -> (World, Trader, Trader) {
    let (mut world, trader) = in_all_four(300 * ONE);
    let keeper = world.trader("keeper", ONE);
    world.withdraw_most(&trader);
    world.run(6 * 86_400, 1_800);
    (world, trader, keeper)
}

fn liquidate(world: &mut World, trader: &Trader, keeper: &Trader) -> Outcome {
    let Trader { owner, account, .. } = keeper;
    let liquidate = instruction::liquidate(owner, &world.vault, &trader.account, account, &world.markets);
    world.chain.send_with_full_budget(&[liquidate])
}

#[test]
fn an_account_with_a_silent_market_is_liquidated_through_the_others() {
    for silent in 0..2 {
        let (mut world, trader, keeper) = ruined();
        // The other index publishes; this one has been silent for two minutes.
        world.chain.wait(120);
        let speaking = [1 - silent, 3 - silent];
        for market in speaking {
            let keys = world.markets[market];
            world.crank(&keys).unwrap();
        }
        let done = liquidate(&mut world, &trader, &keeper).unwrap();
        let [Event::AccountLiquidated(report)] = done.events[..] else { panic!("{:?}", done.events) };
        assert!(report.closed >= 1 && report.funding > 0, "{report:?}");
        let left = markets_of(&world, &trader);
        let quiet = [silent, silent + 2].map(|number| u8::try_from(number).unwrap());
        assert!(quiet.iter().all(|number| left.contains(number)), "the silent index's positions stay: {left:?}");
        assert!(left.len() < MARKETS, "{left:?}");
    }
}

#[test]
fn an_account_whose_markets_are_all_silent_waits() {
    let (mut world, trader, keeper) = ruined();
    world.chain.wait(120);
    assert_eq!(liquidate(&mut world, &trader, &keeper).unwrap_err().name(), "PriceStale");
}

#[test]
fn a_dollar_market_that_stands_still_leaves_the_quanto_markets_to_a_liquidation() {
    let (mut world, trader, keeper) = ruined();
    let (mint, soon) = (world.vault.stock_mint, world.chain.now() + 600);
    perpetua_tests::stock::set_multiplier(&mut world.chain, &mint, 1.0, 1.01, soon);
    world.chain.wait(10);
    for market in world.markets.clone() {
        world.crank(&market).unwrap();
    }
    liquidate(&mut world, &trader, &keeper).unwrap();
    let left = markets_of(&world, &trader);
    assert!(left.contains(&2) && left.contains(&3) && left.len() < MARKETS, "{left:?}");
}

#[test]
fn a_market_that_nobody_cranked_hides_no_debt() {
    let (mut world, trader) = in_all_four(300 * ONE);
    let least = |world: &World| {
        let mut world = world.clone();
        world.withdraw_most(&trader);
        world.margin(&trader).collateral.0
    };
    // For a day only BTC is cranked.
    for _ in 0..24 {
        world.chain.wait(3_600);
        for market in [0, 2] {
            let keys = world.markets[market];
            world.crank(&keys).unwrap();
        }
    }
    let uncranked = least(&world);
    for market in world.markets.clone() {
        world.crank(&market).unwrap();
    }
    assert!(uncranked >= least(&world), "{uncranked} must stay where {} would do", least(&world));
}

/// The vault of a copy of the mint, with a stock and a BTC market that settles in dollars.
struct Second {
    vault: VaultKeys,
    market: MarketKeys,
    share_price: Pubkey,
}

impl Second {
    fn list(world: &mut World) -> Self {
        let mint = actor("NVDAx mint");
        token::create_xstock(&mut world.chain, &mint);
        let vault = VaultKeys::new(mint, token::TOKEN_2022);
        world.create_vault(vault).unwrap();
        let stock = StockParameters { share_feed: FEEDS[3], ..stock_parameters() };
        let market = vault.dollar_market(address::index(&FEEDS[0]));
        let list = instruction::create_market(&world.admin, &vault, &market, dollar_parameters(100_000));
        world.chain.send(&[instruction::create_stock(&world.admin, &vault, stock), list]).unwrap();
        let second = Self { vault, market, share_price: actor("NVDA price") };
        let provider = world.provider("provider of NVDAx", vault, 20_000 * ONE);
        second.crank(world, 200);
        let join = world.join(&provider, &[market], Pool::Main, 20_000 * ONE, 0);
        world.chain.send(&[instruction::mark_market(&market), join]).unwrap();
        second
    }

    /// Cranks stock and market with a share of `dollars`; returns what a dollar is worth in raw tokens, Q40.24.
    fn crank(&self, world: &mut World, dollars: i64) -> u64 {
        world.post(0, &world.price(0));
        let last = PriceAccount::decode(&world.chain.account(&self.share_price).data).map_or(0, |p| p.publish_time);
        let update = price::fresh(&world.chain, FEEDS[3], usd(dollars));
        let previous_publish_time = last.max(world.chain.now() - 60);
        price::post(&mut world.chain, &self.share_price, &PriceAccount { previous_publish_time, ..update });
        let stock = instruction::crank_stock(&self.vault, Some(&self.share_price), None);
        let done =
            world.chain.send(&[stock, instruction::crank_funding(&self.market, Some(&world.prices[0]))]).unwrap();
        let Event::StockCranked(ref cranked) = done.events[0] else { panic!("{:?}", done.events) };
        cranked.units_per_usd[1]
    }
}

#[test]
fn each_vault_has_a_stock_of_its_own() {
    let mut world = World::with_dollar_market(0);
    let second = Second::list(&mut world);
    let trader = world.trader_in(second.vault, "trader", 200 * ONE);
    assert_eq!(world.units()[1], 250_000 << 24);
    assert_eq!(second.crank(&mut world, 200), 500_000 << 24);
    let Trader { owner, vault, account, .. } = trader;
    let open = instruction::open_position(&owner, &vault, &account, &second.market, [], call(0), 250_000, u64::MAX);
    let done = world.chain.send(&[open]).unwrap();
    let [Event::PositionOpened(opened)] = &done.events[..] else { panic!("{:?}", done.events) };
    // Tokens of 200 dollars: the value of a quarter bitcoin's call over it, to a thousandth.
    let dollars = u64::try_from(opened.value >> 32).unwrap() >> 2;
    let exact = u64::try_from((u128::from(dollars) * 500_000) >> 32).unwrap();
    assert!((exact..exact + exact / 1_000).contains(&opened.premium), "{} for {exact}", opened.premium);

    // The first vault's stock halves, and its token splits: the second vault takes no notice.
    let mint = world.vault.stock_mint;
    perpetua_tests::stock::set_multiplier(&mut world.chain, &mint, 10.0, 10.0, 0);
    world.chain.wait(60);
    world.set_share(Some(200));
    world.crank_stock().unwrap();
    assert_eq!(world.stock().unacknowledged, 1);
    assert_eq!(second.crank(&mut world, 200), 500_000 << 24);
    let close = instruction::close_position(&owner, &vault, &account, &second.market, call(0), 250_000, 0);
    world.chain.send(&[close]).unwrap();
}

#[test]
fn a_market_takes_no_other_vaults_stock() {
    let mut world = World::with_dollar_market(0);
    let second = Second::list(&mut world);
    world.chain.wait(1);
    world.crank_stock().unwrap();
    let wrong = MarketKeys { stock: Some(world.vault.stock()), ..second.market };
    let crank = instruction::crank_funding(&wrong, Some(&world.prices[0]));
    assert_eq!(world.chain.send(&[crank]).unwrap_err().name(), "WrongAccount");
}
