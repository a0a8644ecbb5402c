//! By signals, where there are no control groups of our own.

use super::{Freezer, PATIENCE, PAUSE};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Instant;

/// After so many looks it is seen why something does not stop.
const ROUNDS: u32 = 16;

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

    /// Stops what is there now, and gives what does not stand still yet.
    fn stop_all(
        &self,
        stopped: &mut BTreeMap<i32, OwnedFd>,
        left: &mut BTreeSet<i32>,
    ) -> io::Result<Vec<i32>> {
        let mut moving = Vec::new();
        for process in descendants(self.above)? {
            if left.contains(&process) {
                continue;
            }
            let still = is_still(process);
            match stopped.get(&process) {
                Some(_) if still => {}
                None if still => {
                    left.insert(process);
                }
                Some(descriptor) => {
                    // Once more: another of the tree may have let it go on meanwhile.
                    hold(descriptor)?;
                    moving.push(process);
                }
                None => {
                    moving.push(process);
                    if let Some(descriptor) = stop(process)? {
                        stopped.insert(process, descriptor);
                    }
                }
            }
        }
        Ok(moving)
    }
}

/// Lets the children of those go on that do not stop: one that has called vfork(2) can't before
/// its child runs another program.
fn let_children_go(moving: &[i32], stopped: &mut BTreeMap<i32, OwnedFd>) -> io::Result<()> {
    for process in moving.iter().filter(|process| is_waiting(**process)) {
        for child in children(*process)?.unwrap_or_default() {
            if let Some(descriptor) = stopped.remove(&child) {
                let_go(&descriptor)?;
            }
        }
    }
    Ok(())
}

impl Freezer for ProcessTree {
    fn freeze(&self) -> io::Result<()> {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that stood still before us: somebody else holds them.
        let mut left = BTreeSet::new();
        let until = Instant::now() + PATIENCE;
        for round in 1u32.. {
            // A process may have been made by another while we looked: what counts is a look at
            // a tree of which every process stands still, so that none can be made.
            let moving = self.stop_all(&mut stopped, &mut left)?;
            if moving.is_empty() {
                return Ok(());
            }
            if Instant::now() > until {
                break;
            }
            if round.is_multiple_of(ROUNDS) {
                let_children_go(&moving, &mut stopped)?;
                sleep(PAUSE * ROUNDS);
            }
            sleep(PAUSE);
        }
        let secs = PATIENCE.as_secs();
        let said = format!(
            "the processes below {} did not stop within {secs} s",
            self.above
        );
        Err(io::Error::new(io::ErrorKind::TimedOut, said))
    }

    fn thaw(&self) -> io::Result<()> {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let mut result = Ok(());
        while let Some((_, descriptor)) = stopped.pop_last() {
            result = let_go(&descriptor).and(result);
        }
        result
    }
}

fn let_go(process: &OwnedFd) -> io::Result<()> {
    match pidfd_send_signal(process, Signal::CONT) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The descriptor stays that process's, also when its number becomes another's.
fn stop(process: i32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = Pid::from_raw(process) else {
        return Ok(None);
    };
    let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(descriptor) => descriptor,
        Err(Errno::SRCH) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(hold(&descriptor)?.then_some(descriptor))
}

/// False if it has ended.
fn hold(process: &OwnedFd) -> io::Result<bool> {
    match pidfd_send_signal(process, Signal::STOP) {
        Ok(()) => Ok(true),
        Err(Errno::SRCH) => Ok(false),
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
        threads.all(|thread| matches!(state(&thread), Some(b'T' | b't' | b'Z' | b'X')))
    })
}

/// Whether a thread of it waits for something, and takes no signal meanwhile.
fn is_waiting(process: i32) -> bool {
    threads(process).is_some_and(|mut threads| threads.any(|thread| state(&thread) == Some(b'D')))
}

/// The letter that `proc_pid_stat(5)` has for it, after the name, which may be anything.
fn state(thread: &Path) -> Option<u8> {
    let stat = fs::read(thread.join("stat")).ok()?;
    let name_ends = stat.iter().rposition(|byte| *byte == b')')?;
    stat.get(name_ends + 2).copied()
}
