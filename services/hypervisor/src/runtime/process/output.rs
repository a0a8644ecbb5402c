//! What a child writes: every line into the sandbox's log and ours, the last ones kept for the
//! cause of a crash.

use super::log::Log;
use crate::runtime::line::{LONGEST_LINE, visible};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{info, warn};

/// Lines that are kept of each stream.
const KEPT: usize = 12;
/// How long the streams may stay open after the child ended, by a process that left its group.
const LINGER: Duration = Duration::from_millis(500);
/// So many lines of a stream are in our own log in each [`PERIOD`]: who floods it is not to fill
/// it, nor to be held up by it.
const MOST_LINES: u32 = 1000;
const PERIOD: Duration = Duration::from_secs(10);

/// Both streams of one child.
pub(super) struct Output {
    stdout: Tail,
    stderr: Tail,
    readers: JoinSet<()>,
}

type Tail = Arc<Mutex<VecDeque<String>>>;

impl Output {
    pub(super) fn of(child: &mut Child, sandbox: &str, log: &Arc<Log>) -> Self {
        let mut output = Self {
            stdout: Tail::default(),
            stderr: Tail::default(),
            readers: JoinSet::new(),
        };
        let reader = |name, tail: &Tail| Reader {
            sandbox: sandbox.to_owned(),
            name,
            tail: Arc::clone(tail),
            log: Arc::clone(log),
            since: Instant::now(),
            lines: 0,
        };
        let (stdout, stderr) = (
            reader("stdout", &output.stdout),
            reader("stderr", &output.stderr),
        );
        if let Some(stream) = child.stdout.take() {
            output.readers.spawn(stdout.read(stream));
        }
        if let Some(stream) = child.stderr.take() {
            output.readers.spawn(stderr.read(stream));
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

/// Reads one stream to its end.
struct Reader {
    sandbox: String,
    name: &'static str,
    tail: Tail,
    log: Arc<Log>,
    /// The beginning of a period, and the lines since.
    since: Instant,
    lines: u32,
}

impl Reader {
    async fn read(mut self, stream: impl AsyncRead + Unpin) {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while let Ok(1..) = (&mut stream)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await
        {
            let text = visible(&line);
            line.clear();
            self.log.push(&text);
            self.tell(&text);
            let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
            if tail.len() == KEPT {
                tail.pop_front();
            }
            tail.push_back(text);
        }
    }

    /// Into our own log, unless it writes too much.
    fn tell(&mut self, text: &str) {
        let (sandbox, stream) = (&self.sandbox, self.name);
        if self.since.elapsed() >= PERIOD {
            let left_out = self.lines.saturating_sub(MOST_LINES);
            if left_out > 0 {
                warn!(
                    sandbox,
                    stream,
                    left_out,
                    "it wrote more lines than are kept here; its own log has the last"
                );
            }
            (self.since, self.lines) = (Instant::now(), 0);
        }
        self.lines = self.lines.saturating_add(1);
        if self.lines <= MOST_LINES {
            info!(sandbox, stream, "{text}");
        }
    }
}
