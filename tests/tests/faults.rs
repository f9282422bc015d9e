//! A transaction may be cut off at any unit of compute, or fail behind instructions that went through: nothing may then have
//! changed. The chain compares every account after each refused transaction, so each attempt here is such a comparison.
//!
//! `EVERY_UNIT=1` cuts at each unit instead of at each [`STEP`]th.

use std::{collections::BTreeMap, env, fs, path::Path};

use perpetua_client::instruction;
use perpetua_tests::{
    World, scenes,
    scenes::Scene,
    token::{self, ONE},
    world::call,
};
use serde_json::json;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

const COMPUTE_BUDGET: Pubkey = Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");
/// Units between two places at which an instruction is cut off.
const STEP: u32 = 61;
/// Units after its start and before its end at each of which it is cut off.
const EDGE: u32 = 24;
/// What a compute-budget instruction itself takes.
const BUDGET_UNITS: u32 = 150;

/// The instruction with at most `units` for itself.
fn limited(instruction: &Instruction, units: u32) -> [Instruction; 2] {
    // Instruction 2 of the compute budget program sets the limit in compute units.
    let data = [&[2][..], &(BUDGET_UNITS + units).to_le_bytes()].concat();
    [Instruction { program_id: COMPUTE_BUDGET, accounts: vec![], data }, instruction.clone()]
}

/// The least units that the instruction succeeds with.
fn units_needed(scene: &Scene) -> u32 {
    let done = scene.world.clone().chain.try_unchecked(std::slice::from_ref(&scene.instruction));
    let used = done.unwrap_or_else(|failure| panic!("{}: {:?}", scene.name, failure.error)).compute[0];
    u32::try_from(used).expect("an instruction takes less than the network grants")
}

/// Writes how often each instruction was cut off to `target/assurance/faults.json`.
fn write(step: u32, cuts: &BTreeMap<&str, u64>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/assurance");
    fs::create_dir_all(&folder).expect("the workspace is writable");
    let total: u64 = cuts.values().sum();
    let numbers = json!({ "total": total, "units_between_cuts": step, "by_instruction": cuts });
    fs::write(folder.join("faults.json"), format!("{numbers:#}\n")).expect("the workspace is writable");
}

#[test]
fn an_instruction_cut_off_anywhere_changes_nothing() {
    let step = if env::var_os("EVERY_UNIT").is_some() { 1 } else { STEP };
    let mut cuts = BTreeMap::<&str, u64>::new();
    for scene in scenes::all() {
        let needed = units_needed(&scene);
        let mut world = scene.world.clone();
        let edges = (1..=EDGE).chain(needed.saturating_sub(EDGE)..needed);
        for units in edges.chain((EDGE..needed).step_by(usize::try_from(step).unwrap())) {
            let outcome = world.chain.try_unchecked(&limited(&scene.instruction, units));
            assert!(outcome.is_err(), "{} takes {needed} units and went through with {units}", scene.name);
            *cuts.entry(scene.name).or_default() += 1;
        }
        let outcome = world.chain.try_unchecked(&limited(&scene.instruction, needed));
        assert!(outcome.is_ok(), "{} fails with the {needed} units that it takes", scene.name);
    }
    write(step, &cuts);
    assert!(cuts.values().sum::<u64>() > 10_000, "{cuts:?}");
}

#[test]
fn what_went_through_before_a_refused_instruction_is_taken_back() {
    let mut world = World::new();
    let trader = world.trader("alice", 100 * ONE);
    world.crank_first().unwrap();
    let open = world.open_instruction(&trader, 0, call(0), 100_000, u64::MAX);
    let (owner, vault, account) = (trader.owner, trader.vault, trader.account);
    let withdraw = instruction::withdraw(&owner, &vault, &account, &trader.tokens, &world.markets, ONE);
    let transaction = [open, withdraw];
    world.clone().chain.send(&transaction).expect("both go through where nothing is wrong");
    // The token program refuses to pay into a frozen account, after the position was opened.
    token::freeze(&mut world.chain, &trader.tokens, true);
    let refused = world.chain.send(&transaction).unwrap_err();
    assert!(matches!(refused.error, solana_transaction_error::TransactionError::InstructionError(1, _)), "{refused:?}");
    assert_eq!(world.margin(&trader).open_positions().count(), 0);
}
