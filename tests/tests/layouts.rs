//! Where every field of an account lies: bytes that other programs and old clients read, so none may ever move. Each kind
//! begins with the first eight bytes of the SHA-256 of `account:` and its name.

use std::{collections::BTreeSet, fs, path::Path};

use anchor_lang::Discriminator;
use perpetua::{
    Pool, ShortDay,
    state::{Exchange, Index, MarginAccount, Market, Proposal, Stock, Vault, WithdrawalTicket},
};
use perpetua_client::{address, instruction};
use perpetua_tests::{
    World,
    ledger::number,
    parameters::stock_parameters_with_token_feed,
    price::{FEEDS, SHARE_FEED, TOKEN_FEED},
    scenes::{self, with_claim},
    stock::set_multiplier,
    token::{self, ONE},
    world::{INSURANCE_POOL, MAIN_POOL, call, put},
};
use solana_account::ReadableAccount;
use solana_pubkey::Pubkey;

/// Bytes between a market's units per dollar and its ladder: when it opens, what margin and pricing take from the
/// parameters, the lowest `X (1 + w)` that was reserved at, and states.
const AFTER_UNITS: usize = 360;

fn key(data: &[u8], offset: usize) -> Pubkey {
    Pubkey::try_from(&data[offset..offset + 32]).unwrap()
}

fn half(data: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes([data[offset], data[offset + 1]])
}

#[test]
fn the_exchange_lies_as_it_always_did() {
    let world = World::new();
    let data = world.chain.account(&address::exchange()).data;
    assert_eq!(data.len(), 240);
    assert_eq!(data[..8], [30, 200, 220, 149, 3, 61, 104, 50]);
    assert_eq!([key(&data, 8), key(&data, 40), key(&data, 72)], [world.admin, world.guardian, world.fee_recipient]);
    assert_eq!((data[104], data[106]), (1, 0), "version, pause");
}

#[test]
fn an_index_lies_as_it_always_did() {
    let mut world = World::new();
    world.crank_first().unwrap();
    let data = world.chain.account(&address::index(&FEEDS[0])).data;
    assert_eq!(data[..8], [140, 66, 194, 132, 78, 26, 135, 186]);
    assert_eq!((key(&data, 8), &data[40..72]), (address::exchange(), &FEEDS[0][..]));
    assert_eq!(data[72], 1, "version");
    assert_eq!((half(&data, 80), half(&data, 84), half(&data, 88), half(&data, 90)), (10, 60, 50, 500), "guards");
    assert_eq!((number(&data, 96), number(&data, 104)), (0, 100_000), "price, Q64.64");
    assert_eq!(number(&data, 120), 10, "confidence, whole dollars");
    assert_eq!(number(&data, 136), 100_000, "average, whole dollars");
    assert_eq!(number(&data, 144).cast_signed(), world.chain.now(), "publish time");
    assert_eq!(number(&data, 232), perpetua_tests::world::DECLARED_VARIANCE, "variance of a day");
}

#[test]
fn a_vault_lies_as_it_always_did() {
    let mut world = World::new();
    let trader = world.trader("trader", ONE);
    let vault = world.vault;
    let data = world.chain.account(&vault.vault).data;
    assert_eq!(data[..8], [211, 8, 232, 43, 2, 152, 117, 119]);
    assert_eq!(
        [key(&data, 8), key(&data, 40), key(&data, 72)],
        [address::exchange(), vault.stock_mint, vault.token_program]
    );
    assert_eq!(key(&data, 104), vault.tokens());
    assert_eq!(
        [key(&data, 136), key(&data, 168)],
        [Pool::Main, Pool::Insurance].map(|pool| vault.share_mint(pool.into()))
    );
    assert_eq!([key(&data, 200), key(&data, 232)], [world.markets[0].market, Pubkey::default()]);
    assert_eq!((data[360], data[362], data[363]), (1, 1, 8), "version, markets, decimals");
    assert_eq!(
        (number(&data, 368), half(&data, 380), half(&data, 382)),
        (100_000, 30, 8_000),
        "main pool's parameters"
    );
    assert_eq!(half(&data, 400), 8_500, "highest utilisation");
    assert_eq!(number(&data, 408), MAIN_POOL, "main assets");
    assert_eq!(number(&data, 416), MAIN_POOL * 100_000, "main shares");
    assert_eq!(number(&data, 464), INSURANCE_POOL, "insurance assets");
    assert_eq!(number(&data, 520), ONE, "margin");
    world.open(&trader, call(0), 1_000).unwrap();
    let data = world.chain.account(&vault.vault).data;
    assert_eq!(number(&data, 536), world.ledgers().protocol_fees.0, "protocol fees");
    assert_eq!(number(&data, 544), 12_500_000, "reserves");
}

