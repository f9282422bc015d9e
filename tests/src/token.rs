//! Stock tokens: the bytes of a real xStock mint, whose authorities are replaced by the tests' issuer so that tests can
//! mint, pause and freeze; and a plain SPL token.

use anchor_lang::solana_program::program_pack::Pack;
pub use perpetua_client::token::associated;
use perpetua_client::token::create_associated;
use solana_account::Account;
use solana_pubkey::Pubkey;

use crate::{Chain, actor};

/// Token-2022.
pub const TOKEN_2022: Pubkey = spl_token_2022_interface::ID;
/// The classic token program.
pub const SPL_TOKEN: Pubkey = spl_token_interface::ID;
/// Raw units in one whole stock token.
pub const ONE: u64 = 100_000_000;

const TSLAX: &[u8] = include_bytes!("../data/mints/TSLAx.bin");
/// Where the extensions of a Token-2022 mint begin.
const EXTENSIONS: usize = 166;

/// Extensions by their number in the mint's data.
pub mod extension {
    /// Takes a fee on transfers.
    pub const TRANSFER_FEE: u16 = 1;
    /// Lets an authority close the mint.
    pub const CLOSE_AUTHORITY: u16 = 3;
    /// Confidential transfers.
    pub const CONFIDENTIAL: u16 = 4;
    /// The state that new accounts start in.
    pub const DEFAULT_STATE: u16 = 6;
    /// Tokens that stay where they are.
    pub const NON_TRANSFERABLE: u16 = 9;
    /// Shows amounts with interest.
    pub const INTEREST: u16 = 10;
    /// An authority that can move everybody's tokens.
    pub const PERMANENT_DELEGATE: u16 = 12;
    /// A program called on every transfer.
    pub const TRANSFER_HOOK: u16 = 14;
    /// The factor between raw and displayed amounts.
    pub const SCALED_UI: u16 = 25;
    /// A switch that stops transfers.
    pub const PAUSABLE: u16 = 26;
}

/// Who mints, pauses and freezes.
pub fn issuer() -> Pubkey {
    actor("issuer")
}

/// A copy of the TSLAx mint at `address`, with nothing issued and the tests' issuer in place of the real one.
pub fn create_xstock(chain: &mut Chain, address: &Pubkey) {
    let mut data = TSLAX.to_vec();
    data[4..36].copy_from_slice(issuer().as_ref());
    data[36..44].fill(0);
    data[50..82].copy_from_slice(issuer().as_ref());
    let pausable = extension_at(&data, extension::PAUSABLE).expect("xStocks are pausable");
    data[pausable..pausable + 32].copy_from_slice(issuer().as_ref());
    chain.set(address, Account { lamports: 1_000_000_000, data, owner: TOKEN_2022, ..Account::default() });
}

/// A plain SPL token mint at `address`, without a freeze authority.
pub fn create_spl(chain: &mut Chain, address: &Pubkey) {
    let mint = spl_token_interface::state::Mint {
        mint_authority: Some(issuer()).into(),
        decimals: 8,
        is_initialized: true,
        ..Default::default()
    };
    let mut data = vec![0; spl_token_interface::state::Mint::LEN];
    mint.pack_into_slice(&mut data);
    chain.set(address, Account { lamports: 1_000_000_000, data, owner: SPL_TOKEN, ..Account::default() });
}

/// Where the value of an extension begins in a mint's data.
pub fn extension_at(data: &[u8], kind: u16) -> Option<usize> {
    let mut at = EXTENSIONS;
    while at + 4 <= data.len() {
        let here = u16::from_le_bytes([data[at], data[at + 1]]);
        if here == kind {
            return Some(at + 4);
        }
        at += 4 + usize::from(u16::from_le_bytes([data[at + 2], data[at + 3]]));
    }
    None
}

/// Appends an extension to a mint.
pub fn add_extension(chain: &mut Chain, mint: &Pubkey, kind: u16, value: &[u8]) {
    chain.edit(mint, |data| {
        data.extend_from_slice(&kind.to_le_bytes());
        data.extend_from_slice(&u16::try_from(value.len()).expect("extensions are small").to_le_bytes());
        data.extend_from_slice(value);
    });
}

/// Changes an extension's value.
pub fn edit_extension(chain: &mut Chain, mint: &Pubkey, kind: u16, change: impl FnOnce(&mut [u8])) {
    chain.edit(mint, |data| {
        let at = extension_at(data, kind).expect("the mint has the extension");
        change(&mut data[at..]);
    });
}

/// Creates an owner's associated token account and returns its address.
pub fn open(chain: &mut Chain, owner: &Pubkey, mint: &Pubkey, program: &Pubkey) -> Pubkey {
    let create = create_associated(&chain.payer, owner, mint, program);
    chain.send(&[create]).expect("a token account can be created");
    associated(owner, mint, program)
}

/// Issues stock tokens into an owner's associated token account, which is created, and returns its address.
pub fn issue(chain: &mut Chain, owner: &Pubkey, mint: &Pubkey, program: &Pubkey, amount: u64) -> Pubkey {
    let address = open(chain, owner, mint, program);
    let mint_to = spl_token_2022_interface::instruction::mint_to(program, mint, &address, &issuer(), &[], amount);
    chain.send(&[mint_to.expect("a token program")]).expect("the issuer can mint");
    address
}

/// Tokens in a token account; none where there is no account.
pub fn balance(chain: &Chain, account: &Pubkey) -> u64 {
    let data = chain.account(account).data;
    if data.is_empty() { 0 } else { crate::ledger::number(&data, 64) }
}

/// Moves tokens out of an account by force, as an issuer's permanent delegate can.
pub fn seize(chain: &mut Chain, account: &Pubkey, amount: u64) {
    let left = balance(chain, account) - amount;
    chain.edit(account, |data| data[64..72].copy_from_slice(&left.to_le_bytes()));
}

/// Puts tokens into an account, as an issuer who gives back what he seized.
pub fn give_back(chain: &mut Chain, account: &Pubkey, amount: u64) {
    let held = balance(chain, account) + amount;
    chain.edit(account, |data| data[64..72].copy_from_slice(&held.to_le_bytes()));
}

/// Freezes or thaws a token account, as an issuer can: byte 108 says which, 2 for frozen.
pub fn freeze(chain: &mut Chain, account: &Pubkey, frozen: bool) {
    chain.edit(account, |data| data[108] = 1 + u8::from(frozen));
}

/// Switches the issuer's pause on or off.
pub fn pause(chain: &mut Chain, mint: &Pubkey, paused: bool) {
    edit_extension(chain, mint, extension::PAUSABLE, |value| value[32] = u8::from(paused));
}
