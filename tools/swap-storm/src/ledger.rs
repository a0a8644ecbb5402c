//! What happened, and when. Clients and conductor write it while the storm runs; the judge reads
//! it once all is over, so that no verdict depends on who wrote first.

use super::plan::Plan;
use super::sandbox::Fault;
use super::types::{Kind, Moment, Role, clock, nanos};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use testkit::wait::DEADLINE;

/// What happened, and when.
pub(super) struct Ledger {
    start: Instant,
    /// The newest generation that a swap was ordered for.
    ordered: AtomicU64,
    /// The newest generation that a swap's answer has told.
    told: AtomicU64,
    counts: [Count; Kind::ALL.len()],
    generations: Vec<Generation>,
    records: Mutex<Records>,
}

#[derive(Default)]
pub(super) struct Count {
    pub(super) answered: AtomicU64,
    /// Sent again because a kept connection ended without a byte of an answer.
    pub(super) retried: AtomicU64,
    /// Messages and events.
    pub(super) pieces: AtomicU64,
}

/// What was seen of one generation.
pub(super) struct Generation {
    /// The first answer by live.
    pub(super) first: AtomicU64,
    /// The last byte of an answer.
    pub(super) last: AtomicU64,
}

/// What is rare enough to be kept one by one.
#[derive(Default)]
pub(super) struct Records {
    pub(super) failures: Vec<Failure>,
    pub(super) ends: Vec<End>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) swaps: Vec<Swap>,
    pub(super) refusals: u64,
    /// Swaps that were confirmed once more, after a restart.
    pub(super) confirmed_anew: u64,
    pub(super) restarts: Vec<Span>,
    /// Answers from the wrong side.
    pub(super) wrong: Vec<String>,
    /// Other promises that were broken.
    pub(super) broken: Vec<String>,
}

/// From when to when; to the end of time, as long as it lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) begin: Moment,
    pub(super) end: Moment,
}

impl Span {
    pub(super) fn overlaps(self, other: Self) -> bool {
        self.begin <= other.end && other.begin <= self.end
    }
}

/// A request that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) kind: Kind,
    pub(super) role: Role,
    pub(super) at: Moment,
    /// The generation that was told before; no older one may answer.
    pub(super) floor: u64,
}

/// Who answered, by its own words.
#[derive(Debug, Clone, Copy)]
pub(super) struct From {
    pub(super) sandbox: Role,
    pub(super) role: Role,
    pub(super) generation: u64,
}

/// An answer that began as it should.
#[derive(Debug, Clone, Copy)]
pub(super) struct Receipt {
    pub(super) begun: Begun,
    pub(super) from: From,
    /// When its head came.
    pub(super) opened: Moment,
}

/// A request that did not get what it should.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) begun: Begun,
    pub(super) ended: Moment,
    /// The sandbox that it went to, if that is known.
    pub(super) sandbox: Option<Role>,
    pub(super) cause: Cause,
    /// The newest generation that could have answered.
    pub(super) ceiling: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// Another status than was due.
    Status(u16),
    /// The answer began and did not end.
    Cut(String),
    /// Nothing came at all.
    NoAnswer(String),
    /// What came is not what was asked for.
    Garbled(String),
}

/// The end of a WebSocket or an event stream that was not its client's.
#[derive(Debug)]
pub(super) struct End {
    pub(super) receipt: Receipt,
    /// Its last sign of life.
    pub(super) alive: Moment,
    pub(super) ended: Moment,
    pub(super) how: How,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// Close code 1012, or the clean end of an event stream.
    Told,
    /// Without a goodbye.
    Cut(String),
    /// Because something came that should not have.
    Garbled(String),
    /// It lived on, though its generation had been drained long before.
    Outlived,
}

#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) sandbox: Role,
    pub(super) fault: Fault,
    pub(super) span: Span,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Swap {
    pub(super) generation: u64,
    /// From the order to its answer.
    pub(super) span: Span,
    /// Seconds.
    pub(super) drain: u64,
}

impl Swap {
    /// When the drain is over that it began, at the latest.
    pub(super) fn drained(&self) -> Moment {
        self.span.end.saturating_add(self.grace())
    }

    /// What the streams of the generation before have.
    pub(super) fn grace(&self) -> Moment {
        nanos(Duration::from_secs(self.drain))
    }
}

impl Records {
    /// The swap that ended this generation.
    pub(super) fn swap_from(&self, generation: u64) -> Option<&Swap> {
        let mut swaps = self.swaps.iter();
        swaps.find(|swap| swap.generation == generation + 1)
    }
}

