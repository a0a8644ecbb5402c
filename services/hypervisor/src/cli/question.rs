//! What is asked before something that no other command takes back.

use super::{output, printable};
use anyhow::{Result, bail};
use clap::Args;
use std::io::{self, IsTerminal as _, Write as _};

#[derive(Args)]
pub(super) struct Yes {
    /// Do not ask; needed where nobody can answer
    #[arg(long, short)]
    yes: bool,
}

/// Nobody is there to be asked.
#[derive(Debug, thiserror::Error)]
#[error("{0} It takes --yes where nobody can be asked; nothing was done")]
pub(super) struct NeedsYes(String);

impl Yes {
    /// Has whoever sits there say yes to what will happen.
    ///
    /// # Errors
    /// They did not; or nobody is there, and `--yes` is not given.
    pub(super) fn confirm(&self, sentence: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !(io::stdin().is_terminal() && output::is_watched()) {
            return Err(NeedsYes(sentence.to_owned()).into());
        }
        write!(io::stderr(), "{} Go on? [y/N] ", printable::line(sentence))?;
        let mut said = String::new();
        io::stdin().read_line(&mut said)?;
        match said.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => bail!("nothing was done"),
        }
    }
}
