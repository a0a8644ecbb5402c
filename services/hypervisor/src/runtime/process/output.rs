//! What a child writes: every line into the log, the last ones kept for the cause of a crash.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::info;

/// Lines that are kept of each stream.
const KEPT: usize = 12;
/// Bytes of a line; a longer one is cut into several.
const LONGEST_LINE: u64 = 1024;
/// How long the streams may stay open after the child ended, by a process that left its group.
const LINGER: Duration = Duration::from_millis(500);

/// Both streams of one child.
pub(super) struct Output {
    stdout: Tail,
    stderr: Tail,
    readers: JoinSet<()>,
}

type Tail = Arc<Mutex<VecDeque<String>>>;

impl Output {
    pub(super) fn of(child: &mut Child, sandbox: &str) -> Self {
        let mut output = Self {
            stdout: Tail::default(),
            stderr: Tail::default(),
            readers: JoinSet::new(),
        };
        let (stdout, stderr) = (output.stdout.clone(), output.stderr.clone());
        let (readers, sandbox) = (&mut output.readers, sandbox.to_owned());
        if let Some(stream) = child.stdout.take() {
            readers.spawn(read(stream, stdout, sandbox.clone(), "stdout"));
        }
        if let Some(stream) = child.stderr.take() {
            readers.spawn(read(stream, stderr, sandbox, "stderr"));
        }
        output
    }

    /// Resolves when all is read that an ended child wrote.
    pub(super) async fn whole(&mut self) {
        let read = async { while self.readers.join_next().await.is_some() {} };
        let _ = timeout(LINGER, read).await;
    }

    /// The last lines of standard error; of standard output if there are none.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let stderr = lines_of(&self.stderr);
        if stderr.is_empty() {
            return lines_of(&self.stdout);
        }
        stderr
    }
}

fn lines_of(tail: &Tail) -> Vec<String> {
    let tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
    tail.iter().cloned().collect()
}

async fn read(stream: impl AsyncRead + Unpin, tail: Tail, sandbox: String, name: &'static str) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut stream)
        .take(LONGEST_LINE)
        .read_until(b'\n', &mut line)
        .await
    {
        let text = visible(&line);
        line.clear();
        info!(sandbox, stream = name, "{text}");
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == KEPT {
            tail.pop_front();
        }
        tail.push_back(text);
    }
}

/// A line without what could command a terminal.
fn visible(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.chars().filter(|c| !c.is_control()).collect()
}
