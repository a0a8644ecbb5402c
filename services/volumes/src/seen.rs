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
pub(crate) const SLACK_NS: i64 = 2_000_000_000;
/// More than that between two clocks, and one of them was set.
const DRIFT_NS: i64 = 500_000_000;

fn now(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    nanos(now.tv_sec, now.tv_nsec)
}

fn nanos(secs: i64, nanos: i64) -> i64 {
    secs.wrapping_mul(1_000_000_000).wrapping_add(nanos)
}

pub(crate) fn modified(stat: &Stat) -> i64 {
    nanos(
        stat.st_mtime,
        i64::try_from(stat.st_mtime_nsec).unwrap_or(0),
    )
}

pub(crate) fn changed(stat: &Stat) -> i64 {
    nanos(
        stat.st_ctime,
        i64::try_from(stat.st_ctime_nsec).unwrap_or(0),
    )
}

/// The state that a file had before it was copied, and last the number of the copy's inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Record([u64; WORDS]);

impl Record {
    fn new(original: &Stat, copy: u64) -> Self {
        Self([
            original.st_ino,
            original.st_dev,
            original.st_size.cast_unsigned(),
            modified(original).cast_unsigned(),
            changed(original).cast_unsigned(),
            copy,
        ])
    }
}

/// All that one pass saw, 48 bytes a file.
pub(crate) struct Seen {
    /// When it began, before all that was dirty was written out.
    began: i64,
    /// How far the wall clock was before the one that is never set.
    ahead: i64,
    /// What the copy was to need.
    pub needs: u64,
    records: Vec<Record>,
}

impl Seen {
    /// To be called before all that is dirty is written out (syncfs): a page that was written
    /// to through a mapping, and stays dirty, changes no time stamp any more. After it was
    /// written out, the next write does.
    pub(crate) fn begin(needs: u64) -> Self {
        let began = now(ClockId::Realtime);
        Self {
            began,
            ahead: began - now(ClockId::Boottime),
            needs,
            records: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, copy: u64, original: &Stat) {
        self.records.push(Record::new(original, copy));
    }

    /// The number of the inode of the copy of `original`, if that is as it was then.
    pub(crate) fn copy_of(&self, original: &Stat) -> Option<u64> {
        let quiet = self.began - SLACK_NS;
        if modified(original) >= quiet || changed(original) >= quiet {
            return None;
        }
        let Record([state @ .., _]) = Record::new(original, 0);
        let of = |Record([state @ .., _]): &Record| *state;
        let found = self.records.binary_search_by_key(&state, of).ok()?;
        self.records.get(found).map(|Record([.., copy])| *copy)
    }

    /// To be called before anything is looked up.
    pub(crate) fn sorted(mut self) -> Self {
        self.records.sort_unstable();
        self
    }

    pub(crate) fn write(&self, part: BorrowedFd<'_>, path: &str) -> Result<()> {
        let head = [
            VERSION,
            self.began.cast_unsigned(),
            self.ahead.cast_unsigned(),
            self.needs,
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
        let head = [(); 4].map(|()| words.next());
        let [Some(VERSION), Some(began), Some(ahead), Some(needs)] = head else {
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
            needs,
            records: records.iter().map(|words| Record(*words)).collect(),
        }))
    }

    pub(crate) const FILE: &str = FILE;
}
