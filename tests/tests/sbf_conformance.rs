//! The toolchain of `tools/sbf`: what it compiles computes, on the virtual machine, what native code computes.

use std::{error::Error, fs, path::Path};

use litesvm::LiteSVM;
use perpetua_tests::reference::{self, Big};
use sbf_conformance::{Operands, Operation};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction::Transaction;

const CASES: u32 = 4_000;

struct Machine {
    svm: LiteSVM,
    program: Pubkey,
    payer: Keypair,
}

impl Machine {
    fn new() -> Result<Self, Box<dyn Error>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/sbf-conformance/sbf_conformance.so");
        let elf = fs::read(&path)
            .map_err(|error| format!("{}: {error}; `cargo xtask build --conformance` makes it", path.display()))?;
        let mut svm = LiteSVM::new().with_blockhash_check(false).with_sigverify(false).with_transaction_history(0);
        let (program, payer) = (Pubkey::new_unique(), Keypair::new());
        svm.add_program(program, &elf)?;
        svm.airdrop(&payer.pubkey(), 1_000_000_000_000).map_err(|failed| format!("{failed:?}"))?;
        Ok(Self { svm, program, payer })
    }

    fn results(&mut self, operation: Operation, operands: Operands) -> Result<Vec<u8>, String> {
        Ok(self.run(operation, operands)?.0)
    }

    /// The results and the compute units that they cost.
    fn run(&mut self, operation: Operation, operands: Operands) -> Result<(Vec<u8>, u64), String> {
        let instruction =
            Instruction { program_id: self.program, accounts: vec![], data: operation.instruction_data(operands) };
        let message = Message::new(&[instruction], Some(&self.payer.pubkey()));
        let transaction = Transaction::new(&[&self.payer], message, self.svm.latest_blockhash());
        match self.svm.send_transaction(transaction) {
            Ok(done) => Ok((done.return_data.data, done.compute_units_consumed)),
            Err(failed) => Err(format!("{failed:?}")),
        }
    }
}

/// Marsaglia's xorshift64, with a fixed seed: every run tries the same operands.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Numbers of every length and sign, and the extremes.
    fn wide(&mut self) -> i128 {
        let both = u128::from(self.word()) << 64 | u128::from(self.word());
        let number = (both >> (self.word() % 128)).cast_signed();
        match self.word() % 64 {
            0 => 0,
            1 => 1,
            2 => -1,
            3 => i128::MIN,
            4 => i128::MAX,
            5 => u64::MAX.into(),
            6..24 => !number,
            _ => number,
        }
    }

    fn operands(&mut self) -> Operands {
        let shift = u32::try_from(self.word() % 128).unwrap_or_default();
        Operands { a: self.wide(), b: self.wide(), shift }
    }
}

/// The machine returns no trailing zeros.
fn trimmed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    bytes
}

fn compare(operation: Operation) -> Result<(), Box<dyn Error>> {
    let mut machine = Machine::new()?;
    let mut random = Random(88_172_645_463_325_252);
    for case in 0..CASES {
        let operands = random.operands();
        let native = operation.results(operands);
        assert!(native.len() <= 1024, "more than a program can return");
        let on_chain = machine.results(operation, operands)?;
        assert_eq!(trimmed(on_chain), trimmed(native), "case {case}: {operands:?}");
    }
    Ok(())
}

#[test]
fn integers_on_the_machine_are_the_native_ones() -> Result<(), Box<dyn Error>> {
    compare(Operation::Integers)
}

#[test]
fn fixed_point_numbers_on_the_machine_are_the_native_ones() -> Result<(), Box<dyn Error>> {
    compare(Operation::FixedPoint)
}

#[test]
fn floats_on_the_machine_are_the_native_ones() -> Result<(), Box<dyn Error>> {
    compare(Operation::Floats)
}

#[test]
fn text_on_the_machine_is_the_native_one() -> Result<(), Box<dyn Error>> {
    compare(Operation::Text)
}

#[test]
fn arguments_and_results_of_calls_arrive_whole() -> Result<(), Box<dyn Error>> {
    compare(Operation::Calls)
}

#[test]
fn a_mutable_static_keeps_its_value_while_the_heap_fills_up() -> Result<(), Box<dyn Error>> {
    let mut machine = Machine::new()?;
    let mut random = Random(88_172_645_463_325_252);
    for case in 0..50 {
        let operands = random.operands();
        let native = Operation::Statics.results(operands);
        let on_chain = machine.results(Operation::Statics, operands)?;
        assert_eq!(trimmed(on_chain), trimmed(native), "case {case}: {operands:?}");
    }
    Ok(())
}

/// The value that an operation of prices returned.
fn value(results: &[u8]) -> Big {
    let number = |place: usize| {
        let bytes = results.get(16 * place..).and_then(|rest| rest.first_chunk()).expect("three numbers");
        i128::from_le_bytes(*bytes)
    };
    let magnitude = reference::wide(number(0)) * reference::big(2).powi(number(1).into());
    if number(2) == 1 { -magnitude } else { magnitude }
}

/// The most that an exponential or a logarithm of a price ratio may cost, in compute units.
const FUNCTION_CEILING: u64 = 400;

#[test]
fn exponentials_and_logarithms_of_price_ratios_are_exact_to_a_trillionth_and_cheap() -> Result<(), Box<dyn Error>> {
    let mut machine = Machine::new()?;
    let mut random = Random(88_172_645_463_325_252);
    let mut worst = [(Operation::Logarithm, 0), (Operation::Exponential, 0)];
    for case in 0..CASES {
        // Prices within a factor of sixteen, and close to each other in every fourth case.
        let price = (1 << 60) + i128::from(random.word() >> 3);
        let other =
            if case % 4 == 0 { price + i128::from(random.word() >> 20) } else { i128::from(random.word() >> 2) };
        let operands = Operands { a: price, b: other.max(1 << 58), shift: 0 };
        let ratio_results = Operation::Ratio.results(operands);
        let (_, base) = machine.run(Operation::Ratio, operands)?;
        let ratio = value(&ratio_results);
        for (operation, worst) in &mut worst {
            let (on_chain, units) = machine.run(*operation, operands)?;
            let native = operation.results(operands);
            assert_eq!(trimmed(on_chain), trimmed(native.clone()), "case {case}: {operands:?}");
            let want = if *operation == Operation::Logarithm { ratio.ln() } else { (-&ratio).exp() };
            let error = value(&native) - &want;
            assert!(
                error.clone() * &error <= want.clone() * &want / reference::big(10).powi(24.into()),
                "{operands:?}"
            );
            *worst = (*worst).max(units.saturating_sub(base));
        }
    }
    for (operation, units) in worst {
        println!("{operation:?}: at most {units} compute units");
        assert!(units <= FUNCTION_CEILING, "{operation:?} costs {units}");
    }
    Ok(())
}
