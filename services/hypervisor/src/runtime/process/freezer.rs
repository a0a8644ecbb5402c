//! Holds still whatever runs of a sandbox, and keeps it from being started meanwhile.

use super::guardians::Guardians;
use crate::runtime::backend::StartLock;
use ::volumes::{Freezer, ProcessTree};
use rustix::process::Pid;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio::sync::OwnedMutexGuard;

/// How long a guardian that has ended may still count as one that is there.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(1);

/// Whether the sandbox runs is seen at the moment of the copy: it may have been started or stopped
/// since that began.
pub(super) struct SandboxFreezer {
    guardians: Arc<Guardians>,
    sandbox: String,
    starts: Arc<StartLock>,
    held: Mutex<Option<Held>>,
}

struct Held {
    /// What ran.
    tree: Option<ProcessTree>,
    _unstarted: OwnedMutexGuard<()>,
}

impl SandboxFreezer {
    pub(super) fn new(guardians: Arc<Guardians>, sandbox: &str, starts: Arc<StartLock>) -> Self {
        Self {
            guardians,
            sandbox: sandbox.to_owned(),
            starts,
            held: Mutex::default(),
        }
    }

    /// Whether this guardian ends now, and so all that is below it.
    fn ends(&self, guardian: Pid) -> bool {
        let until = Instant::now() + PATIENCE;
        while self.guardians.of(&self.sandbox) == Some(guardian) {
            if Instant::now() > until {
                return false;
            }
            sleep(PAUSE);
        }
        true
    }
}

impl Freezer for SandboxFreezer {
    fn freeze(&self) -> io::Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let unstarted = Arc::clone(&self.starts).blocking_lock_owned();
        let guardian = self.guardians.of(&self.sandbox);
        let held = held.insert(Held {
            tree: guardian.map(ProcessTree::below),
            _unstarted: unstarted,
        });
        let (Some(guardian), Some(tree)) = (guardian, &held.tree) else {
            return Ok(());
        };
        match tree.freeze() {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.ends(guardian) => Ok(()),
            frozen => frozen,
        }
    }

    fn thaw(&self) -> io::Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.take();
        let tree = held.as_ref().and_then(|held| held.tree.as_ref());
        tree.map_or(Ok(()), Freezer::thaw)
    }
}
