//! The stock behind a vault's token: what a dollar is worth in tokens, by day and by night, across splits and halts.
//!
//! Every accepted price is turned at once into the value of a whole token, with the multiplier that is in force, and kept
//! like that. So a split changes nothing until a price after it comes, whichever of both is late.

use bytemuck::Zeroable;
use perpetua_pricing::{Real, Rounding, Usd};

use crate::{
    calendar::{Calendar, Session},
    conditions::{Condition, Conditions},
    error::{ModelError, Result},
    feed::{Feed, Guards, PriceUpdate, Standing, exceeds},
    index::{ABANDONED_SECONDS, GRACE_SECONDS, LONG_OUTAGE_SECONDS},
    multiplier::{Multiplier, ScaledUi},
    quantities::{BPS, Tokens, UNITS_PER_USD_FRACTION_BITS, UnitsPerUsd, Wide, bps, share},
    quote::Moment,
};

/// Seconds before and after a change of the multiplier in which dollar markets stand still.
pub const MULTIPLIER_QUIET_SECONDS: i64 = 1_800;
/// Seconds after a change of the multiplier in which a feed's moving average may be of prices before it.
const AVERAGE_QUIET_SECONDS: i64 = 86_400;
/// Seconds for which a missing price of the token feed is waited for.
pub const TOKEN_DUE_SECONDS: i64 = 86_400;
/// The doubt, in bps, of a stock whose next price the administrator believes in advance, whatever it is.
const BELIEVED: u16 = u16::MAX;
/// Most decimals of a stock token: with them a dollar is worth less than 2^39 raw units at any price.
const MAX_DECIMALS: u8 = 9;

/// What one unit of a feed's price refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PricedUnit {
    /// A share, which is one token times the multiplier.
    Share,
    /// A whole token before the multiplier: `10^decimals` raw units.
    Token,
}

/// The parameters of a stock.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct StockConfig {
    /// The guards on both feeds.
    pub guards: Guards,
    /// Volatility from which the width of the price range is computed, in bps a year.
    pub volatility_bps: u16,
    /// What a closing loses while the exchange is closed, in bps.
    pub closed_haircut_bps: u16,
    /// Largest change of the multiplier that needs no acknowledgement, in bps.
    pub multiplier_change_bps: u16,
    /// Widest distance of a whole token's value from the last one before a change of the multiplier, and of the two feeds
    /// from each other, in bps of the former and of the share feed's.
    pub value_band_bps: u16,
    /// Decimals of the stock token.
    pub decimals: u8,
    /// What the feed of the exchange's hours prices: 0 a share, 1 a token.
    pub share_feed_unit: u8,
    /// What the feed that runs day and night prices: 0 a share, 1 a token.
    pub token_feed_unit: u8,
    /// 1 if there is such a feed.
    pub has_token_feed: u8,
    /// Zero.
    pub padding: [u8; 4],
}

impl StockConfig {
    /// Checks the hard bounds.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`].
    pub fn validate(&self) -> Result<()> {
        self.guards.validate()?;
        let sane = (2_000..=20_000).contains(&self.volatility_bps)
            && (100..=2_000).contains(&self.closed_haircut_bps)
            && self.multiplier_change_bps <= 1_000
            && (100..=5_000).contains(&self.value_band_bps)
            && self.decimals <= MAX_DECIMALS
            && self.share_feed_unit <= 1
            && self.token_feed_unit <= 1
            && self.has_token_feed <= 1
            && self.padding == [0; 4];
        if sane { Ok(()) } else { Err(ModelError::ParameterOutOfRange) }
    }
}

/// `X`: what one US dollar is worth in raw stock tokens.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct UnitsRange {
    /// What users are paid at, Q40.24.
    pub low: UnitsPerUsd,
    /// What funding and margin are counted at: that of the last price, Q40.24.
    pub last: UnitsPerUsd,
    /// What users pay at, Q40.24.
    pub high: UnitsPerUsd,
}

impl UnitsRange {
    /// A price that never changes.
    pub const fn fixed(units: UnitsPerUsd) -> Self {
        Self { low: units, last: units, high: units }
    }
}

