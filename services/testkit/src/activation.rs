//! Starts a program as systemd does that listens on its behalf: the socket is descriptor 3.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

/// The shell becomes the program, and so has its process id.
const SCRIPT: &str =
    r#"exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=$0 exec "$@""#;

/// A call of `program`, which finds the socket that is its [`stdin`] under one of these `names`.
pub fn command(program: &Path, names: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT, names]).arg(program);
    command
}

/// The listener as standard input, for [`crate::process::Process::spawn_with`]. It stays open
/// here, so that connections wait for the next program while there is none.
///
/// # Errors
/// No more descriptors.
pub fn stdin(listener: &TcpListener) -> io::Result<Stdio> {
    Ok(Stdio::from(OwnedFd::from(listener.try_clone()?)))
}
