//! The stock behind a vault's token, as a file says it.

use std::fmt;

use anyhow::{Context, Result, anyhow, ensure};
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike, Weekday};
use perpetua_client::{
    model::{self, CLOSE_MINUTE, OPEN_MINUTE, SHORT_DAYS, StockConfig},
    perpetua::{self, GuardParameters, StockParameters},
};
use serde::Deserialize;

use super::{
    fields::{FeedId, GuardFields},
    in_bounds, unique,
};

/// What one unit of a feed's price refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PricedUnit {
    Share,
    Token,
}

impl From<PricedUnit> for perpetua::PricedUnit {
    fn from(unit: PricedUnit) -> Self {
        match unit {
            PricedUnit::Share => Self::Share,
            PricedUnit::Token => Self::Token,
        }
    }
}

/// A stock as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockFields {
    share_feed: FeedId,
    share_feed_unit: PricedUnit,
    token_feed: Option<FeedId>,
    token_feed_unit: Option<PricedUnit>,
    #[serde(with = "GuardFields")]
    guards: GuardParameters,
    volatility_bps: u16,
    closed_haircut_bps: u16,
    multiplier_change_bps: u16,
    value_band_bps: u16,
    short_days: Option<Vec<ShortDay>>,
}

/// The stock behind a vault's token.
#[derive(Clone, Debug)]
pub struct StockDeclaration {
    /// The parameters.
    pub parameters: StockParameters,
    /// When its exchange is closed or closes early.
    pub short_days: Vec<ShortDay>,
}

impl StockFields {
    /// The declaration, with the file's short days where the stock has none of its own.
    ///
    /// Errors: the program would refuse it, whatever the cluster is like; a date is declared twice.
    pub fn resolve(self, defaults: &[ShortDay]) -> Result<StockDeclaration> {
        ensure!(
            self.token_feed.is_some() == self.token_feed_unit.is_some(),
            "token_feed and token_feed_unit come together; give both or neither"
        );
        let token_feed = self.token_feed.map(|FeedId(id)| id);
        ensure!(token_feed != Some(self.share_feed.0), "share_feed and token_feed are the same; correct one");
        let parameters = StockParameters {
            share_feed: self.share_feed.0,
            share_feed_unit: self.share_feed_unit.into(),
            token_feed,
            // Nobody reads it where there is no such feed.
            token_feed_unit: self.token_feed_unit.unwrap_or(PricedUnit::Token).into(),
            guards: self.guards,
            volatility_bps: self.volatility_bps,
            closed_haircut_bps: self.closed_haircut_bps,
            multiplier_change_bps: self.multiplier_change_bps,
            value_band_bps: self.value_band_bps,
        };
        // The decimals are the mint's.
        in_bounds("guards or bps", StockConfig::validate(&parameters.config(0)))?;
        let short_days = self.short_days.unwrap_or_else(|| defaults.to_vec());
        unique("date", short_days.iter().map(|day| day.date.to_string()))?;
        Ok(StockDeclaration { parameters, short_days })
    }
}

/// A weekday on which the stock exchange is closed or closes early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "ShortDayFields")]
pub struct ShortDay {
    /// The date in New York.
    pub date: NaiveDate,
    /// The same as the program has it.
    day: u16,
    /// Minutes after New York's midnight at which trading ends; zero where it never starts.
    close_minute: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShortDayFields {
    date: Date,
    close: Option<Close>,
}

impl From<ShortDayFields> for ShortDay {
    fn from(written: ShortDayFields) -> Self {
        let Date { date, day } = written.date;
        Self { date, day, close_minute: written.close.map_or(0, |Close(minute)| minute) }
    }
}

// Each value is judged where it stands, so that an error names its line.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Date {
    date: NaiveDate,
    day: u16,
}

impl TryFrom<String> for Date {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        let parsed = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|date| date.to_string() == text);
        let date =
            parsed.with_context(|| format!("\"{text}\" is not a date; write one of New York like \"2026-11-26\""))?;
        let weekday = date.weekday();
        ensure!(
            !matches!(weekday, Weekday::Sat | Weekday::Sun),
            "{text} is a {weekday}, when the exchange never trades; name the weekday on which the holiday is observed"
        );
        let day = u16::try_from(date.signed_duration_since(NaiveDate::default()).num_days());
        let day = day.map_err(|_| anyhow!("{text} is out of range; name a date from 1970 to 2149"))?;
        Ok(Self { date, day })
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Close(u16);

impl TryFrom<String> for Close {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        let parsed = NaiveTime::parse_from_str(&text, "%H:%M").ok();
        let minute = parsed.and_then(|time| u16::try_from(time.num_seconds_from_midnight() / 60).ok());
        let earlier = minute.filter(|minute| (OPEN_MINUTE + 1..CLOSE_MINUTE).contains(minute));
        let minute = earlier.with_context(|| {
            format!(
                "\"{text}\" is not an early close; write New York's time between 09:31 and 15:59 like \"13:00\", \
                 or leave close out where the exchange stays closed"
            )
        })?;
        Ok(Self(minute))
    }
}

impl ShortDay {
    /// The same date with another close, in minutes after New York's midnight.
    pub fn closing(self, close_minute: u16) -> Self {
        Self { close_minute, ..self }
    }

    /// As the program's calendar has it.
    pub fn entry(self) -> model::ShortDay {
        model::ShortDay { day: self.day, close_minute: self.close_minute }
    }

    /// As the program's instruction takes it.
    pub fn argument(self) -> perpetua::ShortDay {
        perpetua::ShortDay { day: self.day, close_minute: self.close_minute }
    }

    /// Why the program's calendar does not take it.
    pub fn refusal(self, error: model::ModelError) -> String {
        let remedy = match error {
            model::ModelError::CalendarFull => format!("it holds {SHORT_DAYS}: declare the later ones later"),
            _ => format!("it takes days up to {} ahead: declare it later", model::MAX_DAYS_AHEAD),
        };
        format!("the calendar does not take {}; {remedy}", self.date)
    }

    /// When its session ends, such as `until 13:00`.
    pub fn session(self) -> String {
        match self.close_minute {
            0 => "closed".to_owned(),
            minute => format!("until {:02}:{:02}", minute / 60, minute % 60),
        }
    }
}

impl fmt::Display for ShortDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.session())
    }
}
