use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction, system_program};
use perpetua::{GuardParameters, MarketParameters, ShortDay, StockParameters, VaultParameters};
use perpetua_model::PoolKind;

use super::{MarketKeys, VaultKeys, build};
use crate::address;

/// Sets up the program. `admin` is the program's upgrade authority and pays rent.
pub fn initialize_exchange(admin: &Pubkey, guardian: &Pubkey, fee_recipient: &Pubkey) -> Instruction {
    let accounts = perpetua::accounts::InitializeExchange {
        admin: *admin,
        exchange: address::exchange(),
        this_program: address::PROGRAM,
        program_data: address::program_data(),
        system_program: system_program::ID,
    };
    build(accounts, perpetua::instruction::InitializeExchange { guardian: *guardian, fee_recipient: *fee_recipient })
}

/// Lists an underlying. A declared variance (annualised, Q16.48) lets positions open at once.
pub fn create_index(
    admin: &Pubkey,
    feed_id: [u8; 32],
    guards: GuardParameters,
    declared_variance: Option<u64>,
) -> Instruction {
    let accounts = perpetua::accounts::CreateIndex {
        admin: *admin,
        exchange: address::exchange(),
        index: address::index(&feed_id),
        system_program: system_program::ID,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CreateIndex { feed_id, guards, declared_variance })
}

/// Lists a stock token.
pub fn create_vault(admin: &Pubkey, vault: &VaultKeys, parameters: VaultParameters) -> Instruction {
    let accounts = perpetua::accounts::CreateVault {
        admin: *admin,
        exchange: address::exchange(),
        stock_mint: vault.stock_mint,
        vault: vault.vault,
        tokens: vault.tokens(),
        main_shares: vault.share_mint(PoolKind::Main),
        insurance_shares: vault.share_mint(PoolKind::Insurance),
        stock_token_program: vault.token_program,
        share_token_program: anchor_spl::token::ID,
        system_program: system_program::ID,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CreateVault { parameters })
}

/// Names the feeds and settings by which a vault's stock is priced.
pub fn create_stock(admin: &Pubkey, vault: &VaultKeys, parameters: StockParameters) -> Instruction {
    let accounts = perpetua::accounts::CreateStock {
        admin: *admin,
        exchange: address::exchange(),
        vault: vault.vault,
        stock_mint: vault.stock_mint,
        stock: vault.stock(),
        system_program: system_program::ID,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CreateStock { parameters })
}

/// Enters days on which the stock exchange is closed or closes early.
pub fn shorten_sessions(admin: &Pubkey, vault: &VaultKeys, days: Vec<ShortDay>) -> Instruction {
    build(change_stock(admin, vault), perpetua::instruction::ShortenSessions { days })
}

/// Accepts a multiplier of the stock token, the bits of an IEEE-754 double, whatever its size.
pub fn acknowledge_multiplier(admin: &Pubkey, vault: &VaultKeys, multiplier: u64) -> Instruction {
    build(change_stock(admin, vault), perpetua::instruction::AcknowledgeMultiplier { multiplier })
}

fn change_stock(admin: &Pubkey, vault: &VaultKeys) -> perpetua::accounts::ChangeStock {
    perpetua::accounts::ChangeStock {
        admin: *admin,
        exchange: address::exchange(),
        vault: vault.vault,
        stock: vault.stock(),
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    }
}

/// Lists a market of a vault on an index.
pub fn create_market(
    admin: &Pubkey,
    vault: &VaultKeys,
    market: &MarketKeys,
    parameters: MarketParameters,
) -> Instruction {
    let accounts = perpetua::accounts::CreateMarket {
        admin: *admin,
        exchange: address::exchange(),
        vault: vault.vault,
        index: market.index,
        market: market.market,
        system_program: system_program::ID,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CreateMarket { parameters })
}

/// Pauses (guardian or administrator) or resumes (administrator) the opening of positions.
pub fn set_opening_paused(authority: &Pubkey, paused: bool) -> Instruction {
    let accounts = perpetua::accounts::SetOpeningPaused {
        authority: *authority,
        exchange: address::exchange(),
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::SetOpeningPaused { paused })
}

/// Accepts that an issuer changed the extensions or authorities of a vault's mint, which must still pass the policy.
pub fn acknowledge_mint(admin: &Pubkey, vault: &VaultKeys) -> Instruction {
    let accounts = perpetua::accounts::AcknowledgeMint {
        admin: *admin,
        exchange: address::exchange(),
        vault: vault.vault,
        stock_mint: vault.stock_mint,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::AcknowledgeMint {})
}

/// Pays the protocol's fees to a token account of the fee recipient.
pub fn collect_fees(vault: &VaultKeys, destination: &Pubkey) -> Instruction {
    let accounts = perpetua::accounts::CollectFees {
        exchange: address::exchange(),
        vault: vault.vault,
        tokens: vault.tokens(),
        stock_mint: vault.stock_mint,
        destination: *destination,
        token_program: vault.token_program,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CollectFees {})
}
