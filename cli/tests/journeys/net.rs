//! People with keys on a network, and what they are told.

use std::fs;

use anchor_lang::prelude::Pubkey;
use perpetua_client::instruction::VaultKeys;
use perpetua_tests::token::TOKEN_2022;
use serde_json::Value;
use solana_keypair::{Keypair, write_keypair_file};
use solana_signer::Signer;
use tempfile::TempDir;

use crate::{
    support::{self, Run},
    terminal,
};

/// The declaration that ships with the project.
pub const LOCALNET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/localnet.toml");
/// The mints in it.
pub const MINTS: [&str; 2] =
    ["XsDoVfqeBukxuZHWhdvWHBhgEHjGNst4MLodqsJHzoB", "Xsc9qvGR1efVDFGLrVsmkzv3qi45LTBjeUKSPmx9qEh"];
/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// What journeys do to a network that no transaction can.
pub trait Network {
    /// Where its JSON-RPC is.
    fn url(&self) -> &str;
    /// Whoever may set it up, with SOL.
    fn admin(&self) -> &Keypair;
    /// Gives an address SOL and whole TSLAx.
    fn fund(&self, address: &Pubkey, tokens: u64);
    /// Lets time pass, and publishes every price then.
    fn pass(&self, seconds: i64);
    /// Moves bitcoin's price by so many percent, and publishes it.
    fn move_bitcoin(&self, percent: i64);
    /// What an account holds.
    fn data(&self, address: &Pubkey) -> Vec<u8>;
    /// Overwrites what an account holds.
    fn overwrite(&self, address: &Pubkey, data: Vec<u8>);
}

/// A network with people.
pub struct Net<N> {
    /// The network.
    pub network: N,
    folder: TempDir,
}

impl<N: Network> Net<N> {
    /// The network as it is, with its administrator.
    pub fn on(network: N) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_keypair_file(network.admin(), folder.path().join("admin.json")).unwrap();
        Self { network, folder }
    }

    /// The TSLAx vault.
    pub fn vault(&self) -> VaultKeys {
        VaultKeys::new(MINTS[0].parse().unwrap(), TOKEN_2022)
    }

    /// Gives somebody a key, SOL, and whole TSLAx.
    pub fn person(&self, name: &str, tokens: u64) -> Pubkey {
        let keypair = Keypair::new();
        write_keypair_file(&keypair, self.folder.path().join(name).with_extension("json")).unwrap();
        self.network.fund(&keypair.pubkey(), tokens);
        keypair.pubkey()
    }

    fn with_key<'a>(&'a self, keypair: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
        [arguments, &["--url", self.network.url(), "--keypair", keypair]].concat()
    }

    fn keypair(&self, who: &str) -> String {
        self.folder.path().join(who).with_extension("json").to_str().unwrap().to_owned()
    }

    /// Runs the command with somebody's key.
    pub fn run(&self, who: &str, arguments: &[&str]) -> Run {
        support::run_in(&self.folder, &self.with_key(&self.keypair(who), arguments))
    }

    /// Runs the command, which must succeed, without asking, and returns its document.
    pub fn ok(&self, who: &str, arguments: &[&str]) -> Value {
        let run = self.run(who, &[arguments, &["--yes", "--json"]].concat());
        assert_eq!(run.code, 0, "{arguments:?}: {}\n{}", run.stdout, run.stderr);
        run.json()
    }

    /// Runs the command, which must fail, and returns the error in its document.
    pub fn err(&self, who: &str, arguments: &[&str]) -> Value {
        let run = self.run(who, &[arguments, &["--yes", "--json"]].concat());
        assert_ne!(run.code, 0, "{arguments:?}: {}", run.stdout);
        let error = run.json()["error"].clone();
        assert_eq!(error["exit_code"], run.code);
        error
    }

    /// Runs the command for people, which must succeed, without asking, and returns all that they are shown.
    pub fn shown(&self, who: &str, arguments: &[&str]) -> String {
        let run = self.run(who, &[arguments, &["--yes"]].concat());
        assert_eq!(run.code, 0, "{arguments:?}: {}\n{}", run.stdout, run.stderr);
        format!("{}{}", run.stderr, run.stdout)
    }

    /// Runs the command for people, which must fail, and returns what they are told.
    pub fn refused(&self, who: &str, arguments: &[&str]) -> String {
        let run = self.run(who, arguments);
        assert_ne!(run.code, 0, "{arguments:?}: {}", run.stdout);
        assert!(run.stderr.contains("error: ") && run.stderr.contains("\n  what to do: "), "{}", run.stderr);
        run.stderr
    }

    /// Runs the command at a terminal, see [`terminal::run`].
    pub fn at_terminal(
        &self,
        who: &str,
        arguments: &[&str],
        prompt: &str,
        meanwhile: impl FnOnce(),
        answer: &str,
    ) -> (i32, String) {
        let keypair = self.keypair(who);
        terminal::run(&self.folder, &self.with_key(&keypair, arguments), prompt, meanwhile, answer)
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A decimal of a document in hundred-millionths.
pub fn raw(value: &Value) -> i128 {
    decimal(text(value))
}

/// A decimal in hundred-millionths.
pub fn decimal(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(fraction.len() <= 8, "{text}");
    sign * format!("{whole}{fraction:0<8}").parse::<i128>().unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A text of a document.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// The entry of a list whose field has a value.
pub fn named<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|entry| entry[field] == value).unwrap_or_else(|| panic!("{value} in {list}"))
}

/// What stands behind a label in what people are shown: the first line that begins with it.
pub fn labelled<'a>(shown: &'a str, label: &str) -> &'a str {
    let line = shown.lines().find_map(|line| line.trim_start().strip_prefix(label)?.strip_prefix("  "));
    line.unwrap_or_else(|| panic!("{label:?} is not in {shown}")).trim()
}

/// The cells of each row of a table, from the line after its header, which begins with `header`, to a line with other
/// indentation or fewer cells.
pub fn table<'a>(shown: &'a str, header: &str) -> Vec<Vec<&'a str>> {
    let cells = |line: &'a str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
    let mut lines = shown.lines().skip_while(|line| !line.trim_start().starts_with(header));
    let columns = cells(lines.next().unwrap_or_else(|| panic!("no table {header:?} in {shown}"))).len();
    lines.map(cells).take_while(|row| row.len() == columns).collect()
}
