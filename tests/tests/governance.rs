//! Who may change what, how soon, and that nobody who governs can touch anybody's tokens.

use std::{collections::BTreeSet, fs, path::Path};

use perpetua::{GuardParameters, MarketParameters, NewParameters, VaultParameters, state};
use perpetua_client::{
    address,
    instruction::{self, Changed},
};
use perpetua_tests::{
    World, actor,
    parameters::{guards, market_parameters, stock_parameters, vault_parameters},
    price::FEEDS,
    scenes,
    token::{ONE, SPL_TOKEN, TOKEN_2022},
    world::{PRICES, call},
};
use serde_json::Value;

const DELAY: i64 = 48 * 3_600;

/// What one who holds the administrator's key can do with each instruction that he or the guardian signs, at worst.
const WORST: &[(&str, &str)] = &[
    ("initialize_exchange", "nothing: it works once, for the program's upgrade authority"),
    ("create_index", "list a feed of his own: it prices nothing until a market is listed on it"),
    ("create_vault", "list a token of his own: its pools are empty"),
    ("create_stock", "give a vault without dollar markets a wrong feed: LPs can leave before a market on it opens"),
    (
        "create_market",
        "list a market that LPs lose by: who asks to leave within two days is out before it opens (tests/attacks_pool)",
    ),
    ("shorten_sessions", "close the exchange in dollar markets on up to 32 days: who closes then loses the haircut"),
    ("acknowledge_multiplier", "make a multiplier that the mint's issuer set count: both keys are needed"),
    ("acknowledge_mint", "accept changes of the mint that pass the policy"),
    ("set_opening_paused", "stop new positions and deposits into pools; nothing else stops"),
    ("propose_change", "announce a bad change two days ahead"),
    ("cancel_change", "keep a good change from happening"),
    ("tighten", "lower limits to their hard minimums: opening stops, closing does not"),
    ("name_admin", "give his rights to another"),
    ("accept_admin", "take rights that were given to him"),
];

fn idl() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../idl/perpetua.json");
    serde_json::from_str(&fs::read_to_string(path).expect("the IDL is committed")).expect("the IDL is JSON")
}

