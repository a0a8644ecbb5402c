//! Kills what a storm may kill: processes of this storm's own hypervisor, and no others.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};

/// Kills the sandbox's program, or the process above it, if it is one of those that run in
/// `folder`; whether it was.
pub(super) fn kill(program: i32, folder: &Path, guardian: bool) -> Result<bool> {
    if !runs_in(program, folder) {
        return Ok(false); // It has ended meanwhile.
    }
    let pid = if guardian { parent(program)? } else { program };
    if guardian && !is_guardian(pid) {
        return Ok(false);
    }
    let pid = Pid::from_raw(pid).context("a process")?;
    Ok(kill_process(pid, Signal::KILL).is_ok())
}

fn proc(pid: i32, what: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{what}"))
}

fn runs_in(pid: i32, folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else {
        return false;
    };
    fs::read_link(proc(pid, "cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
}

fn is_guardian(pid: i32) -> bool {
    let line = fs::read(proc(pid, "cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).nth(1) == Some(b"guard")
}

fn parent(pid: i32) -> Result<i32> {
    let status = fs::read_to_string(proc(pid, "status"))?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    Ok(parent.context("a parent")?.trim().parse()?)
}
