//! Starts a program as systemd does that listens on its behalf: the sockets are descriptors from
//! 3 on.

use crate::process::Process;
use crate::wait::DEADLINE;
use anyhow::{Context, Result};
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::net::UnixDatagram;
use tokio::time::timeout;

/// The shell becomes the program, and so has its process id.
const ONE: &str = r#"exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=$0 exec "$@""#;

/// The same for two, the second of which is its standard output until then.
const TWO: &str =
    r#"exec 3<&0 4<&1 </dev/null >&2; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=$0 exec "$@""#;

/// A call of `program`, which finds the socket that is its [`stdin`] under one of these `names`.
pub fn command(program: &Path, names: &str) -> Command {
    call(ONE, program, names)
}

/// The listener as standard input, for [`Process::spawn_with`]. It stays open here, so that
/// connections wait for the next program while there is none.
///
/// # Errors
/// No more descriptors.
pub fn stdin(listener: &TcpListener) -> io::Result<Stdio> {
    stdio(listener)
}

/// Starts what [`command`] makes with two sockets, whose `names` stand with a colon between them.
/// What it writes to standard output goes to standard error.
///
/// # Errors
/// It could not be started.
pub fn spawn_with_two(
    command: impl FnOnce(Command) -> Command,
    program: &Path,
    names: &str,
    sockets: (&dyn AsFd, &dyn AsFd),
) -> Result<Process> {
    let command = command(call(TWO, program, names));
    Process::spawn_between(command, stdio(sockets.0)?, stdio(sockets.1)?)
}

/// What the program says next to the service manager that listens on this socket.
///
/// # Errors
/// Nothing in time.
pub async fn heard(socket: &UnixDatagram) -> Result<String> {
    let mut message = [0; 256];
    let length = timeout(DEADLINE, socket.recv(&mut message))
        .await
        .context("a notification in time")??;
    Ok(String::from_utf8(message[..length].to_vec())?)
}

fn call(script: &str, program: &Path, names: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, names]).arg(program);
    command
}

fn stdio(socket: &(impl AsFd + ?Sized)) -> io::Result<Stdio> {
    let socket: OwnedFd = socket.as_fd().try_clone_to_owned()?;
    Ok(Stdio::from(socket))
}
