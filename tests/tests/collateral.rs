//! Margin accounts: opening, depositing, withdrawing, closing.

use perpetua::state;
use perpetua_client::instruction;
use perpetua_tests::{World, actor, token};

const DEPOSIT: u64 = 123_456_789;

#[test]
fn a_deposit_moves_exactly_its_tokens_into_the_account() {
    let mut world = World::new();
    let trader = world.trader("trader", 0);
    token::issue(&mut world.chain, &trader.owner, &world.vault.stock_mint, &world.vault.token_program, DEPOSIT + 5);
    let (vault, ledgers) = (token::balance(&world.chain, &world.vault.tokens()), world.ledgers());

    world.deposit(&trader, DEPOSIT).unwrap();

    assert_eq!(token::balance(&world.chain, &trader.tokens), 5);
    assert_eq!(token::balance(&world.chain, &world.vault.tokens()), vault + DEPOSIT);
    assert_eq!(world.margin(&trader).collateral.0, DEPOSIT);
    assert_eq!(world.ledgers(), perpetua_model::Vault { margin: perpetua_model::Tokens(DEPOSIT), ..ledgers });
}

#[test]
fn a_withdrawal_moves_exactly_its_tokens_out_of_the_account() {
    let mut world = World::new();
    let trader = world.trader("trader", DEPOSIT);
    let (vault, own) =
        (token::balance(&world.chain, &world.vault.tokens()), token::balance(&world.chain, &trader.tokens));

    world.withdraw(&trader, 1_000).unwrap();

    assert_eq!(token::balance(&world.chain, &trader.tokens), own + 1_000);
    assert_eq!(token::balance(&world.chain, &world.vault.tokens()), vault - 1_000);
    assert_eq!(world.margin(&trader).collateral.0, DEPOSIT - 1_000);
}

#[test]
fn collateral_without_positions_can_be_withdrawn_whole() {
    let mut world = World::new();
    let trader = world.trader("trader", DEPOSIT);
    world.withdraw(&trader, DEPOSIT).unwrap();
    assert_eq!(world.margin(&trader).collateral.0, 0);
    assert_eq!(world.ledgers().margin.0, 0);
}

#[test]
fn tokens_sent_to_the_vault_change_no_ledger() {
    let mut world = World::new();
    let trader = world.trader("trader", DEPOSIT);
    let ledgers = world.ledgers();
    let vault = world.vault;
    let gift = spl_token_2022_interface::instruction::transfer_checked(
        &vault.token_program,
        &trader.tokens,
        &vault.stock_mint,
        &vault.tokens(),
        &trader.owner,
        &[],
        77,
        8,
    );
    world.chain.send(&[gift.unwrap()]).unwrap();
    assert_eq!(world.ledgers(), ledgers);
    world.deposit(&trader, 1_000).unwrap();
    assert_eq!(world.margin(&trader).collateral.0, DEPOSIT + 1_000, "the gift is not credited to the next deposit");
}

#[test]
fn a_plain_spl_token_is_deposited_and_withdrawn_alike() {
    let mut world = World::new();
    let (vault, _) = world.add_spl_vault();
    let trader = world.trader_in(vault, "trader", DEPOSIT);
    let withdraw = instruction::withdraw(&trader.owner, &vault, &trader.account, &trader.tokens, [], DEPOSIT);
    world.chain.send(&[withdraw]).unwrap();
    assert_eq!(token::balance(&world.chain, &trader.tokens), 2 * DEPOSIT);
}

#[test]
fn somebody_else_may_pay_the_rent_of_an_account_and_the_owner_gets_it_back() {
    let mut world = World::new();
    let (owner, payer) = (actor("owner"), actor("rent payer"));
    world.chain.fund(&payer);
    let paid_before = world.chain.account(&payer).lamports;
    let vault = world.vault;
    world.chain.send(&[instruction::open_account(&owner, &payer, &vault, 7)]).unwrap();
    let account = vault.margin_account(&owner, 7);
    let rent = world.chain.account(&account).lamports;
    assert_eq!(paid_before - world.chain.account(&payer).lamports, rent);
    let stored: state::MarginAccount = world.read(&account);
    assert_eq!((stored.vault, stored.owner, stored.sub_account), (vault.vault, owner, 7));

    world.chain.send(&[instruction::close_account(&owner, &account)]).unwrap();
    assert!(world.chain.account(&account).data.is_empty());
    assert_eq!(world.chain.account(&owner).lamports, rent);
}

#[test]
fn more_tokens_than_are_held_cannot_be_deposited() {
    let mut world = World::new();
    let trader = world.trader("trader", DEPOSIT);
    for amount in [DEPOSIT + 1, u64::MAX] {
        // The token program's own error for insufficient funds.
        assert_eq!(world.deposit(&trader, amount).unwrap_err().name(), "Custom1");
    }
}
