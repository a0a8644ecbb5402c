//! With which code the program ends: one rule for every command.

use super::client::ClientError;
use super::output::WriteError;
use super::question::NeedsYes;
use std::fmt::Write as _;
use std::process::ExitCode;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Done,
    Failed,
    Usage,
    Unreachable,
    NotWritten,
    NoAnswer,
    ClosedPipe,
}

/// Each code, and what it tells a script.
const CODES: &[(Exit, u8, &str)] = &[
    (Exit::Done, 0, "done"),
    (
        Exit::Failed,
        1,
        "refused, or failed; a sentence on standard error says why",
    ),
    (
        Exit::Usage,
        2,
        "the command line is wrong, or lacks --yes where nobody can be asked",
    ),
    (
        Exit::Unreachable,
        3,
        "no gateway answers on its socket, so nothing was done",
    ),
    (
        Exit::NotWritten,
        4,
        "the answer could not be written; a link, code or token that nobody saw opens nothing",
    ),
    (
        Exit::NoAnswer,
        5,
        "the gateway went away before it answered; whether it is done is not known",
    ),
    (
        Exit::ClosedPipe,
        141,
        "whoever read the answer has gone, such as `head`",
    ),
];

impl Exit {
    /// What an error comes to.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        if let Some(error) = error.downcast_ref::<WriteError>() {
            return match error {
                WriteError::ClosedPipe => Self::ClosedPipe,
                _ => Self::NotWritten,
            };
        }
        match error.downcast_ref::<ClientError>() {
            Some(ClientError::Unreachable { .. }) => Self::Unreachable,
            Some(ClientError::NoAnswer { .. } | ClientError::Unknown(_)) => Self::NoAnswer,
            _ if error.is::<NeedsYes>() => Self::Usage,
            Some(ClientError::Refused(_)) | None => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        let known = CODES.iter().find(|(it, ..)| *it == exit);
        known.map_or(Self::FAILURE, |(_, code, _)| Self::from(*code))
    }
}

/// The codes with their meanings.
pub(super) fn codes() -> impl Iterator<Item = (u8, &'static str)> {
    CODES.iter().map(|(_, code, meaning)| (*code, *meaning))
}

/// The end of the program's help.
pub(super) fn help() -> String {
    let mut help = "Exit codes:".to_owned();
    for (code, meaning) in codes() {
        let _ = write!(help, "\n  {code:3}  {meaning}");
    }
    help
}

#[cfg(test)]
mod tests {
    use super::{CODES, Exit};
    use crate::cli::client::ClientError;
    use crate::cli::output::WriteError;
    use std::collections::BTreeSet;

    #[test]
    fn each_code_means_one_thing() {
        let codes: BTreeSet<_> = CODES.iter().map(|(_, code, _)| code).collect();
        assert_eq!(codes.len(), CODES.len());
    }

    #[test]
    fn an_error_is_known_whatever_was_said_around_it() {
        let refused = anyhow::Error::from(ClientError::Refused("no".into()));
        assert_eq!(Exit::of(&refused.context("swap of w")), Exit::Failed);
        let closed = anyhow::Error::from(WriteError::ClosedPipe);
        assert_eq!(Exit::of(&closed.context("w")), Exit::ClosedPipe);
        assert_eq!(Exit::of(&anyhow::anyhow!("no room")), Exit::Failed);
    }
}
