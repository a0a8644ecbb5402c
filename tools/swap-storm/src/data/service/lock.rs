//! One writer of a volume at a time: the run before may not have ended yet.

use anyhow::{Context, Result};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the run before may take to end.
const HANDOVER: Duration = Duration::from_secs(5);

pub(super) fn take(folder: &Path) -> Result<File> {
    let lock = File::create(folder.join("lock"))?;
    let deadline = Instant::now() + HANDOVER;
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            taken => {
                taken.context("another run has the data")?;
                return Ok(lock);
            }
        }
    }
}
