//! A small exchange to test with: one vault, markets on two indices, accounts, withdrawals and a clock.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod desk;

use bytemuck::Zeroable;
use perpetua_model::{pricing::*, *};

/// Friday 2027-01-15 08:00 UTC: the exchange in New York is closed.
pub const START: i64 = 1_800_000_000;
/// Two hours and a half into that day's session.
pub const IN_SESSION: i64 = START + 9 * 3_600;
/// A share at the start, in cents.
pub const SHARE_CENTS: u64 = 40_000;
pub const BTC: usize = 0;
pub const ETH: usize = 1;
pub const KINDS: [PoolKind; 2] = [PoolKind::Main, PoolKind::Insurance];

/// The starting parameters of `docs/mechanism.md` section 9, for an eight-decimal stock token at 400 dollars.
pub fn market_config(reference_dollars: u64) -> MarketConfig {
    MarketConfig {
        units_per_usd: UnitsPerUsd(250_000 << UNITS_PER_USD_FRACTION_BITS),
        reference_strike: Usd::from_integer(reference_dollars).into(),
        min_size: Size(100),
        dust_size: Size(100),
        period: 7 * 86_400,
        max_gap: 3_600,
        margin_horizon: 6 * 3_600,
        liquidation_fee_cents: 100,
        min_penalty_cents: 25,
        penalty_bps: 100,
        strike_ratio_bps: 10_125,
        cap_bps: [5_000; 2],
        carry_bps: 1_000,
        rent_bps: 400,
        min_volatility_bps: 2_000,
        max_volatility_bps: 25_000,
        markup_bps: [11_500, 10_500],
        spread_bps: 200,
        slew_bps: 1_000,
        utilisation_spread_bps: 5_000,
        utilisation_kink_bps: 6_000,
        utilisation_full_bps: 8_500,
        fee_notional_bps: 5,
        fee_value_bps: 1_250,
        series_limit_bps: 1_000,
        side_limit_bps: 5_000,
        ..MarketConfig::zeroed()
    }
}

/// The same for a dollar market.
pub fn dollar_config(reference_dollars: u64) -> MarketConfig {
    MarketConfig {
        units_per_usd: UnitsPerUsd::ZERO,
        settlement: SETTLEMENT_DOLLAR,
        reserve_extra_bps: [2_500, 5_000],
        ..market_config(reference_dollars)
    }
}

pub fn stock_config() -> StockConfig {
    StockConfig {
        guards: guards(),
        volatility_bps: 6_000,
        closed_haircut_bps: 500,
        multiplier_change_bps: 200,
        value_band_bps: 2_500,
        decimals: 8,
        ..StockConfig::zeroed()
    }
}

pub fn vault_config() -> VaultConfig {
    let pool =
        |wait, receivable_bps| PoolConfig { virtual_shares: Shares(100_000), wait, exit_bps: 30, receivable_bps };
    VaultConfig {
        main: pool(3 * 86_400, 8_000),
        insurance: pool(14 * 86_400, 1_500),
        max_utilisation_bps: 8_500,
        padding: [0; 6],
    }
}

pub fn guards() -> Guards {
    Guards { max_age_trade: 10, max_age_crank: 60, max_confidence_bps: 50, average_band_bps: 500, padding: [0; 4] }
}

/// An oracle update at a price in cents with the confidence in bps of the price and an average at spot.
pub fn update(cents: u64, confidence_bps: u64, publish_time: i64, previous_publish_time: i64) -> PriceUpdate {
    let price = Usd::from_cents(cents);
    let confidence = Usd::from_bits(price.bits() * u128::from(confidence_bps) / 10_000);
    PriceUpdate { price, confidence, average: price, publish_time, previous_publish_time }
}

pub fn key(market: u8, side: Side, tick: i16) -> SeriesKey {
    SeriesKey { market, side, tick }
}

pub fn side(put: bool) -> Side {
    if put { Side::Put } else { Side::Call }
}

#[derive(Clone)]
pub struct World {
    pub vault: Vault,
    pub markets: Vec<Market>,
    pub indices: [Index; 2],
    pub cents: [u64; 2],
    pub stock: Stock,
    /// What the stock token's mint says.
    pub mint: ScaledUi,
    /// The price of a share, if the exchange's feed publishes.
    pub share_cents: Option<u64>,
    /// The price on the feed that runs day and night, if it publishes.
    pub token_cents: Option<u64>,
    pub accounts: Vec<MarginAccount>,
    pub tickets: Vec<(PoolKind, Ticket)>,
    pub conditions: Conditions,
    /// Tokens that came into the vault less those that left.
    pub balance: u64,
    pub now: i64,
    pub slot: u64,
}

