//! Every reason to refuse can be met.

mod common;

use common::*;
use perpetua_model::{
    pricing::{Real, Side},
    *,
};

const CALL: SeriesKey = SeriesKey { market: 0, side: Side::Call, tick: 0 };

fn world() -> World {
    let mut world = World::new(1, 2);
    world.step(30);
    world
}

fn holding() -> World {
    let mut world = world();
    world.open(0, CALL, 1_000_000).unwrap();
    world
}

fn accept(update: &PriceUpdate) -> Option<ModelError> {
    world().indices[BTC].accept(update, START + 30).err()
}

fn under(condition: Condition, action: Action) -> Option<ModelError> {
    Conditions::NORMAL.with(condition, true).allow(action).err()
}

fn about_prices(error: ModelError) -> Option<ModelError> {
    match error {
        ModelError::MathOverflow => FundingRate::from_real(Real::MAX).err(),
        ModelError::ParameterOutOfRange => MarketConfig::default().validate().err(),
        ModelError::PriceNotPositive => PriceUpdate::parse(0, 0, 1, 0, 1, 0).err(),
        ModelError::PriceOutOfRange => PriceUpdate::parse(1, 0, 1, -3, 1, 0).err(),
        ModelError::PriceStale => {
            let mut world = holding();
            world.now += 11;
            world.close(0, CALL, 1_000_000).err()
        }
        ModelError::PriceFromFuture => accept(&update(1, 0, START + 36, START)),
        ModelError::PriceUncertain => accept(&update(10_000_000, 51, START + 31, START)),
        ModelError::PriceFarFromAverage => under(Condition::PriceDiverged, Action::Open),
        ModelError::VarianceStale => under(Condition::VarianceStale, Action::Open),
        ModelError::VarianceTooYoung => under(Condition::VarianceYoung, Action::Open),
        ModelError::OpeningPaused => under(Condition::Paused, Action::Open),
        ModelError::RecoveringFromOutage => under(Condition::Grace, Action::Liquidate),
        ModelError::VaultShort => under(Condition::VaultShort, Action::Withdraw),
        _ => about_opening(error),
    }
}

fn about_opening(error: ModelError) -> Option<ModelError> {
    let mut world = world();
    let open = |world: &mut World, side, tick, size| world.open(0, key(0, side, tick), size).err();
    match error {
        ModelError::MarketNotAccrued => {
            world.slot += 1;
            open(&mut world, Side::Call, 0, 1_000)
        }
        ModelError::MarketMissing => {
            world.open(0, CALL, 1_000).unwrap();
            world.markets.clear();
            world.withdraw(0, 1).err()
        }
        ModelError::TickTooFar => open(&mut world, Side::Call, 29, 1_000),
        ModelError::PriceTouchesCap => {
            world.set_price(BTC, 14_160_000);
            world.advance(300);
            world.now += 3;
            world.set_price(BTC, 15_200_000);
            world.publish();
            world.now += 3;
            world.set_price(BTC, 14_160_000);
            world.publish();
            world.crank_all();
            open(&mut world, Side::Call, 0, 1_000)
        }
        ModelError::OptionTooCheap => open(&mut world, Side::Put, -28, 1_000),
        ModelError::SizeTooSmall => open(&mut world, Side::Call, 0, 99),
        ModelError::SizeTooLarge => open(&mut world, Side::Call, 0, MAX_SIZE),
        ModelError::CostAboveLimit => world.open_within(0, CALL, 1_000_000, 1).err(),
        ModelError::UtilisationTooHigh => open(&mut world, Side::Call, 0, 1_000_000_000),
        ModelError::SeriesLimitReached => {
            world.deposit(0, 10_000_000_000_000).unwrap();
            open(&mut world, Side::Call, 0, 100_000_000)
        }
        ModelError::SideLimitReached => {
            world.deposit(0, 10_000_000_000_000).unwrap();
            (0..9).find_map(|tick| open(&mut world, Side::Call, tick, 60_000_000))
        }
        ModelError::SlotOccupied => {
            world.open(0, key(0, Side::Put, -24), 1_000).unwrap();
            world.markets[0].claim_slot(40).err()
        }
        ModelError::NoFreePosition => (-8..9).find_map(|tick| open(&mut world, Side::Call, tick, 1_000)),
        ModelError::InsufficientCollateral => world.withdraw(0, 1 << 50).err(),
        ModelError::BelowInitialMargin => {
            world.open(0, CALL, 1_000_000).unwrap();
            let all = world.accounts[0].collateral.0;
            world.withdraw(0, all).err()
        }
        _ => about_holding(error),
    }
}

