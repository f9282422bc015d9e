//! Mints and token accounts of stock tokens, read by the code that the program reads them with.

use anchor_lang::{
    prelude::{AccountInfo, Pubkey},
    solana_program::instruction::Instruction,
};
use anchor_spl::{
    associated_token::{
        get_associated_token_address_with_program_id,
        spl_associated_token_account::instruction::create_associated_token_account_idempotent,
    },
    token,
    token_2022::{
        self,
        spl_token_2022::{
            extension::StateWithExtensions,
            state::{Account, AccountState},
        },
    },
};
use perpetua::token::policy;
use perpetua_model::{Multiplier, ScaledUi};

/// What a stock token's mint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MintInfo {
    /// The mint.
    pub address: Pubkey,
    /// The token program that owns it.
    pub token_program: Pubkey,
    /// Decimals of the token.
    pub decimals: u8,
    /// Shares that a token stands for at the moment of reading; one where the mint has no multiplier.
    pub multiplier: Multiplier,
    /// The multiplier now and to come.
    pub scaled_ui: ScaledUi,
    /// Whether the issuer has paused all transfers.
    pub paused: bool,
    /// Whether vaults accept the mint, and if so the digest of its extensions and authorities, which a vault keeps.
    pub accepted: Option<[u8; 32]>,
}

impl MintInfo {
    /// Reads a mint at `now`, Unix seconds; nothing unless it is one, with a multiplier that the program accepts.
    pub fn decode(address: &Pubkey, owner: &Pubkey, data: &[u8], now: i64) -> Option<Self> {
        let (mut lamports, mut bytes) = (0, data.to_vec());
        let info = AccountInfo::new(address, false, false, &mut lamports, &mut bytes, owner, false);
        let scaled_ui = policy::scaled_ui(&info).ok()?;
        let facts = policy::check(&info).ok();
        Some(Self {
            address: *address,
            token_program: *owner,
            decimals: *data.get(DECIMALS)?,
            multiplier: scaled_ui.at(now).ok()?,
            scaled_ui,
            paused: facts.is_some_and(|facts| facts.paused),
            accepted: facts.map(|facts| facts.snapshot),
        })
    }
}

/// Where a mint says its decimals.
const DECIMALS: usize = 44;

/// What a token account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBalance {
    /// The mint.
    pub mint: Pubkey,
    /// Who may transfer.
    pub owner: Pubkey,
    /// Raw units.
    pub amount: u64,
    /// Whether the issuer froze it.
    pub frozen: bool,
}

impl TokenBalance {
    /// Reads a token account; nothing unless `program` is a token program and the account initialized.
    pub fn decode(program: &Pubkey, data: &[u8]) -> Option<Self> {
        if *program != token::ID && *program != token_2022::ID {
            return None;
        }
        let Account { mint, owner, amount, state, .. } = StateWithExtensions::<Account>::unpack(data).ok()?.base;
        Some(Self { mint, owner, amount, frozen: state == AccountState::Frozen })
    }
}

/// The token account that an owner's wallet shows: the associated one.
pub fn associated(owner: &Pubkey, mint: &Pubkey, token_program: &Pubkey) -> Pubkey {
    get_associated_token_address_with_program_id(owner, mint, token_program)
}

/// Creates an owner's associated token account where there is none.
pub fn create_associated(payer: &Pubkey, owner: &Pubkey, mint: &Pubkey, token_program: &Pubkey) -> Instruction {
    create_associated_token_account_idempotent(payer, owner, mint, token_program)
}