/// What a dollar market needs to know of its stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockReading {
    /// `X`.
    pub units: UnitsRange,
    /// What is not normal about the stock.
    pub conditions: Conditions,
}

/// A stock's prices, sessions and multiplier.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Stock {
    /// The parameters.
    pub config: StockConfig,
    /// When the exchange trades.
    pub calendar: Calendar,
    /// Prices of the exchange's hours, each of a whole token.
    pub share: Feed,
    /// Prices of the feed that runs day and night, each of a whole token.
    pub token: Feed,
    /// The multiplier that prices of a share are taken with.
    pub multiplier: Multiplier,
    /// The multiplier of any size that the administrator acknowledged last.
    pub acknowledged: Multiplier,
    /// The last price that was too far from the value before a split to be believed, US dollars Q64.64; zero without one.
    pub doubted: Wide,
    /// Since when it is on record that the share's and the token's prices are missing, Unix seconds; zero while they are not.
    pub missing_since: [i64; 2],
    /// When the multiplier changed last, Unix seconds; zero if never.
    pub changed_at: i64,
    /// When it changes next, Unix seconds; zero if nothing is announced.
    pub changes_at: i64,
    /// Until when liquidation and funding wait after a halt, Unix seconds.
    pub grace_until: i64,
    /// The slot of the chain in which the mint and the feeds were looked at last.
    pub cranked_slot: u64,
    /// `X`, as of that.
    pub units: UnitsRange,
    /// What was not normal about the stock then; one bit each.
    pub conditions: Conditions,
    /// 1 while the mint's multiplier is one that nobody acknowledged, so that no price of a share is accepted.
    pub unacknowledged: u8,
    /// Zero.
    pub padding: u8,
    /// From a large announcement or a change of the multiplier until a price of a share has shown that the feed knows of it:
    /// how far a price may then be from the value before, in bps. Zero at other times; the largest number once the
    /// administrator said that the next price is right.
    pub doubt_bps: u16,
    /// Zero.
    pub reserved: [u8; 2],
}

impl Stock {
    /// A stock that has no price yet.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`], [`ModelError::MultiplierInvalid`].
    pub fn new(config: StockConfig, mint: &ScaledUi, now: i64) -> Result<Self> {
        config.validate()?;
        let multiplier = mint.at(now)?;
        Ok(Self { config, multiplier, acknowledged: multiplier, ..Self::zeroed() })
    }

    /// Looks at the mint, and takes in what the feeds published. Without an update the stock goes on with the last price
    /// as far as that is allowed.
    ///
    /// Errors, which change nothing: those of accepting a price; [`ModelError::PriceOutOfRange`],
    /// [`ModelError::MathOverflow`].
    pub fn crank(
        &mut self,
        mint: &ScaledUi,
        share: Option<&PriceUpdate>,
        token: Option<&PriceUpdate>,
        moment: Moment,
    ) -> Result<()> {
        let mut next = *self;
        next.note_multiplier(mint, moment.now);
        if let Some(update) = share {
            next.take_share(update, moment.now)?;
        }
        if let Some(update) = token.filter(|_| self.config.has_token_feed == 1) {
            next.take_token(update, moment.now)?;
        }
        next.note_missing(moment.now);
        let reading = next.look(moment.now)?;
        (next.units, next.conditions) = (reading.units, reading.conditions);
        next.cranked_slot = moment.slot;
        *self = next;
        Ok(())
    }

    /// Accepts one multiplier of any size, now or in advance. For the one in force it also accepts that the stock's value
    /// moved far while it changed: the next price counts, whatever it is.
    pub fn acknowledge(&mut self, multiplier: Multiplier) {
        self.acknowledged = multiplier;
        if multiplier == self.multiplier && self.doubt_bps != 0 {
            self.doubt_bps = BELIEVED;
        }
    }

    /// What a dollar is worth in tokens now, as [`Stock::crank`] found it in this slot: once for all of a vault's markets.
    ///
    /// Errors: [`ModelError::StockNotCranked`] unless that ran in this slot.
    pub fn read(&self, moment: Moment) -> Result<StockReading> {
        if self.cranked_slot != moment.slot {
            return Err(ModelError::StockNotCranked);
        }
        Ok(StockReading { units: self.units, conditions: self.conditions })
    }

