//! The token program's own library builds and changes the mints here, and so is the reference that the reader is held
//! against.

use anchor_spl::token_2022::spl_token_2022::{
    extension::{
        self, BaseStateWithExtensions, BaseStateWithExtensionsMut, Extension as _, ExtensionType, StateWithExtensions,
        StateWithExtensionsMut, confidential_transfer::ConfidentialTransferMint,
        default_account_state::DefaultAccountState, metadata_pointer::MetadataPointer, pausable::PausableConfig,
        permanent_delegate::PermanentDelegate, scaled_ui_amount::ScaledUiAmountConfig, transfer_fee::TransferFeeConfig,
        transfer_hook::TransferHook,
    },
    state::Mint,
};
use anchor_spl::token_interface::{
    spl_pod::optional_keys::OptionalNonZeroPubkey, spl_token_metadata_interface::state::TokenMetadata,
};
use anchor_spl::{token, token_2022};
use proptest::prelude::*;

use super::*;

/// Mint accounts of Solana's mainnet; see the provenance beside them.
const XSTOCKS: [&[u8]; 5] = [
    include_bytes!("../../../../../tests/data/mints/TSLAx.bin"),
    include_bytes!("../../../../../tests/data/mints/AAPLx.bin"),
    include_bytes!("../../../../../tests/data/mints/NFLXx.bin"),
    include_bytes!("../../../../../tests/data/mints/SPCXx.bin"),
    include_bytes!("../../../../../tests/data/mints/SPYx.bin"),
];

type MintMut<'a> = StateWithExtensionsMut<'a, Mint>;

/// What an issuer changes of a mint.
type Change = fn(&mut MintMut);

fn check_as(owner: Pubkey, data: &[u8]) -> Result<MintFacts> {
    let (key, mut lamports, mut data) = (Pubkey::default(), 1, data.to_vec());
    check(&AccountInfo::new(&key, false, false, &mut lamports, &mut data, &owner, false))
}

fn checked(data: &[u8]) -> Result<MintFacts> {
    check_as(token_2022::ID, data)
}

fn unchanged(data: &[u8], snapshot: &[u8; 32]) -> Result<()> {
    let (key, mut lamports, mut data) = (Pubkey::default(), 1, data.to_vec());
    require_unchanged(&AccountInfo::new(&key, false, false, &mut lamports, &mut data, &token_2022::ID, false), snapshot)
}

/// TSLAx after a change.
fn tslax(change: impl FnOnce(&mut MintMut)) -> Vec<u8> {
    let mut data = XSTOCKS[0].to_vec();
    let mut mint = MintMut::unpack(&mut data).unwrap();
    change(&mut mint);
    mint.pack_base();
    data
}

/// A mint with the given extensions, as the token program would initialise it.
fn mint_with(kinds: &[ExtensionType], fill: impl FnOnce(&mut MintMut)) -> Vec<u8> {
    let mut data = vec![0; ExtensionType::try_calculate_account_len::<Mint>(kinds).unwrap()];
    let mut mint = MintMut::unpack_uninitialized(&mut data).unwrap();
    fill(&mut mint);
    mint.base = Mint { decimals: 6, is_initialized: true, ..Mint::default() };
    mint.pack_base();
    mint.init_account_type().unwrap();
    data
}

fn fee_mint(older: u16, newer: u16) -> Vec<u8> {
    mint_with(&[ExtensionType::TransferFeeConfig], |mint| {
        let fees = mint.init_extension::<TransferFeeConfig>(true).unwrap();
        fees.older_transfer_fee.transfer_fee_basis_points = older.into();
        fees.newer_transfer_fee.transfer_fee_basis_points = newer.into();
    })
}

fn somebody() -> Pubkey {
    Pubkey::new_unique()
}

fn key() -> OptionalNonZeroPubkey {
    Some(somebody()).try_into().unwrap()
}

fn extension<'a, T: extension::Extension + bytemuck::Pod>(mint: &'a mut MintMut) -> &'a mut T {
    mint.get_extension_mut().unwrap()
}

