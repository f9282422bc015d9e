//! What happened in many sequences, counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    action::Action,
    mirror::{Outcome, Refusal},
};

/// How often each action was accepted, and refused for which reason.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// In the order of [`Action::NAMES`].
    actions: Vec<Tally>,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    accepted: u64,
    // Few reasons each, so looking through them is quick.
    refused: Vec<(Refusal, u64)>,
}

/// The counts of one action, to be written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActionCounts {
    /// Times that it was accepted.
    pub accepted: u64,
    /// Times that it was refused.
    pub refused: u64,
    /// Times for each reason.
    pub reasons: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts an action's outcome.
    pub fn note(&mut self, action: &Action, outcome: &Outcome) {
        self.actions.resize_with(Action::NAMES.len(), Tally::default);
        let Some(tally) = self.actions.get_mut(action.number()) else { return };
        match outcome {
            Ok(()) => tally.accepted += 1,
            Err(refusal) => tally.add(*refusal, 1),
        }
    }

    /// Adds what others counted.
    pub fn add(&mut self, others: &Self) {
        self.actions.resize_with(Action::NAMES.len(), Tally::default);
        for (tally, other) in self.actions.iter_mut().zip(&others.actions) {
            tally.accepted += other.accepted;
            for (refusal, times) in &other.refused {
                tally.add(*refusal, *times);
            }
        }
    }

    /// By the names of actions.
    pub fn by_name(&self) -> BTreeMap<&'static str, ActionCounts> {
        let named = Action::NAMES.iter().zip(&self.actions);
        named.map(|(name, tally)| (*name, tally.written())).collect()
    }
}

impl Tally {
    fn add(&mut self, refusal: Refusal, times: u64) {
        match self.refused.iter_mut().find(|(known, _)| *known == refusal) {
            Some((_, counted)) => *counted += times,
            None => self.refused.push((refusal, times)),
        }
    }

    fn written(&self) -> ActionCounts {
        let reasons: BTreeMap<_, _> = self.refused.iter().map(|(refusal, times)| (refusal.name(), *times)).collect();
        ActionCounts { accepted: self.accepted, refused: reasons.values().sum(), reasons }
    }
}
