//! Holding still what writes to a volume.

mod cgroup;
mod process;

pub use cgroup::CgroupFreezer;
pub use process::ProcessTree;

use std::io;
use std::time::{Duration, Instant};

/// Holds still whatever writes to a volume, for the moment of its copy.
pub trait Freezer {
    /// Returns once nothing of it runs any more. After an error [`Freezer::thaw`] is called too.
    ///
    /// # Errors
    /// If it cannot be held still, or not in time.
    fn freeze(&self) -> io::Result<()>;

    /// Lets it run again. It may be called when nothing is held.
    ///
    /// # Errors
    /// If it may still be held.
    fn thaw(&self) -> io::Result<()>;

    /// Whether there is nothing to hold still, so that one pass is enough.
    fn is_idle(&self) -> bool {
        false
    }
}

/// For what is stopped.
#[derive(Debug, Clone, Copy)]
pub struct NoFreezer;

impl Freezer for NoFreezer {
    fn freeze(&self) -> io::Result<()> {
        Ok(())
    }

    fn thaw(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_idle(&self) -> bool {
        true
    }
}

/// How long it may take until everything is still.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may stay so.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_micros(200);

/// What is held as long as this lives.
pub(crate) struct Frozen<'a> {
    freezer: &'a dyn Freezer,
    since: Instant,
    thawed: bool,
}

impl<'a> Frozen<'a> {
    pub(crate) fn new(freezer: &'a dyn Freezer) -> io::Result<Self> {
        // Made first: it thaws what was held in part.
        let frozen = Self {
            freezer,
            since: Instant::now(),
            thawed: false,
        };
        freezer.freeze()?;
        Ok(frozen)
    }

    /// How long it was held, in milliseconds.
    pub(crate) fn thaw(mut self) -> io::Result<f64> {
        self.thawed = true;
        self.freezer.thaw()?;
        Ok(self.since.elapsed().as_secs_f64() * 1000.0)
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        if !self.thawed {
            let _ = self.freezer.thaw();
        }
    }
}
