//! A transaction may be cut off at any unit of compute: nothing may then have changed. [`World`]'s chain compares every
//! account after each refused transaction, so each attempt here is such a comparison.

use perpetua_tests::{scenes, scenes::Scene};
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

#[test]
fn an_instruction_cut_off_anywhere_changes_nothing() {
    let mut cuts = 0;
    for scene in scenes::all() {
        let needed = units_needed(&scene);
        let mut world = scene.world.clone();
        let edges = (1..=EDGE).chain(needed.saturating_sub(EDGE)..needed);
        for units in edges.chain((EDGE..needed).step_by(usize::try_from(STEP).unwrap())) {
            let outcome = world.chain.try_unchecked(&limited(&scene.instruction, units));
            assert!(outcome.is_err(), "{} takes {needed} units and went through with {units}", scene.name);
            cuts += 1;
        }
        let outcome = world.chain.try_unchecked(&limited(&scene.instruction, needed));
        assert!(outcome.is_ok(), "{} fails with the {needed} units that it takes", scene.name);
    }
    assert!(cuts > 10_000, "{cuts} places");
}
