//! A program under test: its output is kept, and it never outlives its test.

use crate::wait::eventually;
use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, BufRead, BufReader, Read};
use std::panic;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// A running program. Dropped, it is killed and reaped, and if that is because the test
/// panicked, its output is printed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Capture,
    stderr: Capture,
}

impl Process {
    /// Starts it, without standard input.
    ///
    /// # Errors
    /// It could not be started.
    pub fn spawn(command: Command) -> Result<Self> {
        Self::spawn_with(command, Stdio::null())
    }

    /// Starts it with this standard input.
    ///
    /// # Errors
    /// It could not be started.
    pub fn spawn_with(command: Command, stdin: Stdio) -> Result<Self> {
        Self::spawn_between(command, stdin, Stdio::piped())
    }

    /// Starts it with this standard input and output; the output is kept if it is a pipe.
    ///
    /// # Errors
    /// It could not be started.
    pub fn spawn_between(mut command: Command, stdin: Stdio, stdout: Stdio) -> Result<Self> {
        let mut child = command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        let stderr = child.stderr.take().context("no pipe for stderr")?;
        let stdout = child.stdout.take();
        Ok(Self {
            child,
            stdout: stdout.map_or_else(|| Capture::of(io::empty()), Capture::of),
            stderr: Capture::of(stderr),
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard output.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to standard error.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// The first line of standard output that `wanted` accepts, waited for.
    ///
    /// # Errors
    /// No such line came in time.
    pub async fn stdout_line(&self, wanted: impl Fn(&str) -> bool) -> Result<String> {
        eventually("a line on stdout", async || self.stdout.find(&wanted))
            .await
            .with_context(|| self.transcript())
    }

    /// The first line of standard error that `wanted` accepts, waited for.
    ///
    /// # Errors
    /// No such line came in time.
    pub async fn stderr_line(&self, wanted: impl Fn(&str) -> bool) -> Result<String> {
        eventually("a line on stderr", async || self.stderr.find(&wanted))
            .await
            .with_context(|| self.transcript())
    }

    /// Asks it to end (SIGTERM).
    ///
    /// # Errors
    /// It has ended already.
    pub fn sigterm(&mut self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Kills it (SIGKILL).
    ///
    /// # Errors
    /// It has ended already.
    pub fn kill9(&mut self) -> Result<()> {
        self.signal(Signal::KILL)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It has ended already.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        // Only a child that is not yet reaped surely still owns its process id.
        ensure!(self.exited()?.is_none(), "{}", self.transcript());
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system refused to say.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end, and for the rest of its output.
    ///
    /// # Errors
    /// It has not ended in time.
    pub async fn wait_exit(&mut self) -> Result<ExitStatus> {
        let child = &mut self.child;
        let status = eventually("the program's end", async || child.try_wait().transpose())
            .await
            .with_context(|| format!("{}\n{}", self.stdout.text(), self.stderr.text()))??;
        eventually("the end of its output", async || {
            (self.stdout.ended() && self.stderr.ended()).then_some(())
        })
        .await?;
        Ok(status)
    }

    /// Both outputs, for a message.
    pub fn transcript(&self) -> String {
        let (pid, out, err) = (self.pid(), self.stdout(), self.stderr());
        format!("--- process {pid}, stdout:\n{out}--- stderr:\n{err}---")
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "shown with the failure of the test")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{}", self.transcript());
        }
    }
}

/// One of its outputs, read by a thread so that it never waits for the test.
#[derive(Debug)]
struct Capture {
    lines: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

impl Capture {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                sink.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        });
        Self { lines, reader }
    }

    fn find(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().find(|line| wanted(line)).cloned()
    }

    fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .fold(String::new(), |text, line| text + line + "\n")
    }

    fn ended(&self) -> bool {
        self.reader.is_finished()
    }
}

/// Does `work` while others start children all the time. Until it runs its program, each has a copy
/// of every file and socket of this process.
///
/// # Panics
/// `work` does, or no child can be started.
pub fn while_children_are_started(work: impl FnOnce()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    assert!(Command::new("true").status().is_ok());
                }
            });
        }
        let done = panic::catch_unwind(panic::AssertUnwindSafe(work));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = done {
            panic::resume_unwind(panic);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::Process;
    use std::process::Command;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        Process::spawn(command).unwrap()
    }

    #[tokio::test]
    async fn both_outputs_and_the_exit_code_are_kept() {
        let mut process = shell("echo one; echo two >&2; exit 3");
        assert_eq!(process.wait_exit().await.unwrap().code(), Some(3));
        assert_eq!(process.stdout(), "one\n");
        assert_eq!(process.stderr(), "two\n");
        assert!(process.sigterm().is_err());
    }

    #[tokio::test]
    async fn a_program_can_handle_sigterm() {
        let mut process = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done");
        process.stdout_line(|line| line == "ready").await.unwrap();
        process.sigterm().unwrap();
        assert_eq!(process.wait_exit().await.unwrap().code(), Some(7));
    }

    #[tokio::test]
    async fn a_dropped_program_is_gone() {
        let process = shell("echo ready; exec sleep 600");
        process.stdout_line(|line| line == "ready").await.unwrap();
        let folder = format!("/proc/{}", process.pid());
        drop(process);
        assert!(!std::path::Path::new(&folder).exists());
    }
}
