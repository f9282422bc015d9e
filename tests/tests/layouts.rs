//! Where every field of an account lies: bytes that other programs and old clients read, so none may ever move. Each kind
//! begins with the first eight bytes of the SHA-256 of `account:` and its name.

use perpetua::Pool;
use perpetua_client::address;
use perpetua_tests::{
    World,
    ledger::number,
    price::FEEDS,
    token::ONE,
    world::{INSURANCE_POOL, MAIN_POOL, call, put},
};
use solana_pubkey::Pubkey;

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
    assert_eq!(data.len(), 88 + 16 * 40 + 64);
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
    assert_eq!(data.len(), 80 + 32 + 32);
}