impl World {
    /// Markets alternate between the two indices. Pools hold 100,000 and 1,000 whole tokens; accounts 1,000 each.
    pub fn new(markets: usize, accounts: usize) -> Self {
        Self::with_config(markets, accounts, market_config)
    }

    pub fn with_config(markets: usize, accounts: usize, config: impl Fn(u64) -> MarketConfig) -> Self {
        Self::with_markets(accounts, &vec![&config as &dyn Fn(u64) -> MarketConfig; markets], START)
    }

    /// One dollar market during a session, and others as given.
    pub fn dollar(accounts: usize) -> Self {
        Self::with_markets(accounts, &[&dollar_config], IN_SESSION)
    }

    /// A market for each configuration, from `now` on.
    pub fn with_markets(accounts: usize, configs: &[&dyn Fn(u64) -> MarketConfig], now: i64) -> Self {
        let sixty_percent = Variance((36 << VOLATILITY_FRACTION_BITS) / 100);
        let index = Index::new(guards(), Some(sixty_percent), now).unwrap();
        let mut world = Self {
            vault: Vault::new(vault_config()).unwrap(),
            markets: vec![],
            indices: [index; 2],
            cents: [10_000_000, 400_000],
            stock: Stock::new(stock_config(), &ScaledUi::NONE, now).unwrap(),
            mint: ScaledUi::NONE,
            share_cents: Some(SHARE_CENTS),
            token_cents: None,
            accounts: vec![MarginAccount::zeroed(); accounts],
            tickets: vec![],
            conditions: Conditions::NORMAL,
            balance: 0,
            now,
            slot: 1_000,
        };
        world.publish();
        for (number, config) in configs.iter().enumerate() {
            let mut market = Market::zeroed();
            let config = config(if number % 2 == BTC { 100_000 } else { 4_000 });
            market.initialize(config, &world.indices[number % 2], world.now, world.now).unwrap();
            world.markets.push(market);
        }
        world.crank_all();
        world.join(PoolKind::Main, 10_000_000_000_000).unwrap();
        world.join(PoolKind::Insurance, 100_000_000_000).unwrap();
        for account in 0..accounts {
            world.deposit(account, 100_000_000_000).unwrap();
        }
        world
    }

    pub fn moment(&self) -> Moment {
        Moment { now: self.now, slot: self.slot }
    }

    pub fn index_of(&self, market: usize) -> &Index {
        &self.indices[market % 2]
    }

    /// Publishes both prices now, a second after the update before.
    pub fn publish(&mut self) {
        for (index, cents) in self.indices.iter_mut().zip(self.cents) {
            index.accept(&update(cents, 2, self.now, self.now - 1), self.now).unwrap();
        }
    }

    /// Lets time pass, taking a volatility sample at the last mark on the way, and publishes both prices at the end.
    pub fn advance(&mut self, seconds: i64) {
        let end = self.now + seconds;
        let mark = end.div_euclid(SAMPLE_SECONDS) * SAMPLE_SECONDS;
        if mark > self.now && mark < end {
            self.now = mark;
            self.publish();
        }
        self.slot += 1 + u64::try_from(seconds).unwrap() * 5 / 2;
        self.now = end;
        self.publish();
    }

    pub fn set_price(&mut self, index: usize, cents: u64) {
        self.cents[index] = cents;
    }

    pub fn crank(&mut self, market: usize) -> Result<Accrual> {
        let dollar = self.markets[market].config.settlement() == Settlement::Dollar;
        if dollar {
            self.crank_stock()?;
        }
        let (moment, stock) = (self.moment(), Some(&self.stock).filter(|_| dollar));
        self.markets[market].accrue(&self.indices[market % 2], stock, moment)
    }

    /// Publishes what the stock's feeds publish, a second after the update before, and looks at the mint.
    pub fn crank_stock(&mut self) -> Result<()> {
        let at = |cents: u64| update(cents, 2, self.now, self.now - 1);
        let (share, token) = (self.share_cents.map(at), self.token_cents.map(at));
        self.stock.crank(&self.mint, share.as_ref(), token.as_ref(), self.moment())
    }

    pub fn crank_all(&mut self) {
        for market in 0..self.markets.len() {
            self.crank(market).unwrap();
        }
    }

    /// Time, prices and a crank.
    pub fn step(&mut self, seconds: i64) {
        self.advance(seconds);
        self.crank_all();
    }

    pub fn deposit(&mut self, account: usize, amount: u64) -> Result<()> {
        self.vault.deposit(&mut self.accounts[account], Tokens(amount))?;
        self.balance += amount;
        Ok(())
    }

    pub fn withdraw(&mut self, account: usize, amount: u64) -> Result<Health> {
        let refs = refs(&self.markets);
        let (conditions, now) = (self.conditions, self.now);
        let health = withdraw(&mut self.vault, &mut self.accounts[account], &refs, Tokens(amount), conditions, now)?;
        self.balance -= amount;
        Ok(health)
    }

