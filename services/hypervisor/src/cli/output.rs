//! The one place from which a command writes: answers to standard output, sentences about them
//! to standard error.

use super::printable;
use rustix::fs::{FileType, fstat, major, minor};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

/// Why an answer is not where it was to be.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// What shells do with `| head`.
    #[error("whoever read the answer has gone")]
    ClosedPipe,
    #[error("the answer could not be written to standard output: {0}")]
    Failed(#[source] io::Error),
    /// Of a secret, with what became of it.
    #[error("{cause}; {outcome}")]
    Secret { cause: Box<Self>, outcome: String },
    #[error(
        "standard output is closed or /dev/null, and this is shown only once: nothing was done; give it a place where somebody sees it"
    )]
    Nobody,
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Failed(error),
        }
    }
}

impl WriteError {
    /// That a secret was not shown is told, however it came.
    pub(super) fn of_secret(self, outcome: String) -> Self {
        let cause = Box::new(match self {
            Self::ClosedPipe => Self::Failed(ErrorKind::BrokenPipe.into()),
            other => other,
        });
        Self::Secret { cause, outcome }
    }
}

/// Writes all of `text` to standard output, and nothing of it is left in this program.
pub(super) fn answer(text: &str) -> Result<(), WriteError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints the help or the version, in colours where a terminal is.
pub(super) fn help(help: &clap::Error) -> Result<(), WriteError> {
    help.print()?;
    Ok(io::stdout().flush()?)
}

/// As [`answer`], for what nobody is told twice: it is on the disk as well, if it goes to one.
pub(super) fn once(text: &str) -> Result<(), WriteError> {
    answer(text)?;
    let out = io::stdout();
    let kind = fstat(&out).map_err(io::Error::from)?.st_mode;
    if FileType::from_raw_mode(kind).is_file() {
        rustix::fs::fsync(&out).map_err(io::Error::from)?;
    }
    Ok(())
}

/// Refuses an output that goes nowhere, which a write does not notice. A closed one is such, too:
/// Rust puts `/dev/null` in its place.
pub(super) fn is_seen() -> Result<(), WriteError> {
    let out = fstat(io::stdout()).map_err(io::Error::from)?;
    let is_device = FileType::from_raw_mode(out.st_mode).is_char_device();
    if is_device && (major(out.st_rdev), minor(out.st_rdev)) == (1, 3) {
        return Err(WriteError::Nobody);
    }
    Ok(())
}

/// Says something about a command. Nothing is left to be said if that fails.
pub(super) fn note(sentence: &str) {
    let _ = writeln!(io::stderr(), "hypervisor: {}", printable::lines(sentence));
}

/// Whether standard error is somebody who sits there, and no log.
pub(super) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Shows on standard error what could not be written to standard output.
pub(super) fn instead(text: &str) -> io::Result<()> {
    io::stderr().write_all(text.as_bytes())
}