    fn look(&self, now: i64) -> Result<StockReading> {
        let session = self.calendar.session_at(now);
        let conditions = Conditions::NORMAL
            .with(Condition::MultiplierChanging, self.is_changing(now))
            .with(Condition::Grace, now < self.grace_until);
        match session.filter(|session| self.is_trading(session, now)) {
            Some(_) => self.read_open(conditions, now),
            None => self.read_closed(conditions, session, now),
        }
    }

    /// Whether the exchange trades by its calendar and by the age of its feed.
    fn is_trading(&self, session: &Session, now: i64) -> bool {
        self.unacknowledged == 0
            && self.share.publish_time >= session.opens
            && self.share.is_fresh(now, self.config.guards.max_age_trade)
    }

    fn read_open(&self, conditions: Conditions, now: i64) -> Result<StockReading> {
        let mut diverged = self.share.is_diverged(&self.config.guards);
        let (mut low, mut high) = self.share.range(self.variance(), diverged, now)?;
        if let Some(token) = self.token_value(now) {
            diverged |= self.is_far_from_last(token, self.config.value_band_bps);
            (low, high) = (low.min(token), high.max(token));
        }
        // The price before a doubted one is still fresh for a few seconds.
        if self.doubted != Wide::ZERO {
            diverged = true;
            (low, high) = (low.min(self.doubted.into()), high.max(self.doubted.into()));
        }
        let units = UnitsRange {
            low: self.units(high, Rounding::Down)?,
            last: self.units(self.share.price.into(), Rounding::Down)?,
            high: self.units(low, Rounding::Up)?,
        };
        Ok(StockReading { units, conditions: conditions.with(Condition::StockDiverged, diverged) })
    }

    fn read_closed(&self, conditions: Conditions, session: Option<Session>, now: i64) -> Result<StockReading> {
        let closed = if self.is_price_due(session, now) { Condition::StockStale } else { Condition::StockClosed };
        let last = Usd::from(self.share.price);
        let token = self.token_value(now).unwrap_or(last);
        let doubted = if self.doubted == Wide::ZERO { last } else { self.doubted.into() };
        let diverged = self.is_far_from_last(token, self.config.value_band_bps) || doubted != last;
        let units = if last == Usd::default() {
            UnitsRange::default()
        } else {
            UnitsRange {
                low: self.after_haircut(self.units(last.max(token).max(doubted), Rounding::Down)?)?,
                last: self.units(last, Rounding::Down)?,
                high: self.units(last.min(token).min(doubted), Rounding::Up)?,
            }
        };
        let abandoned =
            closed == Condition::StockClosed && now.saturating_sub(self.share.publish_time) > ABANDONED_SECONDS;
        let conditions = conditions
            .with(closed, true)
            // Nothing will ever show which price was right, and nobody is bound until then.
            .with(Condition::StockDiverged, diverged && !abandoned)
            .with(Condition::StockAbandoned, abandoned);
        Ok(StockReading { units, conditions })
    }

    /// Puts on record which price is missing, so that everybody has time to post it.
    fn note_missing(&mut self, now: i64) {
        let session = self.calendar.session_at(now);
        let share = session.is_some_and(|session| !self.is_trading(&session, now));
        let token = self.config.has_token_feed == 1 && self.token_value(now).is_none();
        let since = |missing: bool, since: i64, from: i64| match missing {
            true if since != 0 && since >= from => since,
            true => now,
            false => 0,
        };
        let [of_share, of_token] = self.missing_since;
        // A price that came, though too late to trade at, ended what was missing before it.
        let opened = session.map_or(0, |session| session.opens).max(self.share.publish_time);
        self.missing_since = [since(share, of_share, opened), since(token, of_token, 0)];
    }