fn about_holding(error: ModelError) -> Option<ModelError> {
    let mut world = holding();
    match error {
        ModelError::ProceedsBelowLimit => world.close_within(0, CALL, 1_000, u64::MAX).err(),
        ModelError::NotCapped => world.settle_capped(0, CALL).err(),
        ModelError::NotFar => world.retire(0, CALL).err(),
        ModelError::PositionNotFound => world.close(1, CALL, 1_000).err(),
        ModelError::AccountHealthy => world.liquidate(0, 1).err(),
        ModelError::MarkStale => world.vault.net_asset_value(PoolKind::Main, world.markets.iter(), world.slot).err(),
        _ => about_stock(error),
    }
}

fn about_stock(error: ModelError) -> Option<ModelError> {
    let mut world = World::dollar(1);
    world.open(0, CALL, 1_000_000).unwrap();
    let (monday, moment) = (ShortDay { day: 20_843, close_minute: 0 }, world.moment());
    match error {
        ModelError::MintPaused => under(Condition::MintPaused, Action::Withdraw),
        ModelError::MintChanged => under(Condition::MintChanged, Action::Withdraw),
        ModelError::TokensFrozen => under(Condition::TokensFrozen, Action::Withdraw),
        ModelError::NotAbandoned => world.settle_abandoned(0, CALL).err(),
        ModelError::StockMissing => world.markets[0].accrue(&world.indices[BTC], None, moment).err(),
        ModelError::StockNotCranked => {
            let later = Moment { slot: moment.slot + 1, ..moment };
            world.markets[0].accrue(&world.indices[BTC], Some(&world.stock), later).err()
        }
        ModelError::StockPriceStale => {
            world.share_cents = None;
            world.step(60);
            world.close(0, CALL, 1_000_000).err()
        }
        ModelError::StockFarFromAverage => under(Condition::StockDiverged, Action::Open),
        ModelError::StockMarketClosed => {
            world.step(8 * 3_600);
            world.open(0, CALL, 1_000).err()
        }
        ModelError::MultiplierChanging => {
            world.mint.current = 1.01f64.to_bits();
            world.mint.next = world.mint.current;
            world.step(5);
            world.close(0, CALL, 1_000_000).err()
        }
        ModelError::CalendarInvalid => world.stock.calendar.add(ShortDay { close_minute: 960, ..monday }, START).err(),
        ModelError::CalendarFull => (0..60u16).find_map(|day| {
            let day = ShortDay { day: monday.day + day / 5 * 7 + day % 5, ..monday };
            world.stock.calendar.add(day, START).err()
        }),
        ModelError::MultiplierInvalid => Multiplier::from_bits(0).err(),
        _ => about_pools(error),
    }
}

fn about_pools(error: ModelError) -> Option<ModelError> {
    let mut world = world();
    let value = world.value(PoolKind::Main).unwrap();
    let (conditions, moment) = (Conditions::NORMAL, world.moment());
    match error {
        ModelError::AmountZero => world.request(PoolKind::Main, 0).err(),
        ModelError::SharesBelowMinimum => {
            let wanted = Shares(u64::MAX);
            world.vault.join_pool(PoolKind::Main, value, Tokens(1), wanted, conditions).err()
        }
        ModelError::SharePriceTooLow => {
            let worthless = NetAssetValue { high: Tokens(0), ..value };
            world.vault.join_pool(PoolKind::Main, worthless, Tokens(1), Shares(0), conditions).err()
        }
        ModelError::TicketNotReady => {
            let ticket = world.request(PoolKind::Main, 1).unwrap();
            world.execute(ticket).err()
        }
        ModelError::TicketOutOfOrder => {
            world.request(PoolKind::Main, 1).unwrap();
            let second = world.request(PoolKind::Main, 1).unwrap();
            world.execute(second).err()
        }
        ModelError::TicketNotQueued => {
            let ticket = world.request(PoolKind::Main, 1).unwrap();
            world.cancel(ticket).unwrap();
            world.cancel(ticket).err()
        }
        ModelError::TicketStillOpen => {
            let ticket = world.request(PoolKind::Main, 1).unwrap();
            world.vault.require_finished(PoolKind::Main, &world.tickets[ticket].1).err()
        }
        ModelError::MarkAtBounds => {
            let mut ticket = world.vault.request_withdrawal(PoolKind::Main, Shares(1), 0).unwrap();
            let bounds = NetAssetValue { at_bounds: true, ..value };
            let moment = Moment { now: i64::from(world.vault.config.main.wait), ..moment };
            world.vault.main.head_since = 0;
            world.vault.execute_withdrawal(PoolKind::Main, &mut ticket, bounds, false, conditions, moment).err()
        }
        ModelError::NothingToCollect => world.collect_fees().err(),
        // Raised by the program where it closes an account, which the model only answers for.
        ModelError::AccountNotEmpty => (!world.accounts[0].is_empty()).then_some(error),
        _ => about_losses(error),
    }
}

