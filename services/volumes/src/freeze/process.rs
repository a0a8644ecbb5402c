//! By signals, where there are no control groups of our own.

use super::{Freezer, PATIENCE, PAUSE};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Instant;

/// Stops (SIGSTOP) all processes below one, which itself goes on, and lets them continue. Those
/// that were stopped before stay so.
#[derive(Debug)]
pub struct ProcessTree {
    above: i32,
    stopped: Mutex<BTreeMap<i32, OwnedFd>>,
}

impl ProcessTree {
    /// Of all processes that descend from `above`, as long as those between are there: a
    /// subreaper's do.
    pub fn below(above: Pid) -> Self {
        Self {
            above: above.as_raw_nonzero().get(),
            stopped: Mutex::default(),
        }
    }

    /// Stops what is there now. Whether all of it stood still already.
    fn stop_all(
        &self,
        stopped: &mut BTreeMap<i32, OwnedFd>,
        left: &mut BTreeSet<i32>,
    ) -> io::Result<bool> {
        let mut quiet = true;
        for process in descendants(self.above)? {
            if left.contains(&process) {
                continue;
            }
            if stopped.contains_key(&process) {
                quiet &= is_still(process);
                continue;
            }
            if is_still(process) {
                left.insert(process);
                continue;
            }
            quiet = false;
            if let Some(descriptor) = stop(process)? {
                stopped.insert(process, descriptor);
            }
        }
        Ok(quiet)
    }
}

impl Freezer for ProcessTree {
    fn freeze(&self) -> io::Result<()> {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that stood still before us: somebody else holds them.
        let mut left = BTreeSet::new();
        let until = Instant::now() + PATIENCE;
        // A process may have been made by another while we looked: what counts is a look at a
        // tree of which every process stands still, so that none can be made.
        while !self.stop_all(&mut stopped, &mut left)? {
            if Instant::now() > until {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!(
                        "the processes below {} did not stop within {} s",
                        self.above,
                        PATIENCE.as_secs()
                    ),
                ));
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    fn thaw(&self) -> io::Result<()> {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let mut result = Ok(());
        while let Some((_, descriptor)) = stopped.pop_last() {
            match pidfd_send_signal(&descriptor, Signal::CONT) {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => result = Err(error.into()),
            }
        }
        result
    }
}

/// The number may have become another's since it was read: then it is left alone.
fn stop(process: i32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = Pid::from_raw(process) else {
        return Ok(None);
    };
    let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(descriptor) => descriptor,
        Err(Errno::SRCH) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match pidfd_send_signal(&descriptor, Signal::STOP) {
        Ok(()) => Ok(Some(descriptor)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// All that descend from a process.
fn descendants(above: i32) -> io::Result<Vec<i32>> {
    let mut found = children(above)?.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("process {above} has ended"),
        )
    })?;
    let mut next = 0;
    while let Some(process) = found.get(next).copied() {
        found.extend(children(process)?.unwrap_or_default());
        next += 1;
    }
    Ok(found)
}

fn threads(process: i32) -> Option<impl Iterator<Item = PathBuf>> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    Some(tasks.filter_map(|task| Some(task.ok()?.path())))
}

/// `None` if it has ended.
fn children(process: i32) -> io::Result<Option<Vec<i32>>> {
    let Some(threads) = threads(process) else {
        return Ok(None);
    };
    let mut children = Vec::new();
    for thread in threads {
        match fs::read_to_string(thread.join("children")) {
            Ok(list) => children.extend(
                list.split_whitespace()
                    .filter_map(|pid| pid.parse::<i32>().ok()),
            ),
            Err(_) if !thread.exists() => {}
            Err(error) => {
                let file = thread.join("children");
                let said = format!("cannot read {}: {error}", file.display());
                return Err(io::Error::new(error.kind(), said));
            }
        }
    }
    Ok(Some(children))
}

/// Whether no thread of it runs: stopped, traced, or ended.
fn is_still(process: i32) -> bool {
    threads(process).is_none_or(|mut threads| {
        threads.all(|thread| {
            fs::read_to_string(thread.join("stat")).is_ok_and(|stat| {
                let state = stat
                    .rsplit_once(") ")
                    .and_then(|(_, rest)| rest.bytes().next());
                matches!(state, Some(b'T' | b't' | b'Z' | b'X'))
            })
        })
    })
}
