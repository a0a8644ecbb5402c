//! Says of everything that happened whether it was right, was a sandbox's own fault, or broke a
//! promise.

use super::ledger::{Cause, End, Failure, How, Ledger, Receipt, Records, Span, Swap};
use super::report::{Report, Row, Streams};
use super::sandbox::Fault;
use super::types::{Kind, Moment, Role, clock, nanos};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;
use testkit::wait::DEADLINE;

impl Report {
    /// The verdict on everything in the ledger.
    pub(super) fn of(ledger: &Ledger) -> Self {
        let mut report = Self {
            rows: Kind::ALL.map(|kind| row(ledger, kind)),
            took: Duration::from_nanos(ledger.now()),
            ..Self::default()
        };
        ledger.record(|records| {
            for failure in &records.failures {
                report.judge_failure(failure, records);
            }
            for end in &records.ends {
                report.judge_end(end, records);
            }
            report.count(records);
            report.timeline = timeline(records);
            report.measure(records, ledger);
        });
        report
    }

    fn judge_failure(&mut self, failure: &Failure, records: &Records) {
        let begun = failure.begun;
        // A failure that names a sandbox was routed there, and that must have been right, too.
        if let Some(sandbox) = failure.sandbox {
            let mut generations = begun.floor..=failure.ceiling;
            if !generations.any(|it| begun.role.held_by(it) == sandbox) {
                self.wrong.push(told(failure));
            }
        }
        let span = Span {
            begin: begun.at,
            end: failure.ended,
        };
        let troubled = |sort: fn(Fault) -> bool| troubled(records, failure.sandbox, span, sort);
        match failure.cause {
            Cause::Status(status @ 502..=504) if troubled(|_| true) => {
                self.account(begun.kind, Some(status));
            }
            Cause::Cut(_) if troubled(Fault::cuts) => self.account(begun.kind, None),
            _ => self.fail(begun.kind, told(failure)),
        }
    }

    fn judge_end(&mut self, end: &End, records: &Records) {
        let Receipt { begun, from, .. } = end.receipt;
        let kind = begun.kind;
        let life = Span {
            begin: begun.at,
            end: end.ended,
        };
        match &end.how {
            How::Told => match goodbye(end, records) {
                Goodbye::Drain => self.streams(kind).drained += 1,
                Goodbye::Restart => self.streams(kind).restarted += 1,
                Goodbye::Early => self.cut_early(end),
                Goodbye::Late => self.fail(kind, ended(end)),
            },
            How::Cut(_) if troubled(records, Some(from.sandbox), life, Fault::cuts) => {
                self.streams(kind).troubled += 1;
                self.account(kind, None);
            }
            How::Cut(_) => self.cut_early(end),
            How::Garbled(_) | How::Outlived => self.fail(kind, ended(end)),
        }
    }

    fn cut_early(&mut self, end: &End) {
        let kind = end.receipt.begun.kind;
        self.streams(kind).early += 1;
        self.fail(kind, ended(end));
    }

    fn streams(&mut self, kind: Kind) -> &mut Streams {
        match kind {
            Kind::WebSocket => &mut self.sockets,
            _ => &mut self.events,
        }
    }

    fn account(&mut self, kind: Kind, status: Option<u16>) {
        self.rows[kind as usize].accounted += 1;
        *self.accounted.entry(status).or_default() += 1;
    }

    fn fail(&mut self, kind: Kind, what: String) {
        self.rows[kind as usize].failed += 1;
        self.failed.push(what);
    }

    fn count(&mut self, records: &Records) {
        self.wrong.extend(records.wrong.iter().cloned());
        self.broken.extend(records.broken.iter().cloned());
        self.refusals = records.refusals;
        self.confirmed_anew = records.confirmed_anew;
        for trouble in &records.troubles {
            *self.faults.entry(trouble.fault.to_string()).or_default() += 1;
        }
    }

