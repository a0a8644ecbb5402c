//! One running child, as the hypervisor sees it: through its guardian.

use super::guardians::{Guardians, Registered};
use super::log::Log;
use super::output::Output;
use crate::config::Address;
use crate::runtime::backend::{End, Instance};
use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::timeout;

/// What a guardian may take beyond the sandbox's own time.
const GUARDIAN_LIMIT: Duration = Duration::from_secs(10);

/// A child and its guardian. Dropped without a stop, the guardian sees to its end.
pub(super) struct Child {
    address: Address,
    names_itself: bool,
    guardian: tokio::process::Child,
    /// Where those look who copy its volume.
    registered: Option<Registered>,
    /// The guardian stops the child as soon as this is closed.
    link: Option<UnixStream>,
    /// The child's process group, unless it could not be run.
    group: Option<Pid>,
    /// What the child has between SIGTERM and SIGKILL.
    grace: Duration,
    output: Output,
}

impl Child {
    /// Spawns the guardian's command, and resolves when the child runs (or could not be run,
    /// which is then how it ended).
    pub(super) async fn spawn(
        mut command: Command,
        (sandbox, log): (&str, &Arc<Log>),
        guardians: &Arc<Guardians>,
        address: Address,
        grace: Duration,
    ) -> io::Result<Self> {
        let (theirs, ours) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut link = UnixStream::from_std(ours)?;
        let mut guardian = command
            .process_group(0)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let pid = guardian.id().and_then(|id| i32::try_from(id).ok());
        let pid = pid.and_then(Pid::from_raw);
        let registered = pid.map(|pid| guardians.add(sandbox, pid));
        // The command holds the guardian's end too, and would hide its closing.
        drop(command);
        let output = Output::of(&mut guardian, sandbox, log);
        let mut number = String::new();
        let mut first = BufReader::new(&mut link);
        let _ = timeout(GUARDIAN_LIMIT, first.read_line(&mut number)).await;
        Ok(Self {
            address,
            names_itself: true,
            guardian,
            registered,
            link: Some(link),
            group: number.trim().parse().ok().and_then(Pid::from_raw),
            grace,
            output,
        })
    }

    /// The same, whose program may know nothing of names.
    pub(super) const fn naming_itself(mut self, names_itself: bool) -> Self {
        self.names_itself = names_itself;
        self
    }

    /// What the guardian does, should it be gone itself.
    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // Nothing is left to kill if the group has just ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[async_trait]
impl Instance for Child {
    fn address(&self) -> Address {
        self.address
    }

    fn names_itself(&self) -> bool {
        self.names_itself
    }

    async fn ending(&mut self) {
        let _ = self.guardian.wait().await; // `ended` looks at it again.
    }

    async fn ended(&mut self) -> End {
        let status = self.guardian.wait().await;
        let is_killed = |status: &ExitStatus| status.signal().is_some();
        if status.as_ref().is_ok_and(is_killed) {
            self.kill();
        }
        if let Some(registered) = &self.registered {
            registered.ended();
        }
        self.output.whole().await;
        End::Crashed(match status {
            Ok(status) if is_killed(&status) => {
                "its guardian process was killed, and so it was too".to_owned()
            }
            Ok(status) => sentence(status),
            Err(error) => format!("its guardian cannot be waited for: {error}"),
        })
    }

    fn last_lines(&self) -> Vec<String> {
        self.output.last_lines()
    }

    async fn stop(&mut self) -> Result<(), String> {
        self.link = None;
        let limit = self.grace + GUARDIAN_LIMIT;
        if timeout(limit, self.ended()).await.is_ok() {
            return Ok(());
        }
        self.kill();
        let id = self.guardian.id();
        Err(format!(
            "its processes do not end, not even killed (guardian {id:?})"
        ))
    }
}

/// How the child ended, as the guardian's exit code has it: the child's, or as shells have it
/// 128 and the number of the signal.
fn sentence(status: ExitStatus) -> String {
    match status.code() {
        Some(0) => "it ended by itself, without an error".to_owned(),
        Some(code @ 129..=192) => format!("it was killed by signal {}", code - 128),
        Some(code) => format!("it exited with status {code}"),
        None => format!("it ended: {status}"),
    }
}
