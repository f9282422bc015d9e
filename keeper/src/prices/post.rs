//! The transaction that writes an update to its pushed account.
//!
//! With three of five signatures the signed root is short enough for one transaction: it is written to an account of its
//! own, verified there, used and closed again, so that its rent returns. Only then does the receiver call it fully verified.

use anchor_lang::{
    AnchorSerialize,
    prelude::{AccountMeta, Pubkey},
    solana_program::{instruction::Instruction, rent::Rent, system_instruction},
    system_program,
};
use perpetua_client::price::{self, PUSH_ORACLE};
use pyth_solana_receiver_sdk::{
    PostUpdateParams,
    pda::{get_config_address, get_treasury_address},
};

use super::update::Update;

/// First bytes of each instruction: those of `sha256("global:" + name)`.
const INIT_ENCODED_VAA: [u8; 8] = [209, 193, 173, 25, 91, 202, 181, 218];
const WRITE_ENCODED_VAA: [u8; 8] = [199, 208, 110, 177, 150, 76, 118, 42];
const VERIFY_ENCODED_VAA_V1: [u8; 8] = [103, 56, 177, 229, 240, 103, 68, 73];
const CLOSE_ENCODED_VAA: [u8; 8] = [48, 221, 174, 198, 231, 7, 152, 38];
const UPDATE_PRICE_FEED: [u8; 8] = [28, 9, 93, 150, 86, 153, 188, 115];

/// Bytes in front of a signed root in its account.
const HEADER: usize = 46;
/// First seed of a set of signers.
const GUARDIAN_SET: &[u8] = b"GuardianSet";
/// Treasuries that fees are spread over.
const TREASURIES: i64 = 256;

/// Where an update is posted, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Who signs and pays.
    pub payer: Pubkey,
    /// The program that verifies signatures.
    pub wormhole: Pubkey,
    /// The shard of the pushed accounts.
    pub shard: u16,
}

/// The instructions that post an update; nothing if it is malformed.
pub fn instructions(target: &Target, update: &Update) -> Option<Vec<Instruction>> {
    let Target { payer, wormhole, .. } = target;
    // Two updates at once must not meet in one account, and the same one twice must.
    let feed: String = update.feed.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let seed = format!("pyth {feed} {}", update.publish_time);
    let encoded = Pubkey::create_with_seed(payer, &seed, wormhole).ok()?;
    let space = HEADER.checked_add(update.vaa.len())?;
    let lamports = Rent::default().minimum_balance(space);
    let space = u64::try_from(space).ok()?;
    // Version, then the number of the set that signed, big-endian.
    let set = update.vaa.get(1..5)?;
    let set = Pubkey::find_program_address(&[GUARDIAN_SET, set], wormhole).0;
    let verifier = |name: [u8; 8], rest: Vec<u8>, more: Option<AccountMeta>| {
        let accounts = [AccountMeta::new(*payer, true), AccountMeta::new(encoded, false)].into_iter().chain(more);
        Instruction { program_id: *wormhole, accounts: accounts.collect(), data: [&name[..], &rest].concat() }
    };
    let mut write = Vec::new();
    (0u32, &update.vaa).serialize(&mut write).ok()?;
    Some(vec![
        system_instruction::create_account_with_seed(payer, &encoded, payer, &seed, lamports, space, wormhole),
        verifier(INIT_ENCODED_VAA, Vec::new(), None),
        verifier(WRITE_ENCODED_VAA, write, None),
        verifier(VERIFY_ENCODED_VAA_V1, Vec::new(), Some(AccountMeta::new_readonly(set, false))),
        push(target, update, &encoded)?,
        verifier(CLOSE_ENCODED_VAA, Vec::new(), None),
    ])
}

/// Writes the price to its pushed account, by the signed root that was verified.
fn push(target: &Target, update: &Update, encoded: &Pubkey) -> Option<Instruction> {
    let treasury_id = u8::try_from(update.publish_time.rem_euclid(TREASURIES)).ok()?;
    let parameters = PostUpdateParams { merkle_price_update: update.proof.clone(), treasury_id };
    let mut data = UPDATE_PRICE_FEED.to_vec();
    (parameters, target.shard, update.feed).serialize(&mut data).ok()?;
    let accounts = vec![
        AccountMeta::new(target.payer, true),
        AccountMeta::new_readonly(pyth_solana_receiver_sdk::ID, false),
        AccountMeta::new_readonly(*encoded, false),
        AccountMeta::new_readonly(get_config_address(), false),
        AccountMeta::new(get_treasury_address(treasury_id), false),
        AccountMeta::new(price::pushed(&update.feed, target.shard), false),
        AccountMeta::new_readonly(system_program::ID, false),
    ];
    Some(Instruction { program_id: PUSH_ORACLE, accounts, data })
}
