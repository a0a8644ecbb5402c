//! How many files, and so connections, this process and those that it starts may open.

use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as it goes.
///
/// # Errors
/// That is less than `needed`.
pub fn allow(needed: u64) -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    let allowed = maximum.unwrap_or(u64::MAX);
    ensure!(
        allowed >= needed,
        "this needs {needed} open files, and {allowed} are allowed: see `ulimit -Hn`"
    );
    Ok(())
}