/// TSLAx with one more extension behind the others.
fn with_entry(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    [XSTOCKS[0], &kind.to_le_bytes(), &length.to_le_bytes(), value].concat()
}

/// Where the entry of a mint's extension starts.
fn entry_of(data: &[u8], kind: ExtensionType) -> usize {
    let mut at = ACCOUNT_TYPE + 1;
    while data[at..at + 2] != u16::from(kind).to_le_bytes() {
        at += HEADER + usize::from(u16::from_le_bytes([data[at + 2], data[at + 3]]));
    }
    at
}

#[test]
fn the_xstocks_of_mainnet_are_accepted() {
    for data in XSTOCKS {
        let facts = checked(data).unwrap();
        assert_eq!((facts.decimals, facts.paused), (8, false));
        assert_eq!(unchanged(data, &facts.snapshot), Ok(()));
    }
}

#[test]
fn mints_without_extensions_are_accepted_in_both_token_programs() {
    let plain = mint_with(&[], |_| {});
    assert_eq!(plain.len(), MINT_LENGTH);
    for program in [token::ID, token_2022::ID] {
        assert_eq!(check_as(program, &plain).unwrap().decimals, 6);
    }
}

#[test]
fn an_account_of_another_program_is_refused() {
    assert_eq!(check_as(somebody(), XSTOCKS[0]), Err(PerpetuaError::MalformedMint.into()));
}

#[test]
fn the_numbers_and_lengths_of_extensions_are_the_token_programs() {
    let theirs = [
        (ExtensionType::TransferFeeConfig, Some(size_of::<TransferFeeConfig>())),
        (ExtensionType::ConfidentialTransferMint, Some(size_of::<ConfidentialTransferMint>())),
        (ExtensionType::DefaultAccountState, Some(size_of::<DefaultAccountState>())),
        (ExtensionType::PermanentDelegate, Some(size_of::<PermanentDelegate>())),
        (ExtensionType::TransferHook, Some(size_of::<TransferHook>())),
        (ExtensionType::MetadataPointer, Some(size_of::<MetadataPointer>())),
        (TokenMetadata::TYPE, None),
        (ExtensionType::ScaledUiAmount, Some(size_of::<ScaledUiAmountConfig>())),
        (ExtensionType::Pausable, Some(size_of::<PausableConfig>())),
    ];
    for (ours, (kind, length)) in Extension::ALL.into_iter().zip(theirs) {
        assert_eq!((ours as u16, ours.length()), (u16::from(kind), length), "{kind:?}");
    }
}

#[test]
fn every_other_extension_is_refused() {
    let allowed = StateWithExtensions::<Mint>::unpack(XSTOCKS[0]).unwrap().get_extension_types().unwrap();
    let allowed: Vec<u16> = allowed.into_iter().chain([ExtensionType::TransferFeeConfig]).map(u16::from).collect();
    assert_eq!(allowed.len(), MAX_EXTENSIONS);
    for kind in (1..=u16::MAX).filter(|kind| !allowed.contains(kind)) {
        let refused = checked(&with_entry(kind, &[0; 32]));
        assert_eq!(refused, Err(PerpetuaError::MintExtensionNotAllowed.into()), "{kind}");
    }
}

#[test]
fn a_mint_whose_accounts_start_frozen_or_uninitialized_is_refused() {
    for state in [0, 2, 3] {
        let data = tslax(|mint| extension::<DefaultAccountState>(mint).state = state);
        assert_eq!(checked(&data), Err(PerpetuaError::MintDefaultsToFrozen.into()), "{state}");
    }
}

#[test]
fn a_transfer_hook_with_a_program_is_refused() {
    let data = tslax(|mint| extension::<TransferHook>(mint).program_id = key());
    assert_eq!(checked(&data), Err(PerpetuaError::MintHasTransferHook.into()));
}

#[test]
fn a_transfer_fee_is_refused_whether_it_is_in_force_or_to_come() {
    for (older, newer) in [(1, 0), (0, 1), (1, 1), (0, 256), (10_000, 0)] {
        let refused = checked(&fee_mint(older, newer));
        assert_eq!(refused, Err(PerpetuaError::MintHasTransferFee.into()), "{older} then {newer}");
    }
    assert!(checked(&fee_mint(0, 0)).is_ok());
}