#[test]
fn a_margin_account_lies_as_it_always_did() {
    let mut world = World::new();
    let trader = world.trader("trader", ONE);
    world.open(&trader, call(0), 1_000).unwrap();
    world.open(&trader, put(-3), 2_000).unwrap();
    let data = world.chain.account(&trader.account).data;
    assert_eq!(data[..8], [133, 220, 173, 213, 179, 211, 43, 238]);
    assert_eq!([key(&data, 8), key(&data, 40)], [world.vault.vault, trader.owner]);
    assert_eq!((half(&data, 72), data[74]), (0, 1), "sub-account, version");
    assert_eq!(number(&data, 80), world.margin(&trader).collateral.0);
    let second = 88 + 40;
    assert_eq!((number(&data, 88), number(&data, second)), (1_000, 2_000), "sizes");
    assert_eq!(number(&data, 88 + 24), 12_500_000, "reserve");
    assert_eq!(half(&data, second + 32).cast_signed(), -3, "tick");
    assert_eq!((data[second + 34], data[second + 35]), (0, 1), "market, side");
    // Debt, claim, losses seen and its part in four losses follow the positions.
    assert_eq!(data.len(), 88 + 16 * 40 + 8 + 32 + 8 + 4 * 16 + 64);
}

#[test]
fn a_claim_and_its_fund_lie_as_they_always_did() {
    let (mut world, trader) = with_claim();
    let claim = world.margin(&trader).claim;
    let data = world.chain.account(&trader.account).data;
    assert_eq!(number(&data, 728), 0, "debt");
    // The funding that closing collected was insurance's first income, so it was served already.
    let collected = claim.collected.0;
    assert!(collected > 0 && collected < ONE);
    assert_eq!((number(&data, 736), number(&data, 744)), (claim.amount.0, collected), "claim, collected of it");
    assert_eq!(number(&data, 752), 1 << 63, "scale of the claim");
    let fund = world.chain.account(&world.vault.vault).data;
    let set_aside = number(&fund, 560);
    assert!(set_aside <= 1, "what was served was collected but for a fraction");
    assert_eq!(number(&fund, 552) + set_aside, claim.amount.0 - collected, "outstanding, funded");
    let left = u128::from(number(&fund, 552)) << 64;
    let scale = u128::from(number(&fund, 568)) << 1;
    assert!((left / u128::from(claim.amount.0)).abs_diff(scale) < 1 << 32, "the part that is left, Q1.63");
    assert_eq!(number(&fund, 576), 0, "halvings, epoch");
    assert_eq!(fund[584], 1, "claims hold up who leaves");
    assert_eq!(number(&fund, 592).cast_signed(), world.chain.now(), "start of the day's payouts");
    assert_eq!(number(&fund, 600), 0, "left of them");
    world.chain.wait(86_400);
    world.chain.send(&[instruction::serve_claims(&world.vault)]).unwrap();
    let fund = world.chain.account(&world.vault.vault).data;
    assert_eq!(number(&fund, 552) + number(&fund, 560), claim.amount.0 - collected, "outstanding, funded");
    assert!(number(&fund, 560) > ONE);
}