/// The instructions that the administrator, his heir or the guardian signs.
fn governed(idl: &Value) -> BTreeSet<String> {
    let signs = |account: &Value| {
        let name = account["name"].as_str().unwrap_or_default();
        account["signer"] == true && ["admin", "authority", "next_admin"].contains(&name)
    };
    let instructions = idl["instructions"].as_array().expect("instructions").iter();
    let governed = instructions.filter(|instruction| instruction["accounts"].as_array().unwrap().iter().any(signs));
    governed.map(|instruction| instruction["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_instruction_of_those_who_govern_is_listed_with_the_worst_it_can_do() {
    let listed: BTreeSet<String> = WORST.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(governed(&idl()), listed);
}

/// Every token account's balance and every margin account's bytes.
fn belongings(world: &World) -> Vec<(solana_pubkey::Pubkey, Vec<u8>)> {
    let margin = <state::MarginAccount as anchor_lang::Discriminator>::DISCRIMINATOR;
    let mut found = Vec::new();
    for (address, account) in world.chain.snapshot() {
        let data = solana_account::ReadableAccount::data(&account);
        let owner = solana_account::ReadableAccount::owner(&account);
        let is_tokens = (*owner == SPL_TOKEN || *owner == TOKEN_2022) && data.len() >= 165;
        if is_tokens || data.starts_with(margin) {
            found.push((address, data.to_vec()));
        }
    }
    found
}

#[test]
fn nobody_who_governs_can_move_anybodys_tokens() {
    let names: BTreeSet<&str> = WORST.iter().map(|(name, _)| *name).collect();
    let mut seen = BTreeSet::new();
    for mut scene in scenes::all().into_iter().filter(|scene| names.contains(scene.name)) {
        let before = belongings(&scene.world);
        scene.world.chain.send(&[scene.instruction]).unwrap_or_else(|failure| panic!("{}: {failure:?}", scene.name));
        let mut after = belongings(&scene.world);
        // A vault's listing makes token accounts, which are empty.
        after.retain(|(address, _)| before.iter().any(|(known, _)| known == address));
        assert_eq!(after, before, "{}", scene.name);
        seen.insert(scene.name);
    }
    assert_eq!(seen, names);
}

/// One loosening for each kind of account.
fn loosenings(world: &World) -> Vec<(Changed, NewParameters)> {
    let looser = GuardParameters { max_age_crank: 90, ..guards() };
    vec![
        (Changed::Index(address::index(&FEEDS[0])), NewParameters::Index(looser)),
        (
            Changed::Vault(world.vault.vault),
            NewParameters::Vault(VaultParameters { max_utilisation_bps: 9_000, ..vault_parameters() }),
        ),
        (
            Changed::Market(world.markets[0].market),
            NewParameters::Market(MarketParameters { fee_notional_bps: 10, ..market_parameters(PRICES[0]) }),
        ),
        (
            Changed::Stock(world.vault.stock()),
            NewParameters::Stock(perpetua::StockParameters { closed_haircut_bps: 400, ..stock_parameters() }),
        ),
        (
            Changed::Exchange,
            NewParameters::Exchange { guardian: actor("new guardian"), fee_recipient: actor("new recipient") },
        ),
    ]
}

#[test]
fn a_loosening_happens_two_days_after_it_was_proposed_by_anybodys_hand() {
    let mut world = World::with_dollar_market(1);
    let admin = world.admin;
    let rent = world.chain.account(&admin).lamports;
    for (changed, new) in loosenings(&world) {
        world.chain.send(&[instruction::propose_change(&admin, &changed, new)]).unwrap();
    }
    world.chain.wait(DELAY);
    world.crank_first().unwrap();
    for (changed, _) in loosenings(&world) {
        world.chain.send(&[instruction::apply_change(&admin, &changed)]).unwrap();
    }
    assert_eq!(world.index(0).guards.max_age_crank, 90);
    assert_eq!(world.ledgers().config.max_utilisation_bps, 9_000);
    assert_eq!(world.market(0).config.fee_notional_bps, 10);
    assert_eq!(world.stock().config.closed_haircut_bps, 400);
    let exchange: state::Exchange = world.read(&address::exchange());
    assert_eq!((exchange.guardian, exchange.fee_recipient), (actor("new guardian"), actor("new recipient")));
    assert_eq!(world.chain.account(&admin).lamports, rent, "the proposals' rent came back");
}

#[test]
fn limits_and_guards_tighten_at_once_by_the_guardians_hand() {
    let mut world = World::with_dollar_market(1);
    let guardian = world.guardian;
    let tighter = GuardParameters { max_confidence_bps: 20, ..guards() };
    let all = [
        (Changed::Index(address::index(&FEEDS[0])), NewParameters::Index(tighter)),
        (
            Changed::Vault(world.vault.vault),
            NewParameters::Vault(VaultParameters { max_utilisation_bps: 1_000, ..vault_parameters() }),
        ),
        (
            Changed::Market(world.markets[0].market),
            NewParameters::Market(MarketParameters { series_limit_bps: 1, ..market_parameters(PRICES[0]) }),
        ),
        (
            Changed::Stock(world.vault.stock()),
            NewParameters::Stock(perpetua::StockParameters { value_band_bps: 500, ..stock_parameters() }),
        ),
    ];
    for (changed, new) in all {
        world.chain.send(&[instruction::tighten(&guardian, &changed, new)]).unwrap();
    }
    assert_eq!(world.index(0).guards.max_confidence_bps, 20);
    assert_eq!(world.ledgers().config.max_utilisation_bps, 1_000);
    assert_eq!(world.market(0).config.series_limit_bps, 1);
    assert_eq!(world.stock().config.value_band_bps, 500);
}

#[test]
fn a_tightening_stops_opening_and_never_closing() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), 1_000_000).unwrap();
    let limits = MarketParameters { series_limit_bps: 1, side_limit_bps: 1, ..market_parameters(PRICES[0]) };
    let tighten =
        instruction::tighten(&world.guardian, &Changed::Market(world.markets[0].market), NewParameters::Market(limits));
    world.chain.send(&[tighten]).unwrap();
    assert_eq!(world.open(&trader, call(0), 1_000_000).unwrap_err().name(), "SeriesLimitReached");
    world.close(&trader, call(0), 1_000_000).unwrap();
}

