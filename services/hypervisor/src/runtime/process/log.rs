//! The last lines of a sandbox, whichever of its processes wrote them.

use crate::runtime::{LogLines, MOST_LOG_LINES};
use futures_util::StreamExt as _;
use futures_util::stream;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Bytes that are kept at most, however many lines they are.
const MOST_BYTES: usize = 256 * 1024;
/// Lines that a follower takes at a time.
const BATCH: usize = 64;

/// The last lines of a sandbox, of all of its runs. Whoever follows reads them here: one who is
/// slow misses some, and holds up nobody.
pub(super) struct Log {
    kept: Mutex<Kept>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<Box<str>>,
    bytes: usize,
    /// The number of the next line; the first ever was 0.
    next: u64,
}

impl Kept {
    fn first(&self) -> u64 {
        self.next - self.lines.len() as u64
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Log {
    pub(super) fn push(&self, line: &str) {
        let mut kept = self.kept();
        kept.bytes += line.len();
        kept.next += 1;
        kept.lines.push_back(line.into());
        while kept.lines.len() > MOST_LOG_LINES || kept.bytes > MOST_BYTES {
            let oldest = kept.lines.pop_front();
            kept.bytes -= oldest.map_or(0, |line| line.len());
        }
        drop(kept);
        self.changed.send_replace(());
    }

    /// The last lines, and with `follow` those to come.
    pub(super) fn read(self: Arc<Self>, lines: usize, follow: bool) -> LogLines {
        let kept = self.kept();
        let first = kept.lines.len().saturating_sub(lines);
        if !follow {
            // All of one moment: while it is read, more may be written than are kept.
            let lines: Vec<_> = kept.lines.range(first..).map(ToString::to_string).collect();
            return stream::iter(lines).boxed();
        }
        let next = kept.first() + first as u64;
        drop(kept);
        let reader = Reader {
            changed: self.changed.subscribe(),
            log: self,
            next,
            batch: VecDeque::new(),
        };
        let following = stream::unfold(reader, async |mut reader| {
            let line = reader.line().await?;
            Some((line, reader))
        });
        following.boxed()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who reads a log.
struct Reader {
    log: Arc<Log>,
    changed: watch::Receiver<()>,
    /// The number of the next line to take.
    next: u64,
    /// Taken, and not yet read.
    batch: VecDeque<String>,
}

impl Reader {
    /// The next line, once there is one.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(line) = self.batch.pop_front() {
                return Some(line);
            }
            self.take();
            if self.batch.is_empty() {
                self.changed.changed().await.ok()?;
            }
        }
    }

    fn take(&mut self) {
        let kept = self.log.kept();
        let missed = kept.first().saturating_sub(self.next);
        if missed > 0 {
            self.batch.push_back(format!(
                "[{missed} lines are left out here, for they came faster than they were read]"
            ));
            self.next += missed;
        }
        let at = usize::try_from(self.next - kept.first()).unwrap_or(usize::MAX);
        let new = kept.lines.iter().skip(at).take(BATCH);
        let before = self.batch.len();
        self.batch.extend(new.map(ToString::to_string));
        self.next += (self.batch.len() - before) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: std::ops::Range<usize>) -> Arc<Log> {
        let log = Arc::<Log>::default();
        lines.for_each(|number| log.push(&number.to_string()));
        log
    }

    async fn all(lines: LogLines) -> Vec<String> {
        lines.collect().await
    }

    #[tokio::test]
    async fn the_last_lines_are_kept_in_so_many_lines_and_bytes() {
        let log = log(0..1500);
        assert_eq!(all(Arc::clone(&log).read(2, false)).await, ["1498", "1499"]);
        let kept = all(Arc::clone(&log).read(5000, false)).await;
        assert_eq!((kept.len(), &*kept[0]), (MOST_LOG_LINES, "500"));
        assert!(all(Arc::clone(&log).read(0, false)).await.is_empty());
        let long = "x".repeat(1024);
        (0..10_000).for_each(|_| log.push(&long));
        let kept = log.kept();
        assert_eq!((kept.lines.len(), kept.bytes), (256, MOST_BYTES));
    }

    #[tokio::test]
    async fn a_follower_who_is_slow_misses_lines_and_is_told_how_many() {
        let log = log(0..3);
        let mut lines = Arc::clone(&log).read(2, true);
        assert_eq!(lines.next().await.unwrap(), "1");
        (3..5000).for_each(|number| log.push(&number.to_string()));
        // Those that were taken already, before the flood.
        assert_eq!(lines.next().await.unwrap(), "2");
        let said = lines.next().await.unwrap();
        assert!(said.starts_with("[3997 lines are left out"), "{said}");
        for number in 4000..5000 {
            assert_eq!(lines.next().await.unwrap(), number.to_string());
        }
        let waiting = tokio::spawn(async move { lines.next().await });
        tokio::task::yield_now().await;
        log.push("the next");
        assert_eq!(waiting.await.unwrap().unwrap(), "the next");
    }
}