#[test]
fn losses_lie_as_they_always_did() {
    let mut world = World::new();
    let trader = world.trader("trader", 8 * ONE);
    let vault = world.vault;
    let balance = token::balance(&world.chain, &vault.tokens());
    token::seize(&mut world.chain, &vault.tokens(), balance - 2 * ONE);
    world.chain.send_while_short(&[instruction::note_shortage(&vault)]).unwrap();
    let noted = world.chain.now();
    assert_eq!(number(&world.chain.account(&vault.vault).data, 608).cast_signed(), noted, "short since");
    world.chain.wait(48 * 3_600);
    world
        .chain
        .send(&[instruction::recognise_loss(&vault), instruction::sync_account(&vault, &trader.account)])
        .unwrap();
    let data = world.chain.account(&vault.vault).data;
    assert_eq!(number(&data, 608), 0, "not short");
    let lost = [624, 632, 640, 648].map(|at| number(&data, at));
    assert_eq!(lost, [0, INSURANCE_POOL, MAIN_POOL, 6 * ONE], "lost by protocol, insurance, main pool, margin");
    assert_eq!(data[656], 1, "losses of margin");
    assert_eq!([664, 672, 680].map(|at| number(&data, at)), [8 * ONE, 6 * ONE, 0], "margin before, lost, repaid");
    let account = world.chain.account(&trader.account).data;
    assert_eq!((number(&account, 80), account[768]), (2 * ONE, 1), "collateral, losses seen");
    assert_eq!((number(&account, 776), number(&account, 784)), (6 * ONE, 0), "lost, repaid so far");
}

#[test]
fn a_stock_lies_as_it_always_did() {
    let mut world = World::with_stock(0, stock_parameters_with_token_feed());
    let (vault, mint, now) = (world.vault, world.vault.stock_mint, world.chain.now());
    let day = u16::try_from(now / 86_400).unwrap();
    let short = vec![ShortDay { day, close_minute: 780 }];
    world.chain.send(&[instruction::shorten_sessions(&world.admin, &vault, short)]).unwrap();
    world.chain.send(&[instruction::acknowledge_multiplier(&world.admin, &vault, 3f64.to_bits())]).unwrap();
    set_multiplier(&mut world.chain, &mint, 1.0, 3.0, now + 7_200);
    world.chain.wait(10);
    world.crank_stock().unwrap();
    let data = world.chain.account(&vault.stock()).data;
    assert_eq!(data[..8], [72, 150, 18, 32, 28, 209, 236, 29]);
    assert_eq!([key(&data, 8), key(&data, 40)], [vault.vault, mint]);
    assert_eq!([&data[72..104], &data[104..136]], [SHARE_FEED, TOKEN_FEED]);
    assert_eq!(data[136], 1, "version");
    assert_eq!((half(&data, 144), half(&data, 148), half(&data, 152), half(&data, 154)), (10, 60, 50, 500), "guards");
    assert_eq!([160, 162, 164, 166].map(|at| half(&data, at)), [6_000, 500, 200, 2_500], "settings in bps");
    assert_eq!(data[168..172], [8, 0, 1, 1], "decimals, units of both feeds, whether there is a token feed");
    assert_eq!((half(&data, 176), half(&data, 178)), (day, 780), "first short day");
    for feed in [304, 440] {
        assert_eq!([feed, feed + 8].map(|at| number(&data, at)), [0, 400], "price, Q64.64");
        assert_eq!(number(&data, feed + 48).cast_signed(), now + 10, "publish time");
    }
    assert_eq!([number(&data, 576), number(&data, 584)].map(f64::from_bits), [1.0, 3.0], "multiplier, acknowledged");
    assert_eq!(
        [592, 600, 608, 616].map(|at| number(&data, at)),
        [0; 4],
        "doubted price, since when prices are missing"
    );
    assert_eq!((number(&data, 624), number(&data, 632).cast_signed()), (0, now + 7_200), "last change, next change");
    assert_eq!((number(&data, 640), number(&data, 648)), (0, world.chain.slot()), "grace, slot of the last crank");
    assert_eq!(number(&data, 664), 250_000 << 24, "raw tokens of a dollar at the last price, Q40.24");
    assert_eq!((half(&data, 680), data[682]), (0, 0), "states, whether a multiplier waits for an acknowledgement");
    assert_eq!(half(&data, 684), 0, "how far a price may be from the last one while a split is in doubt, in bps");
    assert_eq!(data.len(), 688 + 104);
}

