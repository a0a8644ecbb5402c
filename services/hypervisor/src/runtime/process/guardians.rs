//! The guardians of the sandboxes that run.

use dashmap::DashMap;
use rustix::process::Pid;
use std::sync::Arc;

/// The process of each sandbox's guardian, below which all of the sandbox's are.
#[derive(Default)]
pub(super) struct Guardians(DashMap<String, Pid>);

impl Guardians {
    /// The one of a sandbox that may run.
    pub(super) fn of(&self, sandbox: &str) -> Option<Pid> {
        self.0.get(sandbox).map(|pid| *pid)
    }

    /// The number of the same.
    pub(super) fn number_of(&self, sandbox: &str) -> Option<i32> {
        self.of(sandbox).map(|pid| pid.as_raw_nonzero().get())
    }

    pub(super) fn add(self: &Arc<Self>, sandbox: &str, pid: Pid) -> Registered {
        self.0.insert(sandbox.to_owned(), pid);
        Registered {
            guardians: Arc::clone(self),
            sandbox: sandbox.to_owned(),
            pid,
        }
    }
}

/// A guardian that is known, until all that it guards has ended.
pub(super) struct Registered {
    guardians: Arc<Guardians>,
    sandbox: String,
    pid: Pid,
}

impl Registered {
    /// Nothing of the sandbox runs any more. Another may have been started since.
    pub(super) fn ended(&self) {
        self.guardians
            .0
            .remove_if(&self.sandbox, |_, pid| *pid == self.pid);
    }
}
