//! Where the program's accounts are.

use anchor_lang::{prelude::Pubkey, pubkey};
use perpetua::state::{Exchange, Index, MarginAccount, Market, Proposal, Stock, Vault, WithdrawalTicket};
use perpetua_model::PoolKind;

/// The program's own address.
pub const PROGRAM: Pubkey = perpetua::ID;

/// Where the chain's clock is.
pub const CLOCK: Pubkey = pubkey!("SysvarC1ock11111111111111111111111111111111");

fn find(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &PROGRAM).0
}

/// The program's one configuration account.
pub fn exchange() -> Pubkey {
    find(&[Exchange::SEED])
}

/// The index on a Pyth feed.
pub fn index(feed_id: &[u8; 32]) -> Pubkey {
    find(&[Index::SEED, feed_id])
}

/// The vault of a stock token.
pub fn vault(stock_mint: &Pubkey) -> Pubkey {
    find(&[Vault::SEED, stock_mint.as_ref()])
}

/// The token account that holds a vault's tokens.
pub fn vault_tokens(vault: &Pubkey) -> Pubkey {
    find(&[Vault::TOKENS_SEED, vault.as_ref()])
}

/// The mint of a pool's shares.
pub fn share_mint(vault: &Pubkey, pool: PoolKind) -> Pubkey {
    find(&[Vault::SHARES_SEED, vault.as_ref(), &[pool as u8]])
}

/// The stock behind a vault's token.
pub fn stock(vault: &Pubkey) -> Pubkey {
    find(&[Stock::SEED, vault.as_ref()])
}

/// A vault's market on an index; `settlement` 0 is quanto, 1 is dollar.
pub fn market(vault: &Pubkey, index: &Pubkey, settlement: u8) -> Pubkey {
    find(&[Market::SEED, vault.as_ref(), index.as_ref(), &[settlement]])
}

/// An owner's margin account in a vault.
pub fn margin_account(vault: &Pubkey, owner: &Pubkey, sub_account: u16) -> Pubkey {
    find(&[MarginAccount::SEED, vault.as_ref(), owner.as_ref(), &sub_account.to_le_bytes()])
}

/// A withdrawal from a pool; `number` counts the pool's withdrawals from zero.
pub fn ticket(vault: &Pubkey, pool: PoolKind, number: u64) -> Pubkey {
    find(&[WithdrawalTicket::SEED, vault.as_ref(), &[pool as u8], &number.to_le_bytes()])
}

/// The change that is proposed for an account.
pub fn proposal(target: &Pubkey) -> Pubkey {
    find(&[Proposal::SEED, target.as_ref()])
}

/// Where the upgradeable loader keeps the program's code and its upgrade authority.
pub fn program_data() -> Pubkey {
    let loader = anchor_lang::solana_program::bpf_loader_upgradeable::ID;
    Pubkey::find_program_address(&[PROGRAM.as_ref()], &loader).0
}

/// The signer of the program's calls to itself, by which it logs events.
pub fn event_authority() -> Pubkey {
    find(&[b"__event_authority"])
}
