//! Each amount against exact rational arithmetic, to the unit and on the right side.

mod common;

use common::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

fn ratio(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

fn rounded(exact: &BigRational, rounding: Rounding) -> BigInt {
    match rounding {
        Rounding::Down => exact.floor().to_integer(),
        Rounding::Up => exact.ceil().to_integer(),
    }
}

/// The amount, if it fits the ledgers.
fn tokens(exact: &BigRational, rounding: Rounding) -> Result<Tokens> {
    u64::try_from(rounded(exact, rounding)).map(Tokens).map_err(|_| ModelError::MathOverflow)
}

fn usd(value: Usd) -> BigRational {
    ratio(value.bits(), BigInt::from(1u128 << 64))
}

fn wide_usd(value: Wide) -> BigRational {
    usd(value.into())
}

/// `q / 10^6 * X * V`.
fn worth(size: u64, units: UnitsPerUsd, value: &BigRational) -> BigRational {
    ratio(size, 1_000_000) * ratio(units.0, 1u64 << 24) * value
}

fn rounding() -> impl Strategy<Value = Rounding> {
    prop_oneof![Just(Rounding::Down), Just(Rounding::Up)]
}

/// All magnitudes alike.
fn spread(bits: u32) -> impl Strategy<Value = u128> {
    (0..=bits, any::<u128>()).prop_map(|(bits, value)| if bits == 0 { 0 } else { value >> (128 - bits) })
}

fn small(bits: u32) -> impl Strategy<Value = u64> {
    spread(bits).prop_map(|value| u64::try_from(value).unwrap())
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn a_token_value_is_exact_but_for_the_rounding_asked_for(
        size in small(40), units in small(63), value in spread(88), rounding in rounding(),
    ) {
        let (units, value) = (UnitsPerUsd(units), Usd::from_bits(value));
        let exact = worth(size, units, &usd(value));
        prop_assert_eq!(token_value(Size(size), units, value, rounding), tokens(&exact, rounding));
    }

    #[test]
    fn cents_are_exact_but_for_the_rounding_asked_for(units in small(63), cents in small(32), rounding in rounding()) {
        let exact = ratio(units, 1u64 << 24) * ratio(cents, 100);
        prop_assert_eq!(UnitsPerUsd(units).cents(cents, rounding), tokens(&exact, rounding));
    }

    #[test]
    fn a_share_is_exact_but_for_the_rounding_asked_for(amount in small(64), bps: u16, rounding in rounding()) {
        let exact = ratio(amount, 1) * ratio(bps, 10_000);
        prop_assert_eq!(share(Tokens(amount), bps, rounding), tokens(&exact, rounding));
    }

    #[test]
    fn a_split_gives_pool_and_protocol_their_floor_and_loses_nothing(amount in small(64)) {
        let amount_exact = ratio(amount, 1);
        for (split, insurance, protocol) in [
            (Split::of_funding(Tokens(amount)).unwrap(), ratio(15, 100), ratio(5, 100)),
            (Split::of_fee(Tokens(amount)).unwrap(), ratio(20, 100), ratio(30, 100)),
        ] {
            prop_assert_eq!(Ok(split.insurance), tokens(&(&amount_exact * insurance), Rounding::Down));
            prop_assert_eq!(Ok(split.protocol), tokens(&(&amount_exact * protocol), Rounding::Down));
            prop_assert_eq!(split.total(), Ok(Tokens(amount)));
        }
    }

    #[test]
    fn shares_are_minted_and_burned_at_their_floor(
        assets in small(60), outstanding in small(50), amount in small(50), shares in small(50), low in small(60),
    ) {
        let mut vault = Vault::new(vault_config()).unwrap();
        vault.main.assets = Tokens(assets);
        vault.main.shares = Shares(outstanding);
        let value = NetAssetValue { low: Tokens(low), high: Tokens(assets), at_bounds: false, has_sessions: false };
        let base = ratio(outstanding, 1) + ratio(100_000, 1);
        let minted = ratio(amount, 1) * &base / ratio(u128::from(assets) + 1, 1);
        // A hundredth of the start: one token per virtual share.
        let too_low = ratio(u128::from(assets) + 1, 1) / &base * ratio(100_000 * 100, 1) < ratio(1, 1);
        let expected = if too_low { Err(ModelError::SharePriceTooLow) } else { tokens(&minted, Rounding::Down).map(|t| Shares(t.0)) };
        prop_assert_eq!(vault.shares_for(PoolKind::Main, value, Tokens(amount)), expected);
        let burned = ratio(shares, 1) * ratio(u128::from(low) + 1, 1) / base;
        prop_assert_eq!(vault.tokens_for(PoolKind::Main, value, Shares(shares)), tokens(&burned, Rounding::Down));
    }

    #[test]
    fn exit_capacity_keeps_what_reserves_need_rounded_up(assets in small(64), reserves in small(64)) {
        let mut vault = Vault::new(vault_config()).unwrap();
        vault.main.assets = Tokens(assets);
        vault.reserves = Tokens(reserves);
        let needed = (ratio(reserves, 1) * ratio(10_000, 8_500)).ceil().to_integer();
        let expected = u64::try_from(BigInt::from(assets) - needed).unwrap_or(0);
        prop_assert_eq!(vault.exit_capacity(PoolKind::Main), Ok(Tokens(expected)));
    }

    #[test]
    fn what_may_be_reserved_shrinks_with_the_queue_and_is_rounded_down(
        assets in small(64), shares in 1..u64::MAX, queued: u64,
    ) {
        let mut vault = Vault::new(vault_config()).unwrap();
        vault.main.assets = Tokens(assets);
        (vault.main.shares, vault.main.queued_shares) = (Shares(shares), Shares(queued % shares));
        let staying = ratio(shares - queued % shares, shares);
        let exact = ratio(assets, 1) * ratio(8_500, 10_000) * staying;
        prop_assert_eq!(vault.reservable(), tokens(&exact, Rounding::Down));
    }
}

fn series() -> impl Strategy<Value = (bool, i16, u64)> {
    (any::<bool>(), -27..=27i16, 100..5_000_000u64)
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn premium_fee_and_reserve_round_up_and_proceeds_round_down((put, tick, size) in series(), part in 1..=100u64) {
        let mut world = World::new(1, 1);
        let key = key(0, side(put), tick);
        let Ok(OpenReport { quote, .. }) = world.open(0, key, size) else { return Ok(()) };
        let config = world.markets[0].config;
        let units = config.units_per_usd;
        let notional = rounded(&worth(size, units, &ratio(100_000, 1)), Rounding::Up);
        let fee = |value: &BigRational| {
            let of_notional = rounded(&(ratio(notional.clone(), 1) * ratio(5, 10_000)), Rounding::Up);
            of_notional.min(rounded(&(value * ratio(1_250, 10_000)), Rounding::Up))
        };
        let premium = rounded(&worth(size, units, &wide_usd(quote.value)), Rounding::Up);
        prop_assert_eq!(BigInt::from(quote.premium.0), premium.clone());
        prop_assert_eq!(BigInt::from(quote.fee.0), fee(&ratio(premium, 1)));
        // c K itself is rounded down to 2^-64 dollars.
        let cap = ratio((wide_usd(quote.strike) * ratio(1, 2) * ratio(BigInt::from(1) << 64, 1)).floor().to_integer(), BigInt::from(1) << 64);
        prop_assert_eq!(BigInt::from(quote.reserve.0), rounded(&worth(size, units, &cap), Rounding::Up));

        let sold = (size * part / 100).max(1);
        let before = world.accounts[0].positions[0].reserve.0;
        let Ok(CloseReport { quote, left, .. }) = world.close(0, key, sold) else { return Ok(()) };
        let payout = rounded(&worth(sold, units, &wide_usd(quote.value)), Rounding::Down);
        prop_assert_eq!(BigInt::from(quote.payout.0), payout.clone());
        let notional = rounded(&worth(sold, units, &ratio(100_000, 1)), Rounding::Up);
        let of_notional = rounded(&(ratio(notional, 1) * ratio(5, 10_000)), Rounding::Up);
        let expected = of_notional.min(rounded(&(ratio(payout, 1) * ratio(1_250, 10_000)), Rounding::Up));
        prop_assert_eq!(BigInt::from(quote.fee.0), expected);
        let kept = rounded(&(ratio(before, 1) * ratio(left.0, size)), Rounding::Up);
        prop_assert_eq!(BigInt::from(world.accounts[0].positions[0].reserve.0), kept);
    }

    #[test]
    fn owed_funding_is_rounded_up_once_and_collected_in_whole_units(
        (put, tick, size) in series(), seconds in 1..20_000i64, collateral in 0..1_000_000u64,
    ) {
        let mut world = World::new(1, 1);
        let key = key(0, side(put), tick);
        if world.open(0, key, size).is_err() {
            return Ok(());
        }
        // What margin does not leave is taken out by hand, to see a payment in part.
        let taken = world.accounts[0].collateral.0 - collateral;
        world.vault.release(&mut world.accounts[0], Tokens(taken)).unwrap();
        world.balance -= taken;
        world.step(seconds);
        let position = world.accounts[0].positions[0];
        let index = world.markets[0].series(key.side, tick).unwrap().1.index().0;
        let scale: BigInt = BigInt::from(1) << 64;
        let exact = ratio(size, 1) * ratio(index - position.entry.get(), scale.clone());
        let owed = rounded(&exact, Rounding::Up);
        prop_assert_eq!(BigInt::from(world.health(0).owed.0), owed.clone());

        let paid = world.settle_funding(0).unwrap_or(Tokens::ZERO);
        // Whoever asks for it collects whole units only, so that asking often costs nobody more.
        prop_assert_eq!(BigInt::from(paid.0), rounded(&exact, Rounding::Down).min(collateral.into()));
        let still = ratio(size, 1) * ratio(index - world.accounts[0].positions[0].entry.get(), scale.clone());
        // Nothing is forgiven, and at most a last place of the index times the size is asked for twice.
        let rest = exact - ratio(paid.0, 1);
        prop_assert!(still >= rest && still < rest + ratio(size, scale));
        world.check();
    }
}
