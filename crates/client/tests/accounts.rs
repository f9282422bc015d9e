//! What the readers accept and refuse.

use anchor_lang::Discriminator;
use perpetua::state::{Exchange, Vault};
use perpetua_client::{
    account::{ReadError, Stored, read, read_copy},
    address, event,
    price::PriceAccount,
};

/// An exchange as the program stores it, of layout `version`.
fn exchange(version: u8) -> Vec<u8> {
    let mut data = Exchange::DISCRIMINATOR.to_vec();
    data.resize(8 + size_of::<Exchange>(), 0);
    data[8 + 96] = version;
    data
}

#[test]
fn an_account_of_the_program_is_read() {
    let data = exchange(1);
    assert_eq!(read_copy::<Exchange>(&address::PROGRAM, &data).unwrap().version(), 1);
    assert_eq!(read::<Exchange>(&address::PROGRAM, &data).unwrap().version(), 1);
}

#[test]
fn an_account_of_another_program_is_refused() {
    let owner = perpetua_client::price::OWNER;
    assert_eq!(read_copy::<Exchange>(&owner, &exchange(1)).unwrap_err(), ReadError::WrongOwner(owner));
}

#[test]
fn another_kind_of_account_is_refused() {
    assert_eq!(read_copy::<Vault>(&address::PROGRAM, &exchange(1)).unwrap_err(), ReadError::WrongKind);
    assert_eq!(read_copy::<Exchange>(&address::PROGRAM, &[]).unwrap_err(), ReadError::WrongKind);
}

#[test]
fn an_account_of_another_size_is_refused() {
    let mut data = exchange(1);
    data.push(0);
    assert_eq!(read_copy::<Exchange>(&address::PROGRAM, &data).unwrap_err(), ReadError::WrongSize(241));
}

#[test]
fn a_layout_from_the_future_is_refused() {
    assert_eq!(read_copy::<Exchange>(&address::PROGRAM, &exchange(2)).unwrap_err(), ReadError::UnknownVersion(2));
}

#[test]
fn a_real_price_account_is_decoded_and_encoded_to_the_same_bytes() {
    let real = include_bytes!("../../../tests/data/pyth/sol_usd_2026-10-07.bin");
    let price = PriceAccount::decode(real).unwrap();
    assert_eq!(price.exponent, -8);
    assert_eq!(price.encode(), *real);
}

#[test]
fn a_price_that_is_partly_verified_or_cut_short_is_not_decoded() {
    assert_eq!(PriceAccount::decode(include_bytes!("../../../tests/data/pyth/btc_usd_partially_verified.bin")), None);
    let real = include_bytes!("../../../tests/data/pyth/sol_usd_2026-10-07.bin");
    for length in 0..133 {
        assert_eq!(PriceAccount::decode(&real[..length]), None, "{length}");
    }
}

#[test]
fn bytes_that_are_no_event_are_no_event() {
    assert_eq!(event::decode(&[]), None);
    assert_eq!(event::decode(&[0; 64]), None);
    let mut unknown = anchor_lang::event::EVENT_IX_TAG_LE.to_vec();
    unknown.extend([9; 40]);
    assert_eq!(event::decode(&unknown), None);
}
