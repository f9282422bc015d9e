//! Stateful fuzzing: random sequences of everything that can happen, played to the model alone and to the compiled program
//! beside it. After each step every account is what the model says, and what must always hold does.

pub mod action;
mod elf;
mod generator;
mod invariants;
mod mirror;
pub mod random;
pub mod report;
mod shrink;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use action::Action;
pub use elf::Elf;
pub use generator::Generator;
pub use mirror::Mirror;
pub use shrink::shrink;

use invariants::Watch;
use report::Counts;

/// A step after which something was not as it must be.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which step, from zero.
    pub step: usize,
    /// What was wrong, in words.
    pub what: String,
}

impl Failure {
    /// What was wrong without the numbers in it: a shorter sequence fails alike if this is the same.
    pub fn kind(&self) -> String {
        self.what.chars().filter(|character| !character.is_ascii_digit()).collect()
    }
}

/// Plays actions to the model, and to the program if there is one.
pub struct Player {
    mirror: Mirror,
    elf: Option<Elf>,
    watch: Watch,
    counts: Counts,
    steps: usize,
}

impl Player {
    /// In a world where nothing happened yet.
    pub fn new(elf: Option<Elf>) -> Self {
        Self { mirror: Mirror::new(), elf, watch: Watch::default(), counts: Counts::default(), steps: 0 }
    }

    /// Takes one step.
    ///
    /// Errors: what is not as it must be afterwards.
    pub fn step(&mut self, action: &Action) -> Result<(), Failure> {
        let step = self.steps;
        self.steps += 1;
        let outcome = catch_unwind(AssertUnwindSafe(|| self.try_step(action)));
        let what = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(what)) => what,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                format!("a panic: {}", text.unwrap_or("without words"))
            }
        };
        Err(Failure { step, what })
    }

    fn try_step(&mut self, action: &Action) -> Result<(), String> {
        let instruction = self.elf.as_ref().and_then(|elf| elf.instruction(action, &self.mirror));
        let (outcome, before) = self.mirror.step(action);
        self.counts.note(action, &outcome);
        if let Some(elf) = &mut self.elf {
            let predicted = outcome.as_ref().err().map(mirror::Refusal::name);
            let same = elf.step(action, instruction, predicted.as_deref()).and_then(|()| elf.compare(&self.mirror));
            same.map_err(|mismatch| format!("{}: {mismatch}", action.name()))?;
        }
        let holds = self.watch.check(action, &outcome, before.as_ref(), &self.mirror);
        holds.map_err(|broken| format!("{}: {broken}", action.name()))
    }
}

/// Plays a sequence that was written down.
///
/// Errors: the first step after which something was not as it must be.
pub fn play(actions: &[Action], elf: Option<Elf>) -> Result<Counts, Failure> {
    let mut player = Player::new(elf);
    for action in actions {
        player.step(action)?;
    }
    Ok(player.counts)
}

/// A sequence that a seed makes, and how it went.
pub struct Explored {
    /// The steps that were taken; the last is the one that failed.
    pub actions: Vec<Action>,
    /// What was accepted and refused.
    pub counts: Counts,
    /// What was not as it must be.
    pub failure: Option<Failure>,
}

/// Plays `steps` steps that `seed` chooses.
pub fn explore(seed: u64, steps: usize, elf: Option<Elf>) -> Explored {
    let (mut generator, mut player) = (Generator::new(seed), Player::new(elf));
    let mut actions = Vec::with_capacity(steps);
    let mut failure = None;
    while actions.len() < steps && failure.is_none() {
        let action = generator.next(&player.mirror);
        failure = player.step(&action).err();
        actions.push(action);
    }
    Explored { actions, counts: player.counts, failure }
}
