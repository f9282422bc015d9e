//! Random sequences of everything that can happen, on the compiled program and on the model. `cargo xtask fuzz` plays more.

use std::{collections::BTreeSet, fs, path::PathBuf, sync::LazyLock, thread};

use perpetua_tests::{
    instruction_names,
    sequences::{Action, Elf, explore, play, report::Counts},
};
use serde_json::Value;

/// Steps of one sequence.
const LENGTH: usize = 1_000;
/// Sequences on the program.
const ON_THE_PROGRAM: std::ops::Range<u64> = 0..240;
/// Sequences on the model alone.
const ON_THE_MODEL: std::ops::Range<u64> = 1_000..3_000;
/// Times that the program accepts every instruction at least, over all sequences.
const LEAST_ACCEPTED: u64 = 20;

/// Plays a sequence for each seed, in two threads.
fn explore_all(seeds: std::ops::Range<u64>, genesis: Option<&Elf>) -> Counts {
    let explore_some = |first: u64| {
        let mut counts = Counts::default();
        for seed in seeds.clone().skip(usize::try_from(first).unwrap()).step_by(2) {
            let explored = explore(seed, LENGTH, genesis.cloned());
            if let Some(failure) = explored.failure {
                panic!("seed {seed}, step {}: {}\n{:?}", failure.step, failure.what, explored.actions.last());
            }
            counts.add(&explored.counts);
        }
        counts
    };
    let mut counts = Counts::default();
    thread::scope(|scope| {
        let threads = [0, 1].map(|first| scope.spawn(move || explore_some(first)));
        threads.into_iter().for_each(|thread| counts.add(&thread.join().expect("the sequences hold")));
    });
    counts
}

/// What the program did in its sequences: played once for all tests.
static PROGRAM: LazyLock<Counts> = LazyLock::new(|| explore_all(ON_THE_PROGRAM, Some(&Elf::new())));

#[test]
fn the_program_does_what_the_model_predicts_whatever_happens() {
    assert_eq!(PROGRAM.by_name().len(), Action::NAMES.len());
}

#[test]
fn every_invariant_holds_whatever_happens_to_the_model() {
    let counts = explore_all(ON_THE_MODEL, None);
    let rare: Vec<_> =
        counts.by_name().into_iter().filter(|(_, counts)| counts.accepted < 10 * LEAST_ACCEPTED).collect();
    assert_eq!(rare, [], "sequences prove little about what rarely succeeds in them");
}

#[test]
fn every_instruction_that_changes_anything_is_an_action_that_succeeds_often() {
    let counts = PROGRAM.by_name();
    let views = ["view_quote", "view_health"];
    let instructions = instruction_names().into_iter().filter(|name| !views.contains(&name.as_str()));
    let rare: Vec<_> = instructions
        .map(|name| {
            let accepted = counts.get(name.as_str()).map_or(0, |counts| counts.accepted);
            (name, accepted)
        })
        .filter(|(_, accepted)| *accepted < LEAST_ACCEPTED)
        .collect();
    assert_eq!(rare, [], "too seldom accepted");
}

/// The sequences would prove little if errors were never met in them.
#[test]
fn refusals_come_for_most_reasons_there_are() {
    let counts = PROGRAM.by_name();
    let met: BTreeSet<_> = counts.values().flat_map(|counts| counts.reasons.keys().cloned()).collect();
    let known = perpetua_tests::client::error::ALL.iter().map(|error| error.name());
    let (met, missed): (Vec<_>, Vec<_>) = known.partition(|name| met.contains(name));
    assert!(met.len() > 55, "{} reasons were met, not: {missed:?}", met.len());
}

#[test]
fn sequences_that_failed_once_hold_now() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/sequences");
    let genesis = Elf::new();
    let mut played = 0;
    for file in fs::read_dir(&folder).expect("the folder of sequences").map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&file).unwrap();
        let kept: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let actions: Vec<Action> = serde_json::from_value(kept["actions"].clone()).expect("actions");
        for elf in [None, Some(genesis.clone())] {
            if let Err(failure) = play(&actions, elf) {
                panic!("{}, step {}: {}", file.display(), failure.step, failure.what);
            }
        }
        played += 1;
    }
    assert!(played > 0, "no sequence is kept");
}