#[test]
fn a_changed_market_charges_the_time_before_as_it_was() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), 1_000_000).unwrap();
    let market = world.markets[0];
    let dearer = MarketParameters { rent_bps: 5_000, carry_bps: 5_000, ..market_parameters(PRICES[0]) };
    let changed = Changed::Market(market.market);
    world.chain.send(&[instruction::propose_change(&world.admin, &changed, NewParameters::Market(dearer))]).unwrap();
    world.run(DELAY, 300);
    let mut unchanged = world.clone();
    assert!(world.clone().chain.send(&[instruction::apply_change(&world.admin, &changed)]).is_ok());
    world.crank(&market).unwrap();
    world.chain.send(&[instruction::apply_change(&world.admin, &changed)]).unwrap();
    unchanged.crank(&market).unwrap();
    let owed = |world: &World| world.market(0).receivable();
    assert_eq!(owed(&world), owed(&unchanged));
    world.chain.wait(1);
    assert!(world.chain.send(&[instruction::apply_change(&world.admin, &changed)]).is_err(), "once");
}

#[test]
fn rights_change_hands_only_when_the_heir_signs() {
    let mut world = World::new();
    let (admin, heir) = (world.admin, actor("heir"));
    world.chain.send(&[instruction::name_admin(&admin, &heir)]).unwrap();
    world.chain.send(&[instruction::set_opening_paused(&admin, true)]).unwrap();
    world.chain.send(&[instruction::accept_admin(&heir)]).unwrap();
    let refused = world.chain.send(&[instruction::set_opening_paused(&admin, false)]).unwrap_err();
    assert_eq!(refused.name(), "Unauthorized");
    world.chain.send(&[instruction::set_opening_paused(&heir, false)]).unwrap();
    assert_eq!(world.chain.send(&[instruction::accept_admin(&heir)]).unwrap_err().name(), "Unauthorized", "once");
}

#[test]
fn a_new_market_opens_once_all_who_asked_to_leave_within_two_days_are_out_and_at_once_where_nobody_is() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    let market = world.create_market(world.vault, 1).unwrap();
    world.markets.push(market);
    world.chain.wait(DELAY + 3 * 86_400 - 300);
    let open = |world: &mut World| world.open_in(&trader, 1, call(0), 1_000_000, u64::MAX);
    assert_eq!(open(&mut world).unwrap_err().name(), "MarketNotOpen");
    world.chain.wait(300);
    open(&mut world).unwrap();
    let (vault, markets) = world.add_spl_vault();
    let trader = world.trader_in(vault, "other", 100 * ONE);
    world.markets = markets;
    world.open(&trader, call(0), 1_000_000).unwrap();
}

#[test]
fn a_dollar_market_waits_for_the_insurance_pool_too_which_stands_behind_it() {
    let mut world = World::new();
    world.enter_session();
    world.create_stock(stock_parameters()).unwrap();
    world.create_dollar_market(0).unwrap();
    let opens: state::Market = world.read(&world.vault.dollar_market(address::index(&FEEDS[0])).market);
    assert_eq!(opens.state.opens_at, world.chain.now() + DELAY + 14 * 86_400);
}