#[test]
fn confidential_accounts_without_the_issuers_approval_are_refused() {
    let data = tslax(|mint| extension::<ConfidentialTransferMint>(mint).auto_approve_new_accounts = true.into());
    assert_eq!(checked(&data), Err(PerpetuaError::MintAutoApprovesConfidential.into()));
}

#[test]
fn an_uninitialized_mint_is_refused() {
    let data = tslax(|mint| mint.base.is_initialized = false);
    assert_eq!(checked(&data), Err(PerpetuaError::MalformedMint.into()));
}

#[test]
fn what_is_no_mint_is_refused() {
    let mut token_account = XSTOCKS[0].to_vec();
    token_account[ACCOUNT_TYPE] = 2;
    assert_eq!(checked(&token_account), Err(PerpetuaError::MalformedMint.into()));
    // A multisignature account, whose signers' keys somebody chose so that it looks like a mint.
    let mut multisig = vec![0; MULTISIG_LENGTH];
    (multisig[45], multisig[ACCOUNT_TYPE]) = (1, TYPE_MINT);
    assert_eq!(checked(&multisig), Err(PerpetuaError::MalformedMint.into()));
    multisig.push(0);
    assert!(checked(&multisig).is_ok());
}

#[test]
fn a_mint_cut_short_within_an_extension_is_refused() {
    for data in XSTOCKS {
        let metadata = entry_of(data, ExtensionType::TokenMetadata);
        for length in (0..MINT_LENGTH).chain(MINT_LENGTH + 1..ACCOUNT_TYPE + 1).chain(metadata + 2..data.len()) {
            assert_eq!(checked(&data[..length]), Err(PerpetuaError::MalformedMint.into()), "{length} bytes");
        }
    }
}

#[test]
fn an_extension_of_another_length_or_given_twice_is_refused() {
    for extension in Extension::ALL {
        let Some(length) = extension.length() else { continue };
        for wrong in [0, length - 1, length + 1] {
            let mut data = mint_with(&[ExtensionType::Pausable], |_| {});
            data.truncate(ACCOUNT_TYPE + 1);
            data.extend((extension as u16).to_le_bytes());
            data.extend(u16::try_from(wrong).unwrap().to_le_bytes());
            data.extend(vec![0; wrong]);
            assert_eq!(checked(&data), Err(PerpetuaError::MalformedMint.into()), "{extension:?} of {wrong}");
        }
    }
    let twice = with_entry(Extension::PermanentDelegate as u16, &[0; 32]);
    assert_eq!(checked(&twice), Err(PerpetuaError::MalformedMint.into()));
}

#[test]
fn a_paused_mint_may_be_listed_but_moves_no_tokens() {
    let data = tslax(|mint| extension::<PausableConfig>(mint).paused = true.into());
    let facts = checked(&data).unwrap();
    assert!(facts.paused);
    assert_eq!(unchanged(&data, &facts.snapshot), Err(PerpetuaError::MintPaused.into()));
}

#[test]
fn what_an_issuer_does_every_day_is_no_change() {
    let snapshot = checked(XSTOCKS[0]).unwrap().snapshot;
    let supply = tslax(|mint| mint.base.supply += 1);
    let split = tslax(|mint| {
        let scale = extension::<ScaledUiAmountConfig>(mint);
        (scale.multiplier, scale.new_multiplier) = (3.0.into(), 6.0.into());
        scale.new_multiplier_effective_timestamp = 1_800_000_000.into();
    });
    let mut renamed = XSTOCKS[0].to_vec();
    let metadata = entry_of(&renamed, ExtensionType::TokenMetadata);
    renamed[metadata + HEADER + 68] ^= 1;
    let mut longer_text = XSTOCKS[0].to_vec();
    longer_text[metadata + 2] += 1;
    longer_text.push(0);
    for data in [supply, split, renamed, longer_text] {
        assert_eq!(unchanged(&data, &snapshot), Ok(()));
    }
    let paused = tslax(|mint| extension::<PausableConfig>(mint).paused = true.into());
    assert_eq!(checked(&paused).unwrap().snapshot, snapshot);
}

