use anchor_lang::solana_program::program_pack::Pack;
use anchor_spl::{
    token, token_2022,
    token_2022::spl_token_2022::state::{Account, AccountState},
};

use super::*;

fn balance_of(owner: Pubkey, mut data: Vec<u8>) -> Result<Tokens> {
    let (key, mut lamports) = (Pubkey::default(), 1);
    balance(&AccountInfo::new(&key, false, false, &mut lamports, &mut data, &owner, false))
}

fn token_account(amount: u64) -> Vec<u8> {
    let mut data = vec![0; Account::LEN];
    Account { amount, state: AccountState::Initialized, ..Account::default() }.pack_into_slice(&mut data);
    data
}

#[test]
fn a_balance_is_the_amount_that_the_token_program_stored() {
    for program in [token::ID, token_2022::ID] {
        for amount in [0, 1, 0x0102_0304_0506_0708, u64::MAX] {
            assert_eq!(balance_of(program, token_account(amount)), Ok(Tokens(amount)));
        }
    }
}

#[test]
fn an_account_of_another_program_has_no_balance() {
    let refused = balance_of(Pubkey::new_unique(), token_account(1));
    assert_eq!(refused, Err(PerpetuaError::WrongAccount.into()));
}

#[test]
fn an_account_too_short_for_an_amount_has_no_balance() {
    for length in 0..72 {
        let refused = balance_of(token::ID, vec![0; length]);
        assert_eq!(refused, Err(PerpetuaError::WrongAccount.into()), "{length} bytes");
    }
}
