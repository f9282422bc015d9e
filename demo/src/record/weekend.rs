//! What the weekend scenario leaves behind.

use serde::Serialize;

use super::Record;
use crate::scenario::states::{Attempt, State};

/// Both chapters.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Weekend {
    /// In the order of time.
    pub chapters: Vec<Chapter>,
}

/// A few weeks.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Chapter {
    /// What happens in it.
    pub title: String,
    /// The exchange's sessions: first second and the second after the last, Unix time.
    pub sessions: Vec<(i64, i64)>,
    /// The state of the world at each moment.
    pub moments: Vec<Moment>,
    /// What was tried, and what it met.
    pub attempts: Vec<Attempt>,
    /// The least that a round trip lost to prices, as a part of the option's value.
    pub least_loss: f64,
    /// What every run leaves behind.
    pub record: Record,
}

/// The state of the world at a moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Moment {
    /// Unix seconds.
    pub time: i64,
    /// US dollars.
    pub bitcoin: f64,
    /// The last price of a share, US dollars.
    pub share: f64,
    /// What a whole token is worth by it, US dollars.
    pub token: f64,
    /// Tokens per dollar that users are paid at, that funding counts, and that users pay at.
    pub tokens_per_dollar: [f64; 3],
    /// What the holder's option of one bitcoin would pay, tokens; nothing while it cannot be sold or is not there.
    pub option: Option<f64>,
    /// What is not normal.
    pub states: Vec<State>,
}
