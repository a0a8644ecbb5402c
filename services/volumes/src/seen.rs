//! What the first pass saw, by which the second knows what has changed.

use crate::Result;
use crate::error::VolumeError;
use crate::files;
use rustix::fd::BorrowedFd;
use rustix::fs::Stat;
use rustix::time::{ClockId, clock_gettime};

/// The file in an unfinished snapshot that keeps it, once the first pass is through.
const FILE: &str = "seen";
const VERSION: u64 = 1;
const WORDS: usize = 6;
const RECORD: usize = WORDS * 8;

/// A time stamp comes from a clock that ticks, in a file system that may count in seconds.
const SLACK_NS: i64 = 2_000_000_000;
/// More than that between two clocks, and one of them was set.
const DRIFT_NS: i64 = 500_000_000;

fn now(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    nanos(now.tv_sec, now.tv_nsec)
}

fn nanos(secs: i64, nanos: i64) -> i64 {
    secs.wrapping_mul(1_000_000_000).wrapping_add(nanos)
}

fn modified(stat: &Stat) -> i64 {
    nanos(
        stat.st_mtime,
        i64::try_from(stat.st_mtime_nsec).unwrap_or(0),
    )
}

fn changed(stat: &Stat) -> i64 {
    nanos(
        stat.st_ctime,
        i64::try_from(stat.st_ctime_nsec).unwrap_or(0),
    )
}

/// A file of the copy, and the state that its original had before it was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Record([u64; WORDS]);

impl Record {
    fn new(copy: u64, original: &Stat) -> Self {
        Self([
            copy,
            original.st_ino,
            original.st_dev,
            original.st_size.cast_unsigned(),
            modified(original).cast_unsigned(),
            changed(original).cast_unsigned(),
        ])
    }
}

/// All that one pass saw, 48 bytes a file.
pub(crate) struct Seen {
    /// When it began, before all that was dirty was written out.
    began: i64,
    /// How far the wall clock was before the one that is never set.
    ahead: i64,
    records: Vec<Record>,
}

impl Seen {
    /// To be called before all that is dirty is written out (syncfs): a page that was written
    /// to through a mapping, and stays dirty, changes no time stamp any more. After it was
    /// written out, the next write does.
    pub(crate) fn begin() -> Self {
        let began = now(ClockId::Realtime);
        Self {
            began,
            ahead: began - now(ClockId::Boottime),
            records: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, copy: u64, original: &Stat) {
        self.records.push(Record::new(copy, original));
    }

    /// Whether the file of that inode number in the copy is `original` as it is now.
    pub(crate) fn is_copy(&self, copy: u64, original: &Stat) -> bool {
        let quiet = self.began - SLACK_NS;
        modified(original) < quiet
            && changed(original) < quiet
            && self
                .records
                .binary_search(&Record::new(copy, original))
                .is_ok()
    }

    pub(crate) fn write(mut self, part: BorrowedFd<'_>, path: &str) -> Result<()> {
        self.records.sort_unstable();
        let head = [
            VERSION,
            self.began.cast_unsigned(),
            self.ahead.cast_unsigned(),
        ];
        let mut bytes = Vec::with_capacity(head.len() * 8 + self.records.len() * RECORD);
        let words = self.records.iter().flat_map(|record| record.0);
        for word in head.into_iter().chain(words) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        files::write(part, FILE, &bytes, path)
    }

    /// `None` if no first pass is through, or a clock was set since: time stamps say nothing then.
    pub(crate) fn read(part: BorrowedFd<'_>, path: &str) -> Result<Option<Self>> {
        let Some(bytes) = files::read(part, FILE, path)? else {
            return Ok(None);
        };
        let (words, rest) = bytes.as_chunks::<8>();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        let head = [(); 3].map(|()| words.next());
        let [Some(VERSION), Some(began), Some(ahead)] = head else {
            return Ok(None);
        };
        let records: Vec<u64> = words.collect();
        let (records, torn) = records.as_chunks::<WORDS>();
        if !rest.is_empty() || !torn.is_empty() {
            return Err(VolumeError::io(
                "read",
                format!("{path}/{FILE}"),
                std::io::ErrorKind::InvalidData,
            ));
        }
        let (began, ahead) = (began.cast_signed(), ahead.cast_signed());
        let drift = now(ClockId::Realtime) - now(ClockId::Boottime) - ahead;
        if drift.abs() > DRIFT_NS {
            return Ok(None);
        }
        Ok(Some(Self {
            began,
            ahead,
            records: records.iter().map(|words| Record(*words)).collect(),
        }))
    }

    /// Whether there is one, without reading it.
    pub(crate) fn is_there(part: BorrowedFd<'_>) -> bool {
        files::stat(part, FILE).is_ok()
    }

    pub(crate) const FILE: &str = FILE;
}
