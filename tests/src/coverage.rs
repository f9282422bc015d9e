//! Which instructions of the program ran: each test process writes their places into a file of its own, from which
//! `cargo xtask assurance` finds the lines.

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process,
    sync::{LazyLock, Mutex},
};

use litesvm::{InvocationInspectCallback, LiteSVM};
use perpetua_client::address;
use solana_program_runtime::invoke_context::InvokeContext;
use solana_transaction::sanitized::SanitizedTransaction;
use solana_transaction_context::IndexOfAccount;

/// The environment variable that names the folder of those files.
const FOLDER: &str = "PERPETUA_COVERAGE";

static RAN: LazyLock<Mutex<Ran>> = LazyLock::new(|| Mutex::new(Ran::new()));

/// What ran in this process.
struct Ran {
    /// By the instruction's place in the program's text, in units of eight bytes.
    seen: Vec<bool>,
    file: File,
}

impl Ran {
    fn new() -> Self {
        let folder = PathBuf::from(env::var_os(FOLDER).expect("PERPETUA_COVERAGE names a folder"));
        fs::create_dir_all(&folder).expect("the folder can be made");
        let file = File::create(folder.join(format!("{}.places", process::id()))).expect("the folder is writable");
        Self { seen: Vec::new(), file }
    }

    /// Writes down places that were not seen before.
    fn note(&mut self, places: impl Iterator<Item = u64>) {
        let mut new = Vec::new();
        for place in places {
            let index = usize::try_from(place).expect("the program fits into memory");
            if self.seen.len() <= index {
                self.seen.resize(index + 1, false);
            }
            if !std::mem::replace(&mut self.seen[index], true) {
                new.extend_from_slice(&place.to_le_bytes());
            }
        }
        self.file.write_all(&new).expect("the folder is writable");
    }
}

struct Recorder;

impl InvocationInspectCallback for Recorder {
    fn before_invocation(&self, _: &LiteSVM, _: &SanitizedTransaction, _: &[IndexOfAccount], _: &InvokeContext) {}

    fn after_invocation(&self, _: &LiteSVM, context: &InvokeContext, _: bool) {
        context.iterate_vm_traces(&|instruction, _, trace| {
            if instruction.get_program_key().is_ok_and(|program| *program == address::PROGRAM) {
                // The eleventh register is the place of the instruction.
                RAN.lock().expect("no test panics here").note(trace.iter().map(|registers| registers[11]));
            }
        });
    }
}

/// A virtual machine that notes what runs.
pub(crate) fn machine() -> LiteSVM {
    let mut svm = LiteSVM::new_debuggable(true);
    svm.set_invocation_inspect_callback(Recorder);
    svm
}
