//! What happened, and when. Clients and conductor write it; the judge reads it when all is over.

use crate::ledger::Span;
use crate::types::{Moment, Run, nanos};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What a client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// POST of a record.
    Write,
    /// GET of records, which are compared with what was acknowledged.
    Read,
    /// The records as they come, as server-sent events.
    Events,
    /// The same over a WebSocket.
    WebSocket,
}

impl Kind {
    /// All of them, in the report's order.
    pub const ALL: [Self; 4] = [Self::Write, Self::Read, Self::Events, Self::WebSocket];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Write => "POST a record",
            Self::Read => "GET records",
            Self::Events => "SSE",
            Self::WebSocket => "WebSocket",
        })
    }
}

/// What happened, and when.
pub(super) struct Ledger {
    start: Instant,
    answered: [AtomicU64; Kind::ALL.len()],
    /// Sent again because a kept connection ended without a byte of an answer.
    retried: [AtomicU64; Kind::ALL.len()],
    /// The process that answered last.
    pid: AtomicI32,
    records: Mutex<Records>,
}

/// What is rare enough to be kept one by one.
#[derive(Default)]
pub(super) struct Records {
    pub(super) failures: Vec<Failure>,
    /// For each run its first answer.
    pub(super) first: HashMap<u64, Moment>,
    /// Each client's first answer of each run.
    pub(super) arrivals: Vec<Arrival>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) changes: Vec<Change>,
    /// For how many milliseconds live was frozen each time.
    pub(super) frozen: Vec<f64>,
    /// What else was done, and how often.
    pub(super) others: BTreeMap<&'static str, u64>,
    /// Records that are gone by order.
    pub(super) ordered_away: u64,
    /// Acknowledged and not there, or not as they should be.
    pub(super) lost: Vec<String>,
    /// There more often than they were sent.
    pub(super) twice: Vec<String>,
    pub(super) disordered: Vec<String>,
    /// Other promises that were broken.
    pub(super) broken: Vec<String>,
}

/// A request that did not get what it should.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) cause: String,
}

/// A request that was the first of its client to be answered by a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) run: Run,
    pub(super) span: Span,
}

/// What the storm itself did, by which requests may fail.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) what: String,
    pub(super) span: Span,
}

/// A promotion, or what undid it.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) what: String,
    pub(super) class: Class,
    pub(super) span: Span,
    /// Of a promotion.
    pub(super) outcome: Option<Outcome>,
    /// For how long requests were held, if the hypervisor says so.
    pub(super) held_ms: Option<u64>,
}

/// Whose holds they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A promotion to a release that is well.
    Well,
    /// An undo.
    Undo,
    /// A promotion to a faulty release.
    Faulty,
    /// A promotion in whose midst something was killed or restarted.
    Killed,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Well => "well",
            Self::Undo => "undo",
            Self::Faulty => "faulty",
            Self::Killed => "kill, restart",
        })
    }
}

/// What became of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Live has the release.
    Done,
    /// Live had it, and was given back what it had before.
    TakenBack,
    /// Live was never asked: the rehearsal had found what is wrong.
    Rehearsed,
    /// It had not begun when something was killed.
    Nothing,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Done => "done",
            Self::TakenBack => "taken back",
            Self::Rehearsed => "stopped by the rehearsal",
            Self::Nothing => "not begun",
        })
    }
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            answered: Default::default(),
            retried: Default::default(),
            pid: AtomicI32::new(0),
            records: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Moment {
        nanos(self.start.elapsed())
    }

    /// From then until now.
    pub(super) fn since(&self, begin: Moment) -> Span {
        Span {
            begin,
            end: self.now(),
        }
    }

    /// Requests that were answered as they should be.
    pub(super) fn answered(&self, kind: Kind) -> u64 {
        self.answered[kind as usize].load(Ordering::Relaxed)
    }

    pub(super) fn retried(&self, kind: Kind) -> u64 {
        self.retried[kind as usize].load(Ordering::Relaxed)
    }

    pub(super) fn retry(&self, kind: Kind) {
        self.retried[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn all_answered(&self) -> u64 {
        Kind::ALL.iter().map(|&kind| self.answered(kind)).sum()
    }

    /// The process of live's program, as far as is known.
    pub(super) fn pid(&self) -> i32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// An answer came from a run, of which `known` is the last that this client has seen.
    pub(super) fn answer(&self, kind: Kind, begun: Moment, run: Run, known: &mut Option<u64>) {
        self.answered[kind as usize].fetch_add(1, Ordering::Relaxed);
        if *known == Some(run.id) {
            return;
        }
        *known = Some(run.id);
        let span = self.since(begun);
        self.pid.store(run.pid, Ordering::Relaxed);
        self.record(|records| {
            let first = records.first.entry(run.id).or_insert(span.end);
            *first = span.end.min(*first);
            records.arrivals.push(Arrival { run, span });
        });
    }

    pub(super) fn fail(&self, kind: Kind, begun: Moment, cause: impl Into<String>) {
        let failure = Failure {
            kind,
            span: self.since(begun),
            cause: cause.into(),
        };
        self.record(|records| records.failures.push(failure));
    }

    /// Something is about to be done by which requests may fail; the number is for
    /// [`Ledger::recovered`].
    pub(super) fn trouble(&self, what: String) -> usize {
        let span = Span {
            begin: self.now(),
            end: Moment::MAX,
        };
        self.record(|records| {
            records.troubles.push(Trouble { what, span });
            records.troubles.len() - 1
        })
    }

    pub(super) fn recovered(&self, number: usize) {
        let now = self.now();
        self.record(|records| records.troubles[number].span.end = now);
    }

    /// Something else was done.
    pub(super) fn did(&self, what: &'static str) {
        self.record(|records| *records.others.entry(what).or_default() += 1);
    }

    /// A promise was broken that no request tells of.
    pub(super) fn broken(&self, what: String) {
        self.record(|records| records.broken.push(what));
    }

    pub(super) fn record<T>(&self, write: impl FnOnce(&mut Records) -> T) -> T {
        write(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
