//! What a keeper reads, from the tests' chain.
#![allow(dead_code)] // each test uses its part

use std::collections::BTreeSet;

use anchor_lang::{Discriminator, prelude::Pubkey};
use perpetua_client::{
    account::read_copy,
    address,
    book::Book,
    model::PoolKind,
    perpetua::state::MarginAccount,
    price::PriceAccounts,
    snapshot::{Keyed, RawAccount, Snapshot},
};
use perpetua_keeper::{
    config::Schedule,
    job::{Job, Kind, Reason},
    plan::{Identity, Plan, View, plan},
};
use perpetua_tests::{
    Trader, World,
    price::{FEEDS, SHARE_FEED, TOKEN_FEED},
};

/// Where the tests' prices are.
pub fn price_accounts(world: &World) -> PriceAccounts {
    let mut accounts = PriceAccounts::default();
    for (feed, price) in FEEDS.into_iter().zip(world.prices) {
        accounts = accounts.with(feed, price);
    }
    let [share, token] = world.stock_prices;
    accounts.with(SHARE_FEED, share).with(TOKEN_FEED, token)
}

/// Accounts of the chain.
fn snapshot(world: &World, addresses: impl IntoIterator<Item = Pubkey>) -> Snapshot {
    let found = addresses.into_iter().filter_map(|address| {
        let account = world.chain.svm.get_account(&address)?;
        Some((address, RawAccount { owner: account.owner, lamports: account.lamports, data: account.data }))
    });
    Snapshot { slot: world.chain.slot(), accounts: found.collect() }
}

/// All margin accounts.
fn accounts(world: &World) -> Vec<Keyed<MarginAccount>> {
    let everything = world.chain.snapshot().into_keys();
    let margin = everything.filter_map(|address| {
        let account = world.chain.account(&address);
        let is_one = account.data.starts_with(MarginAccount::DISCRIMINATOR);
        is_one.then(|| Keyed {
            address,
            slot: world.chain.slot(),
            account: read_copy(&account.owner, &account.data).expect("it begins as a margin account"),
        })
    });
    margin.collect()
}

/// What a keeper reads of the first vault.
pub fn view(world: &World, keeper: &Trader) -> View {
    let (vault, prices) = (world.vault.vault, price_accounts(world));
    let mut known = Snapshot::default();
    for _ in 0..4 {
        let wanted: BTreeSet<Pubkey> = Book::wanted(&vault, &known, &prices);
        known = snapshot(world, wanted);
    }
    let book = Book::read(&vault, &known, &prices).expect("the vault can be read");
    let heads = [PoolKind::Main, PoolKind::Insurance].map(|kind| {
        let head = book.vault.state.pool(kind).head_ticket;
        let address = address::ticket(&vault, kind, head);
        snapshot(world, [address]).find(&address).expect("a ticket is a ticket")
    });
    let own = snapshot(world, [keeper.account]).find(&keeper.account).expect("an account is an account");
    View { book, accounts: accounts(world), heads, own }
}

/// Who keeps.
pub fn identity(keeper: &Trader) -> Identity {
    Identity { keeper: keeper.owner, sub_account: 0 }
}

/// What is due, by the default schedule.
pub fn due(world: &World, keeper: &Trader) -> Plan {
    plan(&view(world, keeper), &identity(keeper), &Schedule::default())
}

/// Kinds and reasons.
pub fn kinds(plan: &Plan) -> Vec<(Kind, Reason)> {
    plan.jobs.iter().map(|job| (job.key.kind, job.reason)).collect()
}

/// Sends a job as it was planned.
pub fn send(world: &mut World, job: &Job) -> Result<perpetua_tests::Done, perpetua_tests::Failure> {
    assert!(world.chain.fits_a_packet(&job.instructions), "{:?} is too large", job.key);
    world.chain.send_with_full_budget(&job.instructions)
}
