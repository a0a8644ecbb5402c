//! As many open files as this process may have: the customary thousand is too few for load.

use anyhow::Result;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of this process, and of those that it starts from now on, to the hard one.
///
/// # Errors
/// The system refused.
pub fn allow_all() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current, ..limit })?)
}