    /// Whether a price ought to be there that is not: of the share for ten minutes of a session, of the token feed, which
    /// anybody can post at any hour, for a day. Both count from when it was put on record, so that nobody gains by leaving a
    /// price out.
    fn is_price_due(&self, session: Option<Session>, now: i64) -> bool {
        let due = |since: i64, wait: i64| since != 0 && now.saturating_sub(since) <= wait;
        let [share, token] = self.missing_since;
        let share_due = self.unacknowledged == 0 && session.is_some() && due(share, LONG_OUTAGE_SECONDS);
        self.share.publish_time == 0 || share_due || due(token, TOKEN_DUE_SECONDS)
    }

    /// The token feed's price if it is fresh.
    fn token_value(&self, now: i64) -> Option<Usd> {
        let fresh = self.config.has_token_feed == 1 && self.token.is_fresh(now, self.config.guards.max_age_crank);
        fresh.then(|| self.token.price.into())
    }

    /// Whether a value is outside a band around the share feed's last one.
    fn is_far_from_last(&self, value: Usd, band_bps: u16) -> bool {
        let last = Usd::from(self.share.price);
        exceeds(value.max(last).saturating_sub(value.min(last)), last, band_bps)
    }

    fn is_changing(&self, now: i64) -> bool {
        let near =
            |at: i64| at != 0 && now.saturating_sub(at).unsigned_abs() <= MULTIPLIER_QUIET_SECONDS.unsigned_abs();
        near(self.changed_at) || near(self.changes_at)
    }

    /// Follows the mint's multiplier, unless it moved too far for anybody but the administrator to judge.
    fn note_multiplier(&mut self, mint: &ScaledUi, now: i64) {
        self.unacknowledged = match mint.at(now) {
            Ok(multiplier) if multiplier == self.multiplier => 0,
            Ok(multiplier) if self.may_follow(multiplier) => {
                // What was acknowledged for a change to come outlives this one.
                if self.acknowledged == self.multiplier {
                    self.acknowledged = multiplier;
                }
                self.doubt(multiplier);
                self.multiplier = multiplier;
                // The change that was announced is known to the second; another counts from when it is seen.
                let announced = self.changes_at != 0 && self.changes_at == mint.next_from && mint.next_from <= now;
                self.changed_at = if announced { mint.next_from } else { now };
                0
            }
            _ => 1,
        };
        let pending = mint.pending(now);
        self.changes_at = pending.map_or(0, |(_, from)| from);
        // The feed may know of a split before it starts.
        if let Some((next, _)) = pending.filter(|(next, _)| self.doubt_bps != BELIEVED && self.is_large(*next)) {
            self.doubt(next);
        }
    }

    /// Doubts prices of a share while the feed and the mint may be on different sides of a change to `next`: those nearer to
    /// the value times the change than to the value itself, and those outside the band.
    fn doubt(&mut self, next: Multiplier) {
        if self.config.share_feed_unit == PricedUnit::Token as u8 {
            return;
        }
        let (small, large) = if next.real() < self.multiplier.real() {
            (next.real(), self.multiplier.real())
        } else {
            (self.multiplier.real(), next.real())
        };
        let moved = large.div(small).unwrap_or(Real::ONE).saturating_sub(Real::ONE).mul(Real::from_u64(BPS)).halve();
        let halfway = moved.to_fixed(0, Rounding::Down).and_then(|bps| u16::try_from(bps).ok()).unwrap_or(u16::MAX);
        let band = self.config.value_band_bps;
        self.doubt_bps = if self.is_large(next) { band.min(halfway) } else { band };
    }

    fn may_follow(&self, multiplier: Multiplier) -> bool {
        multiplier == self.acknowledged || !self.is_large(multiplier)
    }

    fn is_large(&self, multiplier: Multiplier) -> bool {
        multiplier.moved_by_more_than(self.multiplier, self.config.multiplier_change_bps)
    }