    fn measure(&mut self, records: &Records, ledger: &Ledger) {
        for span in &records.restarts {
            self.restarts.push(between(span.begin, span.end));
        }
        let mut drains = BTreeMap::<u64, Vec<Duration>>::new();
        for swap in &records.swaps {
            self.swaps.push(between(swap.span.begin, swap.span.end));
            let seen = |generation| ledger.generation(generation);
            let first = seen(swap.generation).map(|it| it.first.load(Ordering::Relaxed));
            if let Some(first) = first.filter(|first| *first < Moment::MAX) {
                self.first_answers.push(between(swap.span.begin, first));
            }
            if let Some(old) = seen(swap.generation - 1) {
                let last = old.last.load(Ordering::Relaxed);
                let drain = drains.entry(swap.drain).or_default();
                drain.push(between(swap.span.end, last));
            }
        }
        self.drains = drains;
        let times = [&mut self.swaps, &mut self.first_answers, &mut self.restarts];
        for list in times.into_iter().chain(self.drains.values_mut()) {
            list.sort_unstable();
        }
    }
}

/// What was done to the sandboxes and the hypervisor, in its order.
fn timeline(records: &Records) -> Vec<String> {
    let mut events = Vec::new();
    for trouble in &records.troubles {
        let (fault, sandbox) = (trouble.fault, trouble.sandbox.sandbox());
        events.push((trouble.span, format!("{sandbox}: {fault}")));
    }
    for swap in &records.swaps {
        let Swap {
            generation, drain, ..
        } = swap;
        let what = format!("swap to generation {generation}, drain of {drain} s");
        events.push((swap.span, what));
    }
    for restart in &records.restarts {
        events.push((*restart, "restart of the hypervisor".into()));
    }
    events.sort_by_key(|(span, _)| span.begin);
    let tell = |(span, what): (Span, String)| {
        let (begin, end) = (clock(span.begin), clock(span.end));
        format!("{begin} to {end}: {what}")
    };
    events.into_iter().map(tell).collect()
}

fn row(ledger: &Ledger, kind: Kind) -> Row {
    let count = ledger.count(kind);
    Row {
        kind,
        answered: count.answered.load(Ordering::Relaxed),
        retried: count.retried.load(Ordering::Relaxed),
        pieces: count.pieces.load(Ordering::Relaxed),
        accounted: 0,
        failed: 0,
    }
}

fn between(begin: Moment, end: Moment) -> Duration {
    Duration::from_nanos(end.saturating_sub(begin))
}

/// Whether a sandbox was in trouble of some sort at that time.
fn troubled(
    records: &Records,
    sandbox: Option<Role>,
    span: Span,
    sort: impl Fn(Fault) -> bool,
) -> bool {
    let mut troubles = records.troubles.iter();
    troubles.any(|it| Some(it.sandbox) == sandbox && sort(it.fault) && it.span.overlaps(span))
}

/// What a stream was told goodbye for.
enum Goodbye {
    Drain,
    Restart,
    /// Before its grace was over.
    Early,
    /// Long after.
    Late,
}

fn goodbye(end: &End, records: &Records) -> Goodbye {
    let ended = end.ended;
    if let Some(swap) = records.swap_from(end.receipt.from.generation) {
        // The drain begins at some time between the order and its answer.
        if ended > swap.drained().saturating_add(nanos(DEADLINE)) {
            return Goodbye::Late;
        }
        if ended >= swap.span.begin.saturating_add(swap.grace()) {
            return Goodbye::Drain;
        }
    }
    // Opened before that hypervisor had ended, so opened by it.
    let opened = end.receipt.opened;
    let mut restarts = records.restarts.iter();
    if restarts.any(|it| opened < it.end && it.begin <= ended) {
        return Goodbye::Restart;
    }
    Goodbye::Early
}

fn told(failure: &Failure) -> String {
    let begun = failure.begun;
    let to = failure.sandbox.map_or("?", Role::sandbox);
    format!(
        "{} at {}, for {} at generation {} to {}, to {to}: {:?} at {}",
        begun.kind,
        clock(begun.at),
        begun.role.as_str(),
        begun.floor,
        failure.ceiling,
        failure.cause,
        clock(failure.ended)
    )
}

fn ended(end: &End) -> String {
    let from = end.receipt.from;
    format!(
        "{} at {}, from {} as {} in generation {}: {:?} at {}, last alive at {}",
        end.receipt.begun.kind,
        clock(end.receipt.opened),
        from.sandbox.sandbox(),
        from.role.as_str(),
        from.generation,
        end.how,
        clock(end.ended),
        clock(end.alive)
    )
}