#[test]
fn any_other_authority_is_a_change() {
    let changes: [(&str, Change); 11] = [
        ("mint authority", |m| m.base.mint_authority = Some(somebody()).into()),
        ("freeze authority", |m| m.base.freeze_authority = None.into()),
        ("decimals", |m| m.base.decimals = 9),
        ("pointer authority", |m| extension::<MetadataPointer>(m).authority = key()),
        ("metadata address", |m| extension::<MetadataPointer>(m).metadata_address = key()),
        ("multiplier authority", |m| extension::<ScaledUiAmountConfig>(m).authority = key()),
        ("delegate", |m| extension::<PermanentDelegate>(m).delegate = key()),
        ("pause authority", |m| extension::<PausableConfig>(m).authority = key()),
        ("hook authority", |m| extension::<TransferHook>(m).authority = key()),
        ("confidential authority", |m| extension::<ConfidentialTransferMint>(m).authority = key()),
        ("auditor", |m| m.get_extension_bytes_mut::<ConfidentialTransferMint>().unwrap()[40] ^= 1),
    ];
    let snapshot = checked(XSTOCKS[0]).unwrap().snapshot;
    for (name, change) in changes {
        assert_eq!(unchanged(&tslax(change), &snapshot), Err(PerpetuaError::MintChanged.into()), "{name}");
    }
}

#[test]
fn any_other_fee_authority_is_a_change_and_collected_fees_are_none() {
    let snapshot = checked(&fee_mint(0, 0)).unwrap().snapshot;
    // The two authorities, then the amount withheld.
    for (at, expected) in [(0, false), (31, false), (32, false), (63, false), (64, true), (71, true)] {
        let mut data = fee_mint(0, 0);
        MintMut::unpack(&mut data).unwrap().get_extension_bytes_mut::<TransferFeeConfig>().unwrap()[at] ^= 1;
        let expected = if expected { Ok(()) } else { Err(PerpetuaError::MintChanged.into()) };
        assert_eq!(unchanged(&data, &snapshot), expected, "byte {at}");
    }
}

#[test]
fn an_added_extension_is_a_change() {
    let snapshot = checked(XSTOCKS[0]).unwrap().snapshot;
    let fees = with_entry(Extension::TransferFeeConfig as u16, &[0; 108]);
    assert_eq!(unchanged(&fees, &snapshot), Err(PerpetuaError::MintChanged.into()));
}

#[test]
fn bytes_behind_the_last_extension_are_ignored_as_the_token_program_does() {
    let snapshot = checked(XSTOCKS[0]).unwrap().snapshot;
    for tail in [&[0u8][..], &[0, 0], &[0; 40]] {
        let data = [XSTOCKS[0], tail].concat();
        assert_eq!(unchanged(&data, &snapshot), Ok(()));
        let theirs = StateWithExtensions::<Mint>::unpack(&data).unwrap().get_extension_types().unwrap();
        assert_eq!(theirs.len(), 8);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(data: Vec<u8>, tail in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = checked(&data);
        let _ = checked(&[&XSTOCKS[0][..ACCOUNT_TYPE + 1], &tail].concat());
    }

    #[test]
    fn no_changed_byte_makes_it_panic(which in 0..XSTOCKS.len(), at in 0..676usize, byte: u8) {
        let mut data = XSTOCKS[which].to_vec();
        data[at] = byte;
        let _ = checked(&data);
    }

    #[test]
    fn a_change_that_it_does_not_see_keeps_the_token_programs_view_of_extensions(at in 166..676usize, byte: u8) {
        let mut data = XSTOCKS[0].to_vec();
        let snapshot = checked(&data).unwrap().snapshot;
        let before = StateWithExtensions::<Mint>::unpack(&data).unwrap().get_extension_types().unwrap();
        data[at] = byte;
        if unchanged(&data, &snapshot).is_ok() {
            let after = StateWithExtensions::<Mint>::unpack(&data).unwrap().get_extension_types().unwrap();
            prop_assert_eq!(before, after);
        }
    }
}