    /// Takes in a price of the exchange. Outside its sessions, and from before the multiplier changed, there is none.
    fn take_share(&mut self, update: &PriceUpdate, now: i64) -> Result<()> {
        let Some(update) = self.of_token(update, self.config.share_feed_unit)? else { return Ok(()) };
        let at = update.publish_time;
        if self.calendar.session_at(now).is_none() || self.calendar.session_at(at).is_none() {
            return Ok(());
        }
        let standing = self.share.judge(&update, &self.config.guards, now)?;
        if standing == Standing::Spent {
            return Ok(());
        }
        let newer = standing == Standing::Newer;
        self.note_halt(&update, newer);
        if !newer {
            return Ok(());
        }
        // The feed may learn of a split before or after the mint does. Until both agree the last value stands.
        let doubtful = !matches!(self.doubt_bps, 0 | BELIEVED) && self.share.publish_time != 0;
        if doubtful && self.is_far_from_last(update.price, self.doubt_bps) {
            self.doubted = update.price.into();
            return Ok(());
        }
        (self.doubt_bps, self.doubted) = (0, Wide::ZERO);
        let update = self.with_average_of_now(update, now);
        self.share.set(&update);
        let variance = self.variance();
        self.share.widen_window(variance, now)
    }

    /// For a day after a change of the multiplier the feed's moving average may be of prices before it: one outside the value
    /// band says nothing then.
    fn with_average_of_now(&self, update: PriceUpdate, now: i64) -> PriceUpdate {
        let recent = self.changed_at != 0 && now.saturating_sub(self.changed_at) <= AVERAGE_QUIET_SECONDS;
        let distance = update.average.max(update.price).saturating_sub(update.average.min(update.price));
        let of_before = recent && exceeds(distance, update.price, self.config.value_band_bps);
        if of_before { PriceUpdate { average: update.price, ..update } } else { update }
    }

    /// What an update proves of the time before it counts for older ones too, so that nobody passes over the first after a
    /// halt.
    fn note_halt(&mut self, update: &PriceUpdate, newer: bool) {
        let (at, previous) = (update.publish_time, update.previous_publish_time);
        let since = if newer { previous.max(self.share.publish_time) } else { previous };
        let silent = self.calendar.open_seconds(since, at);
        if self.share.publish_time != 0 && silent > LONG_OUTAGE_SECONDS.unsigned_abs() {
            self.grace_until = self.grace_until.max(at.saturating_add(GRACE_SECONDS));
        }
    }

    fn take_token(&mut self, update: &PriceUpdate, now: i64) -> Result<()> {
        let Some(update) = self.of_token(update, self.config.token_feed_unit)? else { return Ok(()) };
        if self.token.judge(&update, &self.config.guards, now)? == Standing::Newer {
            self.token.set(&update);
        }
        Ok(())
    }

    /// An update of a whole token's price; nothing while it would take a multiplier that is not known, or is another.
    fn of_token(&self, update: &PriceUpdate, unit: u8) -> Result<Option<PriceUpdate>> {
        if unit == PricedUnit::Token as u8 {
            return Ok(Some(*update));
        }
        if self.unacknowledged == 1 || update.publish_time < self.changed_at {
            return Ok(None);
        }
        update.times(self.multiplier.real()).map(Some)
    }

    /// `X` at a price: `10^decimals / price`.
    fn units(&self, price: Usd, rounding: Rounding) -> Result<UnitsPerUsd> {
        let one = 10u128.pow(u32::from(self.config.decimals.min(MAX_DECIMALS)));
        let (numerator, price) = (one << (64 + UNITS_PER_USD_FRACTION_BITS), price.bits().max(1));
        let units = match rounding {
            Rounding::Down => numerator / price,
            Rounding::Up => numerator.div_ceil(price),
        };
        // The upper bound is that of a quanto market's.
        let units = u64::try_from(units).ok().filter(|units| (1..1 << 63).contains(units));
        units.map(UnitsPerUsd).ok_or(ModelError::MathOverflow)
    }

    /// What is left of what users are paid at while the exchange is closed.
    fn after_haircut(&self, units: UnitsPerUsd) -> Result<UnitsPerUsd> {
        let lost = share(Tokens(units.0), self.config.closed_haircut_bps, Rounding::Up)?;
        units.minus(UnitsPerUsd(lost.0))
    }

    /// The declared variance, which the width of the price range follows from.
    fn variance(&self) -> Real {
        let volatility = bps(self.config.volatility_bps);
        volatility.mul(volatility)
    }
}