    pub fn quote_open(&self, key: SeriesKey, size: u64) -> Result<OpenQuote> {
        let number = usize::from(key.market);
        let (index, conditions) = (self.index_of(number), self.conditions);
        self.markets[number].quote_open(index, &self.vault, key, Size(size), conditions, self.moment())
    }

    pub fn open(&mut self, account: usize, key: SeriesKey, size: u64) -> Result<OpenReport> {
        self.open_within(account, key, size, u64::MAX)
    }

    pub fn open_within(&mut self, account: usize, key: SeriesKey, size: u64, max_cost: u64) -> Result<OpenReport> {
        let (moment, index) = (self.moment(), self.indices[usize::from(key.market) % 2]);
        let markets = trade_markets(&mut self.markets, key.market);
        open_position(
            &mut self.vault,
            &mut self.accounts[account],
            markets,
            &index,
            (key, Size(size)),
            Tokens(max_cost),
            self.conditions,
            moment,
        )
    }

    pub fn close(&mut self, account: usize, key: SeriesKey, size: u64) -> Result<CloseReport> {
        self.close_within(account, key, size, 0)
    }

    pub fn close_within(
        &mut self,
        account: usize,
        key: SeriesKey,
        size: u64,
        min_proceeds: u64,
    ) -> Result<CloseReport> {
        let (moment, number) = (self.moment(), usize::from(key.market));
        close_position(
            &mut self.vault,
            &mut self.accounts[account],
            &mut self.markets[number],
            &self.indices[number % 2],
            (key, Size(size)),
            Tokens(min_proceeds),
            self.conditions,
            moment,
        )
    }

    pub fn settle_capped(&mut self, account: usize, key: SeriesKey) -> Result<CloseReport> {
        self.settle(account, key, SettleReason::Capped)
    }

    pub fn retire(&mut self, account: usize, key: SeriesKey) -> Result<CloseReport> {
        self.settle(account, key, SettleReason::Far)
    }

    pub fn settle_abandoned(&mut self, account: usize, key: SeriesKey) -> Result<CloseReport> {
        self.settle(account, key, SettleReason::Abandoned)
    }

    fn settle(&mut self, account: usize, key: SeriesKey, reason: SettleReason) -> Result<CloseReport> {
        let (moment, number) = (self.moment(), usize::from(key.market));
        let (market, index) = (&mut self.markets[number], &self.indices[number % 2]);
        settle_position(&mut self.vault, &mut self.accounts[account], market, index, key, reason, moment)
    }

    pub fn settle_funding(&mut self, account: usize) -> Result<Tokens> {
        settle_funding(&mut self.vault, &mut self.accounts[account], &mut muts(&mut self.markets))
    }

    pub fn liquidate(&mut self, account: usize, keeper: usize) -> Result<LiquidationReport> {
        let (moment, markets) = (self.moment(), self.markets.len());
        let (mut debtor, mut rewarded) = (self.accounts[account], self.accounts[keeper]);
        let indices = self.indices;
        let report = liquidate(
            &mut self.vault,
            &mut debtor,
            &mut rewarded,
            &mut muts(&mut self.markets),
            core::array::from_fn(|number| (number < markets).then_some(&indices[number % 2])),
            self.conditions,
            moment,
        )?;
        (self.accounts[account], self.accounts[keeper]) = (debtor, rewarded);
        Ok(report)
    }

    pub fn health(&self, account: usize) -> Health {
        health(&self.accounts[account], &refs(&self.markets), self.now).unwrap()
    }

    /// Marks every market and values a pool.
    pub fn value(&mut self, kind: PoolKind) -> Result<NetAssetValue> {
        for number in 0..self.markets.len() {
            let moment = self.moment();
            self.markets[number].mark(&self.indices[number % 2], moment)?;
        }
        self.vault.net_asset_value(kind, self.markets.iter(), self.slot)
    }

    pub fn join(&mut self, kind: PoolKind, amount: u64) -> Result<Shares> {
        let value = self.value(kind)?;
        let shares = self.vault.join_pool(kind, value, Tokens(amount), Shares(0), self.conditions)?;
        self.balance += amount;
        Ok(shares)
    }

    pub fn request(&mut self, kind: PoolKind, shares: u64) -> Result<usize> {
        let ticket = self.vault.request_withdrawal(kind, Shares(shares), self.now)?;
        self.tickets.push((kind, ticket));
        Ok(self.tickets.len() - 1)
    }

    pub fn execute(&mut self, ticket: usize) -> Result<Execution> {
        let kind = self.tickets[ticket].0;
        let (value, moment) = (self.value(kind)?, self.moment());
        let ticket = &mut self.tickets[ticket].1;
        self.vault.execute_withdrawal(kind, ticket, value, true, self.conditions, moment)
    }