#[test]
fn a_dollar_market_lies_as_it_always_did() {
    let mut world = World::with_dollar_market(0);
    world.crank_first().unwrap();
    let data = world.chain.account(&world.markets[0].market).data;
    assert_eq!(number(&data, 80), 0, "no units per dollar of its own");
    let units = data.len() - 128 - 64 * 136 - AFTER_UNITS - 24;
    assert_eq!(number(&data, units + 8), 250_000 << 24, "units per dollar of the last price");
    assert!(number(&data, units) < 250_000 << 24 && number(&data, units + 16) > 250_000 << 24, "its range");
}

#[test]
fn a_market_lies_as_it_always_did() {
    let mut world = World::new();
    let trader = world.trader("trader", ONE);
    world.open(&trader, put(1), 1_000).unwrap();
    let data = world.chain.account(&world.markets[0].market).data;
    assert_eq!(data[..8], [219, 190, 213, 55, 0, 227, 198, 154]);
    assert_eq!([key(&data, 8), key(&data, 40)], [world.vault.vault, world.markets[0].index]);
    assert_eq!((data[72], data[74]), (1, 0), "version, number");
    assert_eq!(number(&data, 80), 250_000 << 24, "units per dollar");
    assert_eq!(number(&data, 96), 100_000, "reference strike, whole dollars");
    assert_eq!(number(&data, 104), 100, "smallest size");
    assert_eq!(number(&data, 120) & 0xffff_ffff, 7 * 86_400, "period");
    assert_eq!(data.len(), 8 + size_of::<perpetua::state::Market>());
    let market = world.market(0);
    let slots = data.len() - 128 - 64 * 136;
    let slot = slots + 136;
    assert_eq!(number(&data, slot + 8), 101_249, "strike of tick 1, whole dollars: a hair below 101,250");
    assert_eq!(number(&data, slot + 16 + 56), 1_000, "open interest of its puts");
    assert_eq!(half(&data, slot + 128), 1, "tick");
    assert_eq!(market.slots[1].series[1].open_interest.0, 1_000);
}

#[test]
fn a_ticket_lies_as_it_always_did() {
    let mut world = World::new();
    let provider = world.provider("first provider", world.vault, 0);
    let ticket = world.request(&provider, Pool::Insurance, 777).unwrap();
    let data = world.chain.account(&ticket).data;
    assert_eq!(data[..8], [92, 140, 181, 69, 244, 220, 233, 156]);
    assert_eq!([key(&data, 8), key(&data, 40)], [world.vault.vault, provider.owner]);
    assert_eq!((data[72], data[73]), (1, 1), "pool, version");
    assert_eq!((number(&data, 80), number(&data, 88), number(&data, 96)), (0, 777, 0), "number, shares, payable");
    assert_eq!(number(&data, 104).cast_signed(), world.chain.now() + 14 * 86_400, "when it is ready");
    assert_eq!(half(&data, 112), 30, "exit fee in bps");
    assert_eq!(data.len(), 80 + 40 + 24);
}

#[test]
#[ignore = "writes fuzz/seeds/accounts: needed again when a layout changes"]
fn accounts_of_every_kind_are_seeds_of_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/accounts");
    let kinds: [(&str, &[u8]); 8] = [
        ("exchange", Exchange::DISCRIMINATOR),
        ("index", Index::DISCRIMINATOR),
        ("vault", Vault::DISCRIMINATOR),
        ("market", Market::DISCRIMINATOR),
        ("margin_account", MarginAccount::DISCRIMINATOR),
        ("ticket", WithdrawalTicket::DISCRIMINATOR),
        ("stock", Stock::DISCRIMINATOR),
        ("proposal", Proposal::DISCRIMINATOR),
    ];
    let worlds: Vec<_> = scenes::all().into_iter().map(|scene| scene.world.chain.snapshot()).collect();
    fs::create_dir_all(&folder).unwrap();
    for (name, discriminator) in kinds {
        let accounts = worlds.iter().flat_map(|world| world.values().map(|account| account.data()));
        let different: BTreeSet<&[u8]> = accounts.filter(|data| data.starts_with(discriminator)).collect();
        for (number, data) in different.iter().step_by(different.len().div_ceil(3).max(1)).enumerate() {
            fs::write(folder.join(format!("{name}_{number}.bin")), data).unwrap();
        }
        assert!(!different.is_empty(), "no scene has a {name}");
    }
}
