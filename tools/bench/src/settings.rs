//! How a run is made.

use anyhow::{Result, ensure};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// How a run is made.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// How many times each server is measured, one after the other
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// How many seconds each measurement takes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub secs: u64,

    /// The hypervisor's program
    #[arg(long, default_value_os_t = beside("hypervisor"))]
    pub hypervisor: PathBuf,

    /// An older program of the hypervisor, to be measured beside it
    #[arg(long)]
    pub before: Option<PathBuf>,
}

impl Settings {
    /// Checks that the programs are there, each with the `sandbox` that was built with it.
    ///
    /// # Errors
    /// One is not.
    pub fn check(&self) -> Result<()> {
        for program in [Some(&self.hypervisor), self.before.as_ref()]
            .into_iter()
            .flatten()
        {
            for file in [program.clone(), program.with_file_name("sandbox")] {
                ensure!(
                    file.is_file(),
                    "{} is not there: --hypervisor and BEFORE= want a hypervisor with its sandbox beside it",
                    file.display()
                );
            }
        }
        Ok(())
    }

    /// How long each measurement takes.
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.secs)
    }
}

/// A program that was built together with this one.
fn beside(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.with_file_name(name)
}
