use perpetua_model::pricing::Usd;

use super::*;

/// A SOL/USD account of Solana's mainnet; see the provenance beside it.
const SOL: &[u8] = include_bytes!("../../../../../tests/data/pyth/sol_usd_2026-10-07.bin");
/// A TSLAX/USD account of Solana's mainnet.
const TSLAX: &[u8] = include_bytes!("../../../../../tests/data/pyth/tslax_usd_2026-09-12.bin");
/// An AAPL/USD account of Solana's mainnet, whose exponent is -5.
const AAPL: &[u8] = include_bytes!("../../../../../tests/data/pyth/aapl_usd_2026-09-17.bin");
/// A BTC/USD update that only a part of the guardians signed.
const PARTIAL: &[u8] = include_bytes!("../../../../../tests/data/pyth/btc_usd_partially_verified.bin");

const FEED: core::ops::Range<usize> = 41..73;
const PRICE: core::ops::Range<usize> = 73..81;
const EXPONENT: core::ops::Range<usize> = 89..93;
const AVERAGE: core::ops::Range<usize> = 109..117;

fn feed_of(data: &[u8]) -> [u8; 32] {
    data[FEED].try_into().unwrap()
}

fn read(owner: Pubkey, data: &[u8], feed_id: &[u8; 32]) -> Result<PriceUpdate> {
    let (key, mut lamports, mut data) = (Pubkey::default(), 1, data.to_vec());
    read_price(&AccountInfo::new(&key, false, false, &mut lamports, &mut data, &owner, false), feed_id)
}

fn refusal(data: &[u8]) -> Error {
    read(PYTH_RECEIVER, data, &feed_of(SOL)).unwrap_err()
}

fn with(data: &[u8], at: core::ops::Range<usize>, bytes: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    data[at].copy_from_slice(bytes);
    data
}

#[test]
fn a_mainnet_account_reads_as_the_price_it_shows() {
    // Values read off the captured bytes with another program.
    let update = read(PYTH_RECEIVER, SOL, &feed_of(SOL)).unwrap();
    assert_eq!(update.price, Usd::from_decimal(11_862_164_451, -8).unwrap());
    assert_eq!(update.confidence, Usd::from_decimal(3_335_799, -8).unwrap());
    assert_eq!(update.average, Usd::from_decimal(11_871_955_320, -8).unwrap());
    assert_eq!((update.publish_time, update.previous_publish_time), (1_791_360_258, 1_791_360_257));
}

#[test]
fn exponents_other_than_the_usual_one_are_followed() {
    let update = read(PYTH_RECEIVER, AAPL, &feed_of(AAPL)).unwrap();
    assert_eq!(update.price, Usd::from_decimal(33_563_050, -5).unwrap());
    let update = read(PYTH_RECEIVER, TSLAX, &feed_of(TSLAX)).unwrap();
    assert_eq!(update.price, Usd::from_decimal(36_523_000_001, -8).unwrap());
}

#[test]
fn an_account_of_another_program_is_refused() {
    let refused = read(Pubkey::new_unique(), SOL, &feed_of(SOL)).unwrap_err();
    assert_eq!(refused, PerpetuaError::WrongOracleOwner.into());
}

#[test]
fn another_feed_is_refused() {
    assert_eq!(refusal(TSLAX), PerpetuaError::WrongFeed.into());
}

#[test]
fn a_partially_verified_update_is_refused() {
    assert_eq!(refusal(PARTIAL), PerpetuaError::PriceNotVerified.into());
    assert_eq!(refusal(&with(SOL, 40..41, &[2])), PerpetuaError::PriceNotVerified.into());
}

#[test]
fn another_type_of_account_is_refused() {
    assert_eq!(refusal(&with(SOL, 0..8, &[0; 8])), PerpetuaError::MalformedPrice.into());
}

#[test]
fn an_account_cut_short_anywhere_is_refused() {
    for length in 0..AVERAGE.end {
        assert_eq!(refusal(&SOL[..length]), PerpetuaError::MalformedPrice.into(), "{length} bytes");
    }
}

#[test]
fn a_price_that_is_not_positive_is_refused() {
    for price in [0i64, -1, i64::MIN] {
        assert_eq!(refusal(&with(SOL, PRICE, &price.to_le_bytes())), PerpetuaError::PriceNotPositive.into());
        assert_eq!(refusal(&with(SOL, AVERAGE, &price.to_le_bytes())), PerpetuaError::PriceNotPositive.into());
    }
}

#[test]
fn an_exponent_out_of_range_is_refused() {
    for exponent in [i32::MIN, -30, 12, i32::MAX] {
        let refused = refusal(&with(SOL, EXPONENT, &exponent.to_le_bytes()));
        assert_eq!(refused, PerpetuaError::PriceOutOfRange.into(), "{exponent}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(data: Vec<u8>, tail: [u8; 125]) {
        let feed = feed_of(SOL);
        let _ = read(PYTH_RECEIVER, &data, &feed);
        let _ = read(PYTH_RECEIVER, &with(SOL, 9..134, &tail), &feed);
    }
}
