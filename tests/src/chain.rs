//! The chain: sends transactions, moves time, and never lets a failed transaction change anything unnoticed.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use litesvm::{LiteSVM, types::TransactionMetadata};
use perpetua_client::{address, error, event};
use solana_account::{Account, AccountSharedData, ReadableAccount};
use solana_clock::Clock;
use solana_instruction::Instruction;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

use crate::{actor, ledger};

/// When tests begin, Unix seconds: 2026-01-05 12:00 UTC, a multiple of 300.
pub const START: i64 = 1_767_614_400;
/// The slot that tests begin in.
const START_SLOT: u64 = 1_000;
/// Largest transaction that the network carries.
const PACKET_BYTES: usize = 1_232;

const COMPUTE_BUDGET: Pubkey = Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");

/// Every account with every byte.
pub type Snapshot = BTreeMap<Pubkey, AccountSharedData>;

/// A blockchain in memory.
#[derive(Clone)]
pub struct Chain {
    /// The virtual machine and its accounts.
    pub svm: LiteSVM,
    /// Pays network fees and nothing else.
    pub payer: Pubkey,
}

/// A transaction that went through.
#[derive(Clone, Debug)]
pub struct Done {
    /// Compute units of each instruction that was sent, in order.
    pub compute: Vec<u64>,
    /// The program's events in order.
    pub events: Vec<event::Event>,
    /// What the last instruction returned.
    pub returned: Vec<u8>,
}

/// A transaction that was refused.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Why.
    pub error: TransactionError,
    /// What the programs logged.
    pub logs: Vec<String>,
}

impl Failure {
    /// The error's name, such as `PriceStale` or `ConstraintSigner`.
    pub fn name(&self) -> String {
        error::explain(&self.error).name
    }
}

/// The compiled program.
pub fn program_file() -> Vec<u8> {
    let path = env::var_os("PERPETUA_ELF")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/deploy/perpetua.so"), PathBuf::from);
    fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; run `cargo xtask build` first, or name the file in PERPETUA_ELF", path.display())
    })
}

#[cfg(not(feature = "coverage"))]
fn machine() -> LiteSVM {
    LiteSVM::new()
}

#[cfg(feature = "coverage")]
fn machine() -> LiteSVM {
    crate::coverage::machine()
}

impl Chain {
    /// A chain with the program deployed under `upgrade_authority`.
    pub fn new(upgrade_authority: &Pubkey) -> Self {
        let mut svm = machine().with_blockhash_check(false).with_sigverify(false).with_transaction_history(0);
        svm.add_program(address::PROGRAM, &program_file()).expect("the virtual machine refuses the program file");
        let mut chain = Self { svm, payer: actor("payer") };
        chain.set_upgrade_authority(Some(upgrade_authority));
        chain.fund(&chain.payer.clone());
        chain.set_clock(START, START_SLOT);
        chain
    }

    /// Writes who may upgrade the program where the upgradeable loader keeps it.
    pub fn set_upgrade_authority(&mut self, authority: Option<&Pubkey>) {
        let address = address::program_data();
        let mut account = self.account(&address);
        // Enum tag 3 as u32, slot as u64, then the optional authority.
        account.data[12] = u8::from(authority.is_some());
        account.data[13..45].copy_from_slice(authority.copied().unwrap_or_default().as_ref());
        self.set(&address, account);
    }

