//! The guardian: a tiny process between the hypervisor and each child, so that no sandbox
//! outlives the hypervisor, not even one that was killed.
//!
//! `hypervisor guard <grace secs> <program> [args…]`, with one end of a socket as its standard
//! input. It runs the program as the leader of a process group, writes the group's number to
//! the socket, and then waits for either end: when the program ends, it kills what is left of
//! the group; when the hypervisor closes its end (it wants a stop, or is gone) it asks the
//! group to end and kills it after the grace. It exits as the program did, once nothing of the
//! group is left. It stays outside of that group, and the hypervisor starts it outside of its
//! own, so that a terminal's Ctrl-C reaches neither it nor the sandbox.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use rustix::process::{getpid, kill_process_group, set_child_subreaper, waitpgid};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The hypervisor's first argument that makes it a guardian.
pub const ARGUMENT: &str = "guard";
/// Exit code if the program cannot be run, as shells have it; standard error says why.
const CANNOT_RUN: u8 = 127;

/// Guards the program that `args` (those after [`ARGUMENT`]) name, until it has ended. To be
/// called before anything else: it starts no Tokio runtime and parses no config.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    match guard(args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // The hypervisor keeps the last lines of this stream.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

fn guard(mut args: impl Iterator<Item = OsString>) -> io::Result<u8> {
    let grace = args.next().and_then(|secs| secs.to_str()?.parse().ok());
    let (Some(grace), Some(program)) = (grace, args.next()) else {
        let usage =
            "usage: hypervisor guard <grace secs> <program> [args…], started by the hypervisor";
        return Err(io::Error::other(usage));
    };
    let mut link = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Orphans of the group become children of the guardian, so that it knows when they ended.
    set_child_subreaper(Some(getpid()))?;
    let child = Command::new(&program)
        .args(args)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| cannot_run(&program, &error))?;
    let group = Pid::from_child(&child);
    // Whether the hypervisor is still there to read it is seen by the thread.
    let _ = writeln!(link, "{}", group.as_raw_nonzero());
    let stopping = Arc::new(AtomicBool::new(false));
    let thread = thread::Builder::new().spawn({
        let stopping = Arc::clone(&stopping);
        move || stop_at_end_of(link, group, Duration::from_secs(grace), &stopping)
    });
    if let Err(error) = thread {
        let _ = kill_process_group(group, Signal::KILL);
        return Err(error);
    }
    Ok(wait(group, &stopping))
}

fn cannot_run(program: &OsString, error: &io::Error) -> io::Error {
    let program = Path::new(program).display();
    io::Error::other(format!("cannot run {program}: {error}"))
}

/// Nothing ever comes from the hypervisor: reading returns when its end is closed.
fn stop_at_end_of(mut link: UnixStream, group: Pid, grace: Duration, stopping: &AtomicBool) {
    let _ = link.read_to_end(&mut Vec::new());
    stopping.store(true, Ordering::Release);
    // Signals to a group that has just ended are lost, which is what they are for.
    let _ = kill_process_group(group, Signal::TERM);
    // One that the hypervisor held still when it was killed could not even end.
    let _ = kill_process_group(group, Signal::CONT);
    thread::sleep(grace);
    let _ = kill_process_group(group, Signal::KILL);
}

/// Waits for all of the group; the exit code is its leader's.
fn wait(group: Pid, stopping: &AtomicBool) -> u8 {
    let mut code = 0;
    loop {
        match waitpgid(group, WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == group => {
                code = exit_code(status);
                // In a stop the others have the grace as well; otherwise nobody needs them.
                if !stopping.load(Ordering::Acquire) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return code,
        }
    }
}

/// As shells have it: its own, or 128 and the number of the signal that killed it.
fn exit_code(status: WaitStatus) -> u8 {
    let code = status
        .exit_status()
        .or_else(|| status.terminating_signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}
