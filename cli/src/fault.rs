//! What went wrong, as people and programs are told it: a cause and a remedy.

use std::{error::Error, fmt};

use anyhow::anyhow;
use perpetua_client::{
    error::{ALL, remedy},
    model::ModelError,
    rpc::ClientError,
};
use serde_json::{Value, json};

/// Exit code of wrong arguments, which is clap's.
pub const USAGE: u8 = 2;

/// What kind of trouble it is; each has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Refused before anything was sent.
    Refused,
    /// Wrong arguments.
    Usage,
    /// The network did not answer.
    Network,
    /// A transaction failed or was refused by the network.
    Failed,
    /// It is not known what became of a transaction.
    Unknown,
    /// The user did not want it.
    Declined,
}

impl Kind {
    /// What the process exits with.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => USAGE,
            Self::Network => 3,
            Self::Failed => 4,
            Self::Unknown => 5,
            Self::Declined => 6,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::Network => "network",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Declined => "declined",
        }
    }
}

/// An error of this command.
#[derive(Debug)]
struct Fault {
    kind: Kind,
    cause: String,
    remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.cause, self.remedy)
    }
}

impl Error for Fault {}

/// An error before anything was sent, with what to do about it.
pub fn refusal(cause: impl Into<String>, remedy: impl Into<String>) -> anyhow::Error {
    anyhow!(Fault { kind: Kind::Refused, cause: cause.into(), remedy: remedy.into() })
}

/// The user did not confirm.
pub fn declined() -> anyhow::Error {
    anyhow!(Fault { kind: Kind::Declined, cause: "not confirmed; nothing was sent".into(), remedy: "none".into() })
}

/// The model's refusal, as an error with the program's remedy.
pub fn model(error: ModelError) -> anyhow::Error {
    refusal(error.to_string(), remedy_of(error))
}

/// What can be done about a refusal of the model: what is said of the program's error of the same name.
pub fn remedy_of(error: ModelError) -> &'static str {
    let name = format!("{error:?}");
    ALL.iter().find(|known| known.name() == name).map_or("Try other amounts.", |known| remedy(*known))
}

/// An error as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What kind it is.
    pub kind: Kind,
    /// What is wrong.
    pub cause: String,
    /// What to do.
    pub remedy: String,
    /// The program's name for it, if a program refused.
    pub code: Option<String>,
    /// The transaction that it is about.
    pub signature: Option<String>,
    /// The end of its log.
    pub logs: Vec<String>,
}

/// Lines of a failed transaction's log that are told.
const LOG_LINES: usize = 12;

impl Told {
    /// Arguments that clap refused.
    pub fn usage(text: &str) -> Self {
        let cause = text.trim().trim_start_matches("error: ").to_owned();
        Self { cause, ..Self::plain(Kind::Usage, "", "See --help.") }
    }

    /// What is to be told of an error.
    pub fn of(error: &anyhow::Error) -> Self {
        // What was done when it happened comes in front of the innermost cause.
        let context = |innermost: &str| {
            let whole = format!("{error:#}");
            whole.strip_suffix(innermost).map(|front| front.trim_end_matches(": ").to_owned()).unwrap_or_default()
        };
        if let Some(fault) = find::<Fault>(error) {
            let front = context(&fault.to_string());
            return Self::plain(fault.kind, &join(&front, &fault.cause), &fault.remedy);
        }
        if let Some(client) = find::<ClientError>(error) {
            return Self::of_client(client, &context(&client.to_string()));
        }
        if let Some(refused) = find::<ModelError>(error) {
            return Self::plain(Kind::Refused, &format!("{error:#}"), remedy_of(*refused));
        }
        // Everything else writes "cause; remedy".
        let whole = format!("{error:#}");
        let (cause, remedy) = whole.rsplit_once("; ").unwrap_or((&whole, "See --help."));
        Self::plain(Kind::Refused, cause, remedy)
    }

    fn plain(kind: Kind, cause: &str, remedy: &str) -> Self {
        let (cause, remedy) = (cause.to_owned(), remedy.to_owned());
        Self { kind, cause, remedy, code: None, signature: None, logs: Vec::new() }
    }

    fn of_client(error: &ClientError, front: &str) -> Self {
        let remedy = if let ClientError::Model(refused) = error { remedy_of(*refused) } else { error.remedy() };
        let whole = error.to_string();
        let cause = whole.strip_suffix(error.remedy()).unwrap_or(&whole).trim_end_matches([' ', '.']);
        let (kind, signature) = match error {
            ClientError::Transport(_) => (Kind::Network, None),
            ClientError::Refused(_) => (Kind::Failed, None),
            ClientError::Failed { signature, .. } | ClientError::Expired(signature) => (Kind::Failed, Some(signature)),
            ClientError::Unconfirmed { signature, .. } => (Kind::Unknown, Some(signature)),
            _ => (Kind::Refused, None),
        };
        let logs = error.failure().map(|failure| failure.logs.as_slice()).unwrap_or_default();
        Self {
            code: error.explanation().map(|explanation| explanation.name.clone()),
            signature: signature.map(ToString::to_string),
            logs: logs.get(logs.len().saturating_sub(LOG_LINES)..).unwrap_or_default().to_vec(),
            ..Self::plain(kind, &join(front, cause), remedy)
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let Self { kind, cause, remedy, code, signature, logs } = self;
        json!({ "error": {
            "kind": kind.name(),
            "exit_code": kind.exit_code(),
            "cause": cause,
            "remedy": remedy,
            "code": code,
            "signature": signature,
            "logs": logs,
        } })
    }

    /// For people.
    pub fn text(&self) -> String {
        if self.kind == Kind::Declined {
            return format!("{}\n", self.cause);
        }
        let logs: String = self.logs.iter().map(|line| format!("    {line}\n")).collect();
        format!("error: {}\n{logs}  what to do: {}\n", self.cause, self.remedy)
    }
}

fn find<T: Error + Send + Sync + 'static>(error: &anyhow::Error) -> Option<&T> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

fn join(front: &str, cause: &str) -> String {
    if front.is_empty() { cause.to_owned() } else { format!("{front}: {cause}") }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn an_error_is_told_as_cause_and_remedy_with_what_was_done_in_front() {
        let error = Err::<(), _>(refusal("the size is zero", "give a larger one")).context("opening").unwrap_err();
        let told = Told::of(&error);
        assert_eq!((told.cause.as_str(), told.remedy.as_str()), ("opening: the size is zero", "give a larger one"));
        assert_eq!(told.kind.exit_code(), 1);
        let told = Told::of(&anyhow!("no file; name one; or two"));
        assert_eq!((told.cause.as_str(), told.remedy.as_str()), ("no file; name one", "or two"));
    }

    #[test]
    fn a_refusal_of_the_model_has_the_remedy_of_the_programs_error_of_that_name() {
        let told = Told::of(&model(ModelError::BelowInitialMargin));
        assert_eq!(told.remedy, "Deposit more collateral, withdraw less or open less.");
        let told = Told::of(&anyhow!(ClientError::Model(ModelError::SizeTooSmall)));
        assert!(told.cause.starts_with("the program would refuse this: "), "{}", told.cause);
        assert!(told.remedy.starts_with("Trade at least"), "{}", told.remedy);
    }

    #[test]
    fn each_kind_of_error_has_an_exit_code_of_its_own() {
        let kinds = [Kind::Refused, Kind::Usage, Kind::Network, Kind::Failed, Kind::Unknown, Kind::Declined];
        assert_eq!(kinds.map(Kind::exit_code), [1, 2, 3, 4, 5, 6]);
    }
}