    /// Gives an address lamports for rent.
    pub fn fund(&mut self, address: &Pubkey) {
        let lamports = 1_000_000_000_000;
        self.set(address, Account { lamports, ..Account::default() });
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Slot of the chain.
    pub fn slot(&self) -> u64 {
        self.svm.get_sysvar::<Clock>().slot
    }

    /// Moves time and slot at once.
    pub fn set_clock(&mut self, now: i64, slot: u64) {
        let clock = Clock { unix_timestamp: now, slot, ..self.svm.get_sysvar::<Clock>() };
        self.svm.set_sysvar(&clock);
    }

    /// Lets `seconds` pass, at two and a half slots a second, and at least one slot.
    pub fn wait(&mut self, seconds: i64) {
        let slots = u64::try_from(seconds).expect("time goes forward") * 5 / 2;
        self.set_clock(self.now() + seconds, self.slot() + slots.max(1));
    }

    /// The account; an empty one where there is none.
    pub fn account(&self, address: &Pubkey) -> Account {
        self.svm.get_account(address).unwrap_or_default()
    }

    /// Overwrites an account.
    pub fn set(&mut self, address: &Pubkey, account: Account) {
        self.svm.set_account(*address, account).expect("the virtual machine refuses the account");
    }

    /// Changes an account's data in place.
    pub fn edit(&mut self, address: &Pubkey, change: impl FnOnce(&mut Vec<u8>)) {
        let mut account = self.account(address);
        change(&mut account.data);
        self.set(address, account);
    }

    /// Every account but the fee payer's. Data is shared until it changes, so this is cheap.
    pub fn snapshot(&self) -> Snapshot {
        let accounts = self.svm.accounts_db().inner.iter();
        let others = accounts.filter(|(address, account)| **address != self.payer && account.lamports() > 0);
        others.map(|(address, account)| (*address, account.clone())).collect()
    }

    /// Sends a transaction. One that fails must leave every account as it was, and one that succeeds must leave every
    /// vault's ledgers adding up: either is checked here, after every transaction of every test.
    pub fn send(&mut self, instructions: &[Instruction]) -> Result<Done, Failure> {
        self.send_checked(instructions, ledger::check)
    }

    /// Sends a transaction while a vault holds fewer tokens than its ledgers say, as after a seizure.
    pub fn send_while_short(&mut self, instructions: &[Instruction]) -> Result<Done, Failure> {
        self.send_checked(instructions, ledger::check_sums)
    }

    /// Sends a transaction with the highest compute budget that the network grants.
    pub fn send_with_full_budget(&mut self, instructions: &[Instruction]) -> Result<Done, Failure> {
        self.send(&[&[compute_budget(1_400_000)], instructions].concat())
    }

    /// Sends a transaction that may fail, looking at nothing but whether a failure left every account as it was.
    pub fn try_unchecked(&mut self, instructions: &[Instruction]) -> Result<Done, Failure> {
        self.send_checked(instructions, |_| ())
    }

    fn send_checked(&mut self, instructions: &[Instruction], check: fn(&Snapshot)) -> Result<Done, Failure> {
        let before = self.snapshot();
        let message = Message::new(instructions, Some(&self.payer));
        let transaction = Transaction::new_unsigned(message);
        let outcome = self.svm.send_transaction(transaction);
        match outcome {
            Ok(meta) => {
                check(&self.snapshot());
                Ok(Done { compute: compute_units(&meta), events: events(&meta), returned: meta.return_data.data })
            }
            Err(failed) => {
                assert_eq!(changed(&before, &self.snapshot()), [], "a refused transaction changed accounts");
                Err(Failure { error: failed.err, logs: failed.meta.logs })
            }
        }
    }

    /// Bytes that a transaction takes on the wire.
    pub fn wire_size(&self, instructions: &[Instruction]) -> usize {
        let message = Message::new(instructions, Some(&self.payer));
        1 + 64 * usize::from(message.header.num_required_signatures) + message.serialize().len()
    }

    /// Whether the network would carry the transaction.
    pub fn fits_a_packet(&self, instructions: &[Instruction]) -> bool {
        self.wire_size(instructions) <= PACKET_BYTES
    }
}

/// Sets what a transaction may compute, in compute units.
pub fn compute_budget(units: u32) -> Instruction {
    // Instruction 2 of the compute budget program.
    let data = [&[2][..], &units.to_le_bytes()].concat();
    Instruction { program_id: COMPUTE_BUDGET, accounts: vec![], data }
}

/// The accounts that differ.
pub fn changed(before: &Snapshot, after: &Snapshot) -> Vec<Pubkey> {
    let addresses = before.keys().chain(after.keys().filter(|address| !before.contains_key(address)));
    addresses.filter(|address| before.get(address) != after.get(address)).copied().collect()
}

/// Compute units of each top-level instruction, from the runtime's log lines.
fn compute_units(meta: &TransactionMetadata) -> Vec<u64> {
    let mut depth = 0usize;
    let mut units = Vec::new();
    for line in &meta.logs {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["Program", _, "invoke", _] => depth += 1,
            ["Program", _, "consumed", amount, ..] if depth == 1 => {
                units.push(amount.parse().expect("the runtime logs a number"));
            }
            ["Program", _, "success"] => depth -= 1,
            _ => {}
        }
    }
    units
}

fn events(meta: &TransactionMetadata) -> Vec<event::Event> {
    let inner = meta.inner_instructions.iter().flatten();
    inner.filter_map(|inner| event::decode(&inner.instruction.data)).collect()
}
