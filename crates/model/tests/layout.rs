//! The layouts of what accounts hold are frozen: an accidental change of a field's place fails here.

use core::mem::{offset_of, size_of};
use perpetua_model::*;

macro_rules! frozen {
    ($name:ident: $type:ident, $size:literal, { $($field:ident: $offset:literal),* $(,)? }) => {
        #[test]
        fn $name() {
            assert_eq!(size_of::<$type>(), $size);
            $(assert_eq!(offset_of!($type, $field), $offset, stringify!($field));)*
        }
    };
}

frozen!(the_fields_of_position_stay_where_they_are: Position, 40, {
    size: 0,
    entry: 8,
    reserve: 24,
    tick: 32,
    market: 34,
    side: 35,
    padding: 36,
});
frozen!(the_fields_of_margin_account_stay_where_they_are: MarginAccount, 760, {
    collateral: 0,
    positions: 8,
    debt: 648,
    claim: 656,
    losses_seen: 688,
    padding: 689,
    losses: 696,
});
frozen!(the_fields_of_guards_stay_where_they_are: Guards, 16, {
    max_age_trade: 0,
    max_age_crank: 4,
    max_confidence_bps: 8,
    average_band_bps: 10,
    padding: 12,
});
frozen!(the_fields_of_window_stay_where_they_are: Window, 40, {
    number: 0,
    low: 8,
    high: 24,
});
frozen!(the_fields_of_feed_stay_where_they_are: Feed, 136, {
    price: 0,
    confidence: 16,
    average: 32,
    publish_time: 48,
    current: 56,
    previous: 96,
});
frozen!(the_fields_of_short_day_stay_where_they_are: ShortDay, 4, {
    day: 0,
    close_minute: 2,
});
frozen!(the_fields_of_stock_config_stay_where_they_are: StockConfig, 32, {
    guards: 0,
    volatility_bps: 16,
    closed_haircut_bps: 18,
    multiplier_change_bps: 20,
    value_band_bps: 22,
    decimals: 24,
    share_feed_unit: 25,
    token_feed_unit: 26,
    has_token_feed: 27,
    padding: 28,
});
frozen!(the_fields_of_stock_stay_where_they_are: Stock, 544, {
    config: 0,
    calendar: 32,
    share: 160,
    token: 296,
    multiplier: 432,
    acknowledged: 440,
    doubted: 448,
    missing_since: 464,
    changed_at: 480,
    changes_at: 488,
    grace_until: 496,
    cranked_slot: 504,
    units: 512,
    conditions: 536,
    unacknowledged: 538,
    padding: 539,
    doubt_bps: 540,
    reserved: 542,
});
frozen!(the_fields_of_units_range_stay_where_they_are: UnitsRange, 24, {
    low: 0,
    last: 8,
    high: 16,
});
frozen!(the_fields_of_index_stay_where_they_are: Index, 224, {
    guards: 0,
    feed: 16,
    variances: 152,
    sample_mark: 168,
    sample_price: 176,
    sampling_since: 192,
    outage_seconds: 200,
    grace_until: 208,
    outage_until: 216,
});
frozen!(the_fields_of_market_config_stay_where_they_are: MarketConfig, 128, {
    units_per_usd: 0,
    reference_strike: 8,
    min_size: 24,
    dust_size: 32,
    period: 40,
    max_gap: 44,
    margin_horizon: 48,
    liquidation_fee_cents: 52,
    min_penalty_cents: 56,
    penalty_bps: 60,
    strike_ratio_bps: 62,
    cap_bps: 64,
    carry_bps: 68,
    rent_bps: 70,
    min_volatility_bps: 72,
    max_volatility_bps: 74,
    markup_bps: 76,
    spread_bps: 80,
    slew_bps: 82,
    utilisation_spread_bps: 84,
    utilisation_kink_bps: 86,
    utilisation_full_bps: 88,
    fee_notional_bps: 90,
    fee_value_bps: 92,
    series_limit_bps: 94,
    side_limit_bps: 96,
    reserve_extra_bps: 98,
    settlement: 102,
    padding: 103,
});
frozen!(the_fields_of_series_stay_where_they_are: Series, 56, {
    open_interest: 0,
    funding_index: 8,
    entry_sum: 24,
    rate: 40,
    reserve: 48,
});
frozen!(the_fields_of_slot_stay_where_they_are: Slot, 136, {
    strike: 0,
    series: 16,
    tick: 128,
    padding: 130,
});
frozen!(the_fields_of_market_stay_where_they_are: Market, 9352, {
    config: 0,
    accrued_at: 128,
    accrued_slot: 136,
    accrued_publish_time: 144,
    outage_seconds: 152,
    middle: 160,
    target: 176,
    reserves: 192,
    active: 208,
    mark: 216,
    units: 264,
    opens_at: 288,
    margin: 296,
    terms: 344,
    least_reserved: 632,
    conditions: 640,
    padding: 642,
    slots: 648,
});
frozen!(the_fields_of_margin_terms_stay_where_they_are: MarginTerms, 48, {
    reach: 0,
    slew: 8,
    gamma: 16,
    steady: 32,
});
frozen!(the_fields_of_market_terms_stay_where_they_are: MarketTerms, 288, {
    inverse_reference: 0,
    log_rho: 16,
    inverse_log_rho: 32,
    inverse_rho: 48,
    period_years: 64,
    eight_per_period: 80,
    caps: 96,
    cap_distances: 128,
    time_value_rate: 160,
    financed_rate: 176,
    strike_rates: 192,
    markups: 224,
    bid: 256,
    ask: 272,
});
frozen!(the_fields_of_stored_real_stay_where_they_are: StoredReal, 16, {
    mantissa: 0,
    exponent: 8,
});
frozen!(the_fields_of_mark_stay_where_they_are: Mark, 48, {
    slot: 0,
    liability_low: 8,
    liability_high: 16,
    receivable: 24,
    above_reserve: 32,
    at_bounds: 40,
    padding: 41,
});
frozen!(the_fields_of_pool_config_stay_where_they_are: PoolConfig, 16, {
    virtual_shares: 0,
    wait: 8,
    exit_bps: 12,
    receivable_bps: 14,
});
frozen!(the_fields_of_pool_stay_where_they_are: Pool, 56, {
    assets: 0,
    shares: 8,
    queued_shares: 16,
    next_ticket: 24,
    head_ticket: 32,
    head_since: 40,
    last_ready: 48,
});
frozen!(the_fields_of_ticket_stay_where_they_are: Ticket, 40, {
    number: 0,
    shares: 8,
    payable: 16,
    ready: 24,
    exit_bps: 32,
    padding: 34,
});
frozen!(the_fields_of_vault_config_stay_where_they_are: VaultConfig, 40, {
    main: 0,
    insurance: 16,
    max_utilisation_bps: 32,
    padding: 34,
});
frozen!(the_fields_of_vault_stay_where_they_are: Vault, 488, {
    config: 0,
    main: 40,
    insurance: 96,
    margin: 152,
    payable: 160,
    protocol_fees: 168,
    reserves: 176,
    claims: 184,
    payout_window: 224,
    short_since: 240,
    short: 248,
    lost: 256,
    margin_loss_count: 288,
    padding: 289,
    margin_losses: 296,
});
frozen!(the_fields_of_scale_stay_where_they_are: Scale, 16, {
    factor: 0,
    halvings: 8,
    epoch: 12,
});
frozen!(the_fields_of_claim_fund_stay_where_they_are: ClaimFund, 40, {
    outstanding: 0,
    funded: 8,
    scale: 16,
    held: 32,
    padding: 33,
});
frozen!(the_fields_of_claim_stay_where_they_are: Claim, 32, {
    amount: 0,
    collected: 8,
    scale: 16,
});
frozen!(the_fields_of_payout_window_stay_where_they_are: PayoutWindow, 16, {
    start: 0,
    left: 8,
});
frozen!(the_fields_of_loss_stay_where_they_are: Loss, 32, {
    protocol: 0,
    insurance: 8,
    main: 16,
    margin: 24,
});
frozen!(the_fields_of_margin_loss_stay_where_they_are: MarginLoss, 48, {
    before: 0,
    lost: 8,
    repaid: 16,
    repaid_earlier: 24,
});
frozen!(the_fields_of_loss_share_stay_where_they_are: LossShare, 16, {
    lost: 0,
    seen: 8,
});
frozen!(the_fields_of_payout_stay_where_they_are: Payout, 24, {
    main: 0,
    insurance: 8,
    claimed: 16,
});
frozen!(the_fields_of_split_stay_where_they_are: Split, 24, {
    main: 0,
    insurance: 8,
    protocol: 16,
});
frozen!(the_fields_of_health_stay_where_they_are: Health, 32, {
    collateral: 0,
    owed: 8,
    unaccrued: 16,
    maintenance: 24,
});
frozen!(the_fields_of_open_quote_stay_where_they_are: OpenQuote, 56, {
    strike: 0,
    value: 16,
    premium: 32,
    fee: 40,
    reserve: 48,
});
frozen!(the_fields_of_close_quote_stay_where_they_are: CloseQuote, 32, {
    value: 0,
    payout: 16,
    fee: 24,
});
frozen!(the_fields_of_wide_stay_where_they_are: Wide, 16, {
    low: 0,
    high: 8,
});