impl Ledger {
    pub(super) fn new(plan: &Plan) -> Self {
        let generation = || Generation {
            first: AtomicU64::new(Moment::MAX),
            last: AtomicU64::new(0),
        };
        Self {
            start: Instant::now(),
            ordered: AtomicU64::new(1),
            told: AtomicU64::new(1),
            counts: Default::default(),
            // They are counted from 1, and the last swap makes one more.
            generations: (0..plan.swaps + 2).map(|_| generation()).collect(),
            records: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Moment {
        nanos(self.start.elapsed())
    }

    pub(super) fn count(&self, kind: Kind) -> &Count {
        &self.counts[kind as usize]
    }

    pub(super) fn generation(&self, generation: u64) -> Option<&Generation> {
        self.generations.get(usize::try_from(generation).ok()?)
    }

    /// Requests that were answered as they should be.
    pub(super) fn answered(&self) -> u64 {
        let counts = self.counts.iter();
        counts.map(|it| it.answered.load(Ordering::Relaxed)).sum()
    }

    /// A request begins now.
    pub(super) fn begin(&self, kind: Kind, role: Role) -> Begun {
        Begun {
            kind,
            role,
            floor: self.told.load(Ordering::SeqCst),
            at: self.now(),
        }
    }

    /// Its answer began, and was due.
    pub(super) fn answer(&self, begun: Begun, from: From) -> Receipt {
        let opened = self.now();
        let ceiling = self.ordered.load(Ordering::SeqCst);
        let right = from.role == begun.role
            && from.sandbox == from.role.held_by(from.generation)
            && (begun.floor..=ceiling).contains(&from.generation);
        if !right {
            let (kind, floor) = (begun.kind, begun.floor);
            let wrong = format!(
                "{kind} for {:?} at generation {floor} to {ceiling}, at {}: answered by {from:?}",
                begun.role,
                clock(begun.at)
            );
            self.record(|records| records.wrong.push(wrong));
        }
        if let (Role::Live, Some(seen)) = (from.role, self.generation(from.generation)) {
            seen.first.fetch_min(opened, Ordering::Relaxed);
        }
        let count = &self.count(begun.kind).answered;
        count.fetch_add(1, Ordering::Relaxed);
        Receipt {
            begun,
            from,
            opened,
        }
    }

    /// The last byte of an answer came.
    pub(super) fn finish(&self, from: From) {
        if let Some(generation) = self.generation(from.generation) {
            generation.last.fetch_max(self.now(), Ordering::Relaxed);
        }
    }

    /// A request failed, which went to this sandbox, if that is known.
    pub(super) fn fail(&self, begun: Begun, sandbox: Option<Role>, cause: Cause) {
        let failure = Failure {
            begun,
            ended: self.now(),
            sandbox,
            cause,
            ceiling: self.ordered.load(Ordering::SeqCst),
        };
        self.record(|records| records.failures.push(failure));
    }

    /// A stream ended otherwise than by its client, and was last alive then.
    pub(super) fn end(&self, receipt: Receipt, alive: Moment, how: How) {
        self.finish(receipt.from);
        let end = End {
            receipt,
            alive,
            ended: self.now(),
            how,
        };
        self.record(|records| records.ends.push(end));
    }

    /// Whether a swap's answer has told of a newer generation.
    pub(super) fn is_old(&self, generation: u64) -> bool {
        self.told.load(Ordering::SeqCst) > generation
    }

    /// Whether this generation's streams should have ended long ago.
    pub(super) fn has_outlived(&self, generation: u64) -> bool {
        let now = self.now();
        self.is_old(generation)
            && self.record(|records| {
                let swap = records.swap_from(generation);
                swap.is_some_and(|swap| now > swap.drained().saturating_add(nanos(DEADLINE)))
            })
    }

    /// A swap to this generation is about to be ordered.
    pub(super) fn order(&self, generation: u64) -> Moment {
        self.ordered.fetch_max(generation, Ordering::SeqCst);
        self.now()
    }

    /// Its answer came.
    pub(super) fn swapped(&self, swap: Swap) {
        self.record(|records| records.swaps.push(swap));
        self.told.fetch_max(swap.generation, Ordering::SeqCst);
    }

    /// A sandbox is about to go wrong; the number is for [`Ledger::recovered`].
    pub(super) fn suffers(&self, sandbox: Role, fault: Fault) -> usize {
        let span = Span {
            begin: self.now(),
            end: Moment::MAX,
        };
        self.record(|records| {
            records.troubles.push(Trouble {
                sandbox,
                fault,
                span,
            });
            records.troubles.len() - 1
        })
    }

    /// It is well again.
    pub(super) fn recovered(&self, number: usize) {
        let now = self.now();
        self.record(|records| {
            if let Some(trouble) = records.troubles.get_mut(number) {
                trouble.span.end = now;
            }
        });
    }

    /// A promise was broken that no request tells of.
    pub(super) fn broken(&self, what: String) {
        self.record(|records| records.broken.push(what));
    }

    pub(super) fn record<T>(&self, write: impl FnOnce(&mut Records) -> T) -> T {
        write(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