fn about_losses(error: ModelError) -> Option<ModelError> {
    let mut world = world();
    let balance = world.balance;
    match error {
        ModelError::ClaimsOpen => {
            world.vault.pay_out(&mut world.accounts[0], Tokens(1 << 40), Tokens(0), START).unwrap();
            world.join(PoolKind::Insurance, 1_000).err()
        }
        ModelError::NotShort => world.vault.recognise_loss(Tokens(balance), START).err(),
        ModelError::LossNotDue => world.vault.recognise_loss(Tokens(balance - 1), START).err(),
        ModelError::TooManyLosses => (1..6).find_map(|number| {
            let (left, now) = (Tokens(world.vault.margin.0 - 1), START + number * LOSS_DELAY);
            world.vault.observe_balance(left, now - LOSS_DELAY).unwrap();
            world.vault.recognise_loss(left, now).err()
        }),
        ModelError::ReserveOutgrown | ModelError::PayoutUncovered => {
            let mut world = World::dollar(1);
            let put = key(0, Side::Put, 0);
            world.open(0, put, 8_000_000).unwrap();
            world.share_cents = Some(SHARE_CENTS / 2);
            let capped = error == ModelError::PayoutUncovered;
            world.set_price(BTC, if capped { 4_000_000 } else { 10_000_000 });
            world.step(120);
            if capped { world.settle_capped(0, put).err() } else { world.open(0, put, 1_000).err() }
        }
        ModelError::ParameterNeverChanges => Change::Never.require_possible().err(),
        ModelError::NothingToChange => Change::None.require_possible().err(),
        ModelError::ChangeMustWait => Change::Waits.require_at_once().err(),
        ModelError::ChangeNotReady => require_due(START, START + CHANGE_DELAY - 1).err(),
        ModelError::ChangeExpired => require_due(START, START + CHANGE_DELAY + CHANGE_LIFETIME + 1).err(),
        ModelError::MarketNotOpen => {
            world.markets[0].opens_at = world.now + 1;
            world.open(0, key(0, Side::Call, 0), 1_000_000).err()
        }
        ModelError::NothingToRepay => world.vault.repay_losses(Tokens(balance + 1)).err(),
        _ => None,
    }
}

/// All of them; a test below counts them in the source.
const ALL: [ModelError; 70] = {
    use ModelError::*;
    [
        MathOverflow,
        ParameterOutOfRange,
        PriceNotPositive,
        PriceOutOfRange,
        PriceStale,
        PriceFromFuture,
        PriceUncertain,
        PriceFarFromAverage,
        VarianceStale,
        VarianceTooYoung,
        OpeningPaused,
        RecoveringFromOutage,
        VaultShort,
        MintPaused,
        MintChanged,
        TokensFrozen,
        NotAbandoned,
        StockMissing,
        StockNotCranked,
        StockPriceStale,
        StockFarFromAverage,
        StockMarketClosed,
        MultiplierChanging,
        CalendarInvalid,
        CalendarFull,
        MultiplierInvalid,
        MarketNotAccrued,
        MarketMissing,
        TickTooFar,
        PriceTouchesCap,
        OptionTooCheap,
        SlotOccupied,
        SizeTooSmall,
        SizeTooLarge,
        CostAboveLimit,
        ProceedsBelowLimit,
        UtilisationTooHigh,
        SeriesLimitReached,
        SideLimitReached,
        NotCapped,
        NotFar,
        NoFreePosition,
        PositionNotFound,
        InsufficientCollateral,
        BelowInitialMargin,
        AccountHealthy,
        MarkStale,
        MarkAtBounds,
        AmountZero,
        SharesBelowMinimum,
        SharePriceTooLow,
        TicketNotReady,
        TicketOutOfOrder,
        TicketNotQueued,
        TicketStillOpen,
        NothingToCollect,
        AccountNotEmpty,
        ClaimsOpen,
        NotShort,
        LossNotDue,
        TooManyLosses,
        NothingToRepay,
        ReserveOutgrown,
        PayoutUncovered,
        ParameterNeverChanges,
        NothingToChange,
        ChangeMustWait,
        ChangeNotReady,
        ChangeExpired,
        MarketNotOpen,
    ]
};
#[test]
fn every_error_is_raised_by_something() {
    for error in ALL {
        assert_eq!(about_prices(error), Some(error), "{error}");
    }
}

#[test]
fn the_list_above_is_complete_and_messages_are_distinct() {
    let source = include_str!("../src/error.rs");
    let declared = source.lines().filter(|line| line.starts_with("    ") && line.contains(" = \"")).count();
    assert_eq!(ALL.len(), declared);
    let messages: std::collections::BTreeSet<_> = ALL.iter().map(|error| error.to_string()).collect();
    assert_eq!(messages.len(), declared);
}