#[test]
fn a_position_is_read_from_its_golden_bytes() {
    let bytes: Vec<u8> = (1..=32).chain([0xfe, 0xff, 3, 1, 0, 0, 0, 0]).collect();
    let position: Position = bytemuck::pod_read_unaligned(&bytes);
    assert_eq!(position.size, Size(0x0807_0605_0403_0201));
    assert_eq!(position.entry.get(), 0x1817_1615_1413_1211_100f_0e0d_0c0b_0a09);
    assert_eq!(position.reserve, Tokens(0x201f_1e1d_1c1b_1a19));
    assert_eq!(position.key(), SeriesKey { market: 3, side: pricing::Side::Put, tick: -2 });
}

#[test]
fn the_configuration_is_read_from_its_golden_bytes() {
    let bytes: Vec<u8> = (0..size_of::<MarketConfig>()).map(|place| u8::try_from(place).unwrap()).collect();
    let config: MarketConfig = bytemuck::pod_read_unaligned(&bytes);
    assert_eq!(config.units_per_usd, UnitsPerUsd(0x0706_0504_0302_0100));
    assert_eq!(config.reference_strike, Wide { low: 0x0f0e_0d0c_0b0a_0908, high: 0x1716_1514_1312_1110 });
    assert_eq!(config.min_size, Size(0x1f1e_1d1c_1b1a_1918));
    assert_eq!(config.period, 0x2b2a_2928);
    assert_eq!(config.penalty_bps, 0x3d3c);
    assert_eq!(config.cap_bps, [0x4140, 0x4342]);
    assert_eq!(bytemuck::bytes_of(&config), bytes);
}
