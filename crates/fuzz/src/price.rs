//! Pyth's price accounts from any bytes, and the guard that their prices pass.

use perpetua::{constants::PYTH_RECEIVER, oracle::read_price};
use perpetua_client::price::{LENGTH, PriceAccount};
use perpetua_model::{Guards, Index, ModelError, PriceUpdate, pricing::Usd};

use crate::{take, with_account};

/// Guards within their hard bounds, of which the last two are the strictest that there are.
const GUARDS: Guards =
    Guards { max_age_trade: 10, max_age_crank: 60, max_confidence_bps: 20, average_band_bps: 300, padding: [0; 4] };

/// Two accounts, one after the other, each behind the seconds of the clock's lead on its publish time. The program and the
/// client read the same, and what a double computes; an index takes in what a plain reading of its guards lets through,
/// and refuses without a change.
pub fn price(data: &[u8]) {
    let mut rest = data;
    let declared = perpetua_model::Variance(1 << 46);
    let mut index = Index::new(GUARDS, Some(declared), 0).expect("guards within bounds");
    for _ in 0..2 {
        let lead = i64::from(i16::from_le_bytes(take(&mut rest)));
        let account = &rest[..rest.len().min(LENGTH)];
        if let Some(update) = parse(account) {
            judge(&mut index, &update, update.publish_time.saturating_add(lead));
        }
        rest = &rest[account.len()..];
    }
}

fn parse(data: &[u8]) -> Option<PriceUpdate> {
    let feed: [u8; 32] = data.get(41..73).and_then(|feed| feed.try_into().ok()).unwrap_or_default();
    let program = with_account(&PYTH_RECEIVER, data, |info| read_price(info, &feed));
    let client = PriceAccount::decode(data);
    let Some(client) = client else {
        // The program leaves the last two fields, which it does not need, unread.
        assert!(program.is_err() || data.len() < LENGTH - 1, "the client refuses what the program takes");
        return program.ok();
    };
    assert_eq!(client.encode()[..LENGTH - 1], data[..LENGTH - 1], "encodes to what it was read from");
    let mut other = feed;
    other[0] ^= 1;
    assert!(with_account(&PYTH_RECEIVER, data, |info| read_price(info, &other)).is_err(), "another feed's price");
    assert!(with_account(&perpetua::ID, data, |info| read_price(info, &feed)).is_err(), "another program's account");
    assert_eq!(program.as_ref().ok(), client.update().as_ref().ok(), "program and client read the same");
    let update = program.ok()?;
    let scale = 10f64.powi(client.exponent);
    near(update.price, client.price as f64 * scale);
    near(update.average, client.average as f64 * scale);
    near(update.confidence, client.confidence as f64 * scale);
    assert!(update.price.is_price() && update.average.is_price());
    assert_eq!(
        (update.publish_time, update.previous_publish_time),
        (client.publish_time, client.previous_publish_time)
    );
    Some(update)
}

fn dollars(value: Usd) -> f64 {
    value.bits() as f64 / 2f64.powi(64)
}

/// Within a billionth, or a last place.
fn near(read: Usd, exact: f64) {
    let (read, tolerance) = (dollars(read), exact * 1e-9 + 2f64.powi(-63));
    assert!((read - exact).abs() <= tolerance, "{read} for {exact}");
}

fn judge(index: &mut Index, update: &PriceUpdate, now: i64) {
    let before = *index;
    let age = i128::from(now) - i128::from(update.publish_time);
    let newer = update.publish_time > before.feed.publish_time;
    // A price is below 2^24 and has 64 fraction bits, so these products fit.
    let most = update.price.bits() * u128::from(GUARDS.max_confidence_bps);
    let uncertain = update.confidence.bits().checked_mul(10_000).is_none_or(|confidence| confidence > most);
    let outcome = index.accept(update, now);
    let refusal = match (age, newer, uncertain) {
        (..-5, ..) => Some(ModelError::PriceFromFuture),
        (61.., true, _) => Some(ModelError::PriceStale),
        (_, true, true) => Some(ModelError::PriceUncertain),
        _ => None,
    };
    match outcome {
        Ok(taken) => {
            assert_eq!((refusal, taken), (None, newer));
            let expected = if newer { update.price } else { before.feed.price.into() };
            assert_eq!(Usd::from(index.feed.price), expected, "the newest price stays");
            assert!(index.feed.publish_time >= before.feed.publish_time, "time never goes back");
        }
        Err(error) => {
            assert!(refusal == Some(error) || (refusal.is_none() && error == ModelError::MathOverflow), "{error:?}");
            assert_eq!(*index, before, "a refusal changes nothing");
        }
    }
}
