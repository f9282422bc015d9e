//! What the administrator and the guardian change.

use perpetua_model::Change;

use super::Generator;
use crate::sequences::{
    action::{Action, INDICES, Target},
    mirror::Mirror,
};

impl Generator {
    fn target(&mut self, mirror: &Mirror) -> Target {
        let vault = self.vault();
        match self.random.below(10) {
            0 => Target::Exchange,
            1..=2 => Target::Index(self.random.small(INDICES)),
            3..=4 => Target::Vault(vault),
            5..=6 => Target::Stock(0),
            _ => Target::Market(vault, self.market(mirror, vault)),
        }
    }

    /// A parameter and a value for it, mostly within its bounds.
    fn knob(&mut self, target: Target) -> (u8, u32) {
        let knob = self.random.small(64);
        let usual: &[u32] = match target {
            Target::Exchange => &[7, 8, 5, 3],
            Target::Index(_) => match knob % 4 {
                0 => &[10, 15, 20, 30, 60],
                1 => &[60, 55, 50, 45, 90, 300],
                2 => &[50, 45, 40, 100, 500],
                _ => &[500, 450, 400, 600, 2_000],
            },
            Target::Vault(_) => match knob % 6 {
                0 => &[8_500, 8_400, 8_000, 9_000, 10_000],
                1 | 2 => &[3_600, 86_400, 3 * 86_400, 14 * 86_400],
                3 => &[0, 30, 50, 500],
                4 => &[8_000, 7_000, 10_000, 0],
                _ => &[100_000, 1],
            },
            Target::Stock(_) => match knob % 8 {
                0 => &[200, 100, 300, 1_000],
                1 => &[2_500, 2_000, 5_000],
                2 => &[6_000, 5_000, 20_000],
                3 => &[500, 100, 2_000],
                4 => &[10, 15, 30],
                5 => &[60, 45, 90],
                6 => &[50, 40, 100],
                _ => &[500, 400, 600],
            },
            Target::Market(..) => market_values(knob % 19),
        };
        let hostile = [0, 1, 65_535, u32::MAX, 10_001];
        let choices = if self.random.chance(92) { usual } else { &hostile };
        (knob, self.random.pick(choices).unwrap_or(0))
    }

    /// Proposes, applies, cancels and tightens.
    pub(super) fn change_parameters(&mut self, mirror: &Mirror) {
        let Some(exchange) = &mirror.exchange else { return };
        let (admin, guardian) = (exchange.admin, exchange.guardian);
        let target = self.target(mirror);
        let (mut knob, mut value) = self.knob(target);
        let either = if self.random.chance(50) { admin } else { guardian };
        let waiting: Vec<Target> = mirror.proposals.keys().copied().collect();
        match self.random.below(10) {
            0..=3 => {
                // Most changes do more than tighten.
                for _ in 0..8 {
                    if mirror.change(target, knob, value) == Some(Change::AtOnce) || self.random.chance(5) {
                        break;
                    }
                    (knob, value) = self.knob(target);
                }
                self.push(Action::Tighten { by: either, target, knob, value });
            }
            4 if !waiting.is_empty() => {
                let target = self.random.pick(&waiting).unwrap_or(target);
                self.push(Action::CancelChange { by: either, target });
            }
            5..=6 if !waiting.is_empty() => {
                let target = self.random.pick(&waiting).unwrap_or(target);
                self.apply(mirror, target);
            }
            7 => {
                let paused = self.random.chance(60);
                self.push(Action::SetOpeningPaused { by: either, paused });
            }
            _ => {
                self.push(Action::ProposeChange { by: admin, target, knob, value });
                if self.random.chance(60) {
                    self.sleep(48 * 3_600);
                    self.apply(mirror, target);
                }
            }
        }
    }

    fn apply(&mut self, mirror: &Mirror, target: Target) {
        let proposed = mirror.proposals.get(&target).map_or(mirror.now, |proposal| proposal.proposed_at);
        let left = proposed + 48 * 3_600 - mirror.now - self.ahead;
        if self.random.chance(80) {
            self.sleep(left.max(0));
        }
        if let Target::Market(vault, market) = target {
            self.refresh(mirror, vault, 1 << market);
        }
        self.push(Action::ApplyChange { target });
    }

    /// The administrator's rights go to another, and mostly back.
    pub(super) fn hand_over(&mut self, mirror: &Mirror) {
        let Some(exchange) = &mirror.exchange else { return };
        let next = if self.random.chance(60) { crate::sequences::action::ADMIN } else { self.actor() };
        self.push(Action::NameAdmin { by: exchange.admin, next });
        self.push(Action::AcceptAdmin { by: next });
    }
}

/// Values of a market's parameter, in the order of the mirror's knobs.
fn market_values(knob: u8) -> &'static [u32] {
    match knob {
        0 | 17 => &[1_000, 950, 900, 1_500, 10_000],
        1 | 18 => &[5_000, 4_800, 4_500, 6_000, 10_000],
        2 => &[100, 50, 1_000],
        3 => &[100, 1_000, 0],
        4 => &[3_600, 600, 86_400],
        5 => &[21_600, 3_600, 86_400],
        6 => &[100, 200, 25],
        7 => &[100, 0, 1_000],
        8 => &[1_000, 0, 5_000],
        9 => &[400, 0, 5_000],
        10 => &[200, 100, 2_000],
        11 => &[1_000, 500, 5_000],
        12 => &[5, 0, 100],
        13 => &[3_500, 0, 20_000],
        14 => &[25_000, 12_000, 8_000],
        15 => &[5_000, 2_500],
        _ => &[7 * 86_400, 86_400],
    }
}
