//! Stock tokens that no vault accepts, and changes of a mint that stop transfers.

use perpetua::Pool;
use perpetua_client::instruction::{self, VaultKeys};
use perpetua_tests::{
    World, actor,
    token::{self, ONE, extension},
    world::Outcome,
};
use solana_pubkey::Pubkey;

/// Lists a vault of an xStock that `change` altered.
fn list(change: impl FnOnce(&mut World, &Pubkey)) -> Outcome {
    let mut world = World::bare();
    world.initialize().unwrap();
    let mint = world.vault.stock_mint;
    change(&mut world, &mint);
    world.create_vault(world.vault)
}

/// Lists a vault of an xStock with one more extension.
fn list_with(kind: u16, value: &[u8]) -> Outcome {
    list(|world, mint| token::add_extension(&mut world.chain, mint, kind, value))
}

/// Deposits after `change` altered the mint of a vault.
fn deposit_after(change: impl FnOnce(&mut World, &Pubkey)) -> Outcome {
    let mut world = World::new();
    let trader = world.trader("trader", ONE);
    let mint = world.vault.stock_mint;
    change(&mut world, &mint);
    world.deposit(&trader, 1)
}

fn withdraw_after(change: impl FnOnce(&mut World, &Pubkey)) -> Outcome {
    let mut world = World::new();
    let trader = world.trader("trader", ONE);
    let mint = world.vault.stock_mint;
    change(&mut world, &mint);
    world.withdraw(&trader, 1)
}

/// Another issuer's key in place of the permanent delegate.
fn rotate_delegate(world: &mut World, mint: &Pubkey) {
    token::edit_extension(&mut world.chain, mint, extension::PERMANENT_DELEGATE, |value| value[..32].fill(9));
}

refusals! {
    a_mint_cut_short_is_refused: MalformedMint =
        deposit_after(|world, mint| world.chain.edit(mint, |data| data.truncate(40)));
    a_mint_with_an_extension_given_twice_is_refused: MalformedMint = deposit_after(|world, mint| {
        token::add_extension(&mut world.chain, mint, extension::DEFAULT_STATE, &[1]);
    });
    a_mint_that_its_issuer_can_close_is_refused: MintExtensionNotAllowed =
        list_with(extension::CLOSE_AUTHORITY, &[1; 32]);
    a_mint_whose_tokens_cannot_be_moved_is_refused: MintExtensionNotAllowed = list_with(extension::NON_TRANSFERABLE, &[]);
    a_mint_that_bears_interest_is_refused: MintExtensionNotAllowed = list_with(extension::INTEREST, &[0; 52]);
    an_extension_that_nobody_knows_is_refused: MintExtensionNotAllowed =
        deposit_after(|world, mint| token::add_extension(&mut world.chain, mint, 999, &[0; 8]));
    a_mint_whose_accounts_start_frozen_is_refused: MintDefaultsToFrozen = list(|world, mint| {
        token::edit_extension(&mut world.chain, mint, extension::DEFAULT_STATE, |value| value[0] = 2);
    });
    a_mint_with_a_transfer_hook_is_refused: MintHasTransferHook = list(|world, mint| {
        token::edit_extension(&mut world.chain, mint, extension::TRANSFER_HOOK, |value| value[32..64].fill(1));
    });
    a_mint_with_a_transfer_fee_is_refused: MintHasTransferFee = {
        let mut fee = [0; 108];
        // The newer of two fees: epoch, maximum, basis points.
        fee[98..106].copy_from_slice(&1_000u64.to_le_bytes());
        fee[106..108].copy_from_slice(&5u16.to_le_bytes());
        list_with(extension::TRANSFER_FEE, &fee)
    };
    a_mint_that_approves_confidential_accounts_is_refused: MintAutoApprovesConfidential = list(|world, mint| {
        token::edit_extension(&mut world.chain, mint, extension::CONFIDENTIAL, |value| value[32] = 1);
    });
    depositing_a_mint_whose_authority_changed_is_refused: MintChanged = deposit_after(rotate_delegate);
    withdrawing_a_mint_whose_authority_changed_is_refused: MintChanged = withdraw_after(rotate_delegate);
    depositing_a_mint_whose_hook_was_switched_on_is_refused: MintHasTransferHook = deposit_after(|world, mint| {
        token::edit_extension(&mut world.chain, mint, extension::TRANSFER_HOOK, |value| value[32..64].fill(1));
    });
    depositing_a_paused_mint_is_refused: MintPaused =
        deposit_after(|world, mint| token::pause(&mut world.chain, mint, true));
    withdrawing_a_paused_mint_is_refused: MintPaused =
        withdraw_after(|world, mint| token::pause(&mut world.chain, mint, true));
    joining_with_a_paused_mint_is_refused: MintPaused = {
        let mut world = World::new();
        let provider = world.provider("second provider", world.vault, ONE);
        let markets = world.markets.clone();
        world.mark(&markets).unwrap();
        let join = world.join(&provider, &markets, Pool::Main, ONE, 0);
        let mint = world.vault.stock_mint;
        token::pause(&mut world.chain, &mint, true);
        world.chain.send(&[join])
    };
}

#[test]
fn a_changed_authority_can_be_acknowledged_by_the_administrator_alone() {
    let mut world = World::new();
    let trader = world.trader("trader", ONE);
    let mint = world.vault.stock_mint;
    rotate_delegate(&mut world, &mint);
    assert_eq!(world.deposit(&trader, 1).unwrap_err().name(), "MintChanged");
    let by_guardian = instruction::acknowledge_mint(&world.guardian, &world.vault);
    assert_eq!(world.chain.send(&[by_guardian]).unwrap_err().name(), "Unauthorized");
    world.chain.send(&[instruction::acknowledge_mint(&world.admin, &world.vault)]).unwrap();
    world.deposit(&trader, 1).unwrap();
}

#[test]
fn a_changed_multiplier_changes_nothing() {
    let mut world = World::new();
    let trader = world.trader("trader", ONE);
    let (mint, ledgers) = (world.vault.stock_mint, world.ledgers());
    // A split of ten to one, as NFLXx had: the multiplier is a double after the authority.
    token::edit_extension(&mut world.chain, &mint, extension::SCALED_UI, |value| {
        value[32..40].copy_from_slice(&10f64.to_le_bytes());
        value[48..56].copy_from_slice(&10f64.to_le_bytes());
    });
    world.deposit(&trader, 5).unwrap();
    world.withdraw(&trader, 5).unwrap();
    assert_eq!(world.ledgers(), ledgers);
}

#[test]
fn an_account_that_is_no_mint_has_no_vault() {
    let mut world = World::bare();
    world.initialize().unwrap();
    let mint = actor("SPL mint");
    token::create_spl(&mut world.chain, &mint);
    let account = token::open(&mut world.chain, &actor("holder"), &mint, &token::SPL_TOKEN);
    world.create_vault(VaultKeys::new(account, token::SPL_TOKEN)).unwrap_err();
}