    pub fn cancel(&mut self, ticket: usize) -> Result<Shares> {
        let (kind, ticket) = &mut self.tickets[ticket];
        self.vault.cancel_withdrawal(*kind, ticket, self.now)
    }

    pub fn claim(&mut self, ticket: usize) -> Result<Tokens> {
        let paid = self.vault.claim_withdrawal(&mut self.tickets[ticket].1, self.conditions)?;
        self.balance -= paid.0;
        Ok(paid)
    }

    pub fn collect_fees(&mut self) -> Result<Tokens> {
        let paid = self.vault.collect_fees()?;
        self.balance -= paid.0;
        Ok(paid)
    }

    /// Every sum that must match another, recomputed from the accounts.
    pub fn check(&self) {
        assert_eq!(self.vault.total().unwrap().0, self.balance, "ledgers and tokens");
        self.vault.check_conservation(Tokens(self.balance)).unwrap();
        let collateral: u64 = self.accounts.iter().map(|account| account.collateral.0).sum();
        assert_eq!(self.vault.margin.0, collateral, "margin and collateral");
        let payable: u64 = self.tickets.iter().map(|(_, ticket)| ticket.payable.0).sum();
        assert_eq!(self.vault.payable.0, payable, "payable and tickets");
        let reserved: u64 = self.markets.iter().flat_map(|market| market.reserves).map(|reserve| reserve.0).sum();
        assert_eq!(self.vault.reserves.0, reserved, "reserves of the vault and its markets");
        for (number, market) in self.markets.iter().enumerate() {
            self.check_market(u8::try_from(number).unwrap(), market);
        }
        for kind in KINDS {
            let pool = self.vault.pool(kind);
            let waiting = self.tickets.iter().filter(|(of, ticket)| *of == kind && ticket.number >= pool.head_ticket);
            let queued: u64 = waiting.map(|(_, ticket)| ticket.shares.0).sum();
            assert_eq!(pool.queued_shares.0, queued, "queue and tickets");
            assert!(pool.queued_shares <= pool.shares);
        }
    }

    fn check_market(&self, number: u8, market: &Market) {
        // Per slot and side: open interest, entry sum modulo 2^128, reserve.
        let mut sums = [[(0u64, 0u128, 0u64); 2]; SLOTS];
        for account in &self.accounts {
            for (_, position) in account.open_positions().filter(|(_, position)| position.market == number) {
                let slot = &market.slots[slot_of(position.tick)];
                assert_eq!(slot.tick, position.tick, "a position's slot was taken over");
                if let Settlement::Quanto(units) = market.config.settlement() {
                    let most = market.config.cap_value(position.key().side, slot.strike.into());
                    let cap = token_value(position.size, units, most, Rounding::Up).unwrap();
                    assert!(position.reserve >= cap, "a position's reserve covers its cap");
                }
                assert!(position.entry() <= slot.series[usize::from(position.side)].index());
                let sum = &mut sums[slot_of(position.tick)][usize::from(position.side)];
                sum.0 += position.size.0;
                sum.1 = sum.1.wrapping_add(u128::from(position.size.0).wrapping_mul(position.entry().0));
                sum.2 += position.reserve.0;
            }
        }
        let mut reserves = [0; 2];
        for (place, slot) in market.slots.iter().enumerate() {
            for (side, series) in slot.series.iter().enumerate() {
                let found = (series.open_interest.0, series.entry_sum.get(), series.reserve.0);
                assert_eq!(found, sums[place][side], "series and positions, slot {place} side {side}");
                reserves[side] += series.reserve.0;
            }
            assert_eq!(market.active >> place & 1 == 1, !slot.is_free(), "active bit of slot {place}");
        }
        assert_eq!(market.reserves.map(|reserve| reserve.0), reserves, "market and series");
    }
}

pub fn refs(markets: &[Market]) -> MarketRefs<'_> {
    core::array::from_fn(|number| markets.get(number))
}

pub fn muts(markets: &mut [Market]) -> MarketMuts<'_> {
    let mut rest = markets.iter_mut();
    core::array::from_fn(|_| rest.next())
}

pub fn trade_markets(markets: &mut [Market], number: u8) -> TradeMarkets<'_> {
    let mut traded = None;
    let mut others = MarketRefs::default();
    for (place, market) in markets.iter_mut().enumerate() {
        if place == usize::from(number) {
            traded = Some(market);
        } else {
            others[place] = Some(market);
        }
    }
    TradeMarkets { number, traded: traded.unwrap(), others }
}

/// Failures are reported with their input and need no file.
pub fn cases(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() }
}
