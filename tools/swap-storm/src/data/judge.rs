//! Says of everything that happened whether it was right, was of the storm's own making, or broke
//! a promise.

use super::ledger::{Arrival, Class, Failure, Kind, Ledger, Outcome, Records};
use super::report::{Report, Row};
use crate::ledger::Span;
use crate::types::{Moment, clock};
use std::time::Duration;

impl Report {
    /// The verdict on everything in the ledger.
    pub(super) fn of(ledger: &Ledger) -> Self {
        let mut report = Self {
            rows: Kind::ALL.map(|kind| Row {
                kind,
                answered: ledger.answered(kind),
                retried: ledger.retried(kind),
                accounted: 0,
                failed: 0,
            }),
            took: Duration::from_nanos(ledger.now()),
            ..Self::default()
        };
        ledger.record(|records| {
            for failure in &records.failures {
                report.judge(failure, records);
            }
            report.changes(records);
            for arrival in &records.arrivals {
                report.wait(arrival, records);
            }
            report.copy(records);
        });
        let lists = report.held.values_mut().chain(report.waited.values_mut());
        lists
            .chain([&mut report.frozen])
            .for_each(|list| list.sort_unstable());
        report
    }

    fn changes(&mut self, records: &Records) {
        for change in &records.changes {
            if let Some(outcome) = change.outcome {
                *self.promotions.entry((change.class, outcome)).or_default() += 1;
            }
            if let Some(held) = change.held_ms {
                let held = Duration::from_millis(held);
                self.held.entry(change.class).or_default().push(held);
            }
        }
        let changes = records.changes.iter().map(|change| {
            let outcome = change
                .outcome
                .map_or_else(String::new, |it| format!(": {it}"));
            (change.span, format!("{}{outcome}", change.what))
        });
        let troubles = records
            .troubles
            .iter()
            .map(|it| (it.span, format!("{} (trouble)", it.what)));
        let mut events: Vec<_> = changes.chain(troubles).collect();
        events.sort_by_key(|(span, _)| span.begin);
        let told = |(span, what): (Span, String)| {
            let (begin, end) = (clock(span.begin), clock(span.end));
            format!("{begin} to {end}: {what}")
        };
        self.timeline = events.into_iter().map(told).collect();
    }

    fn judge(&mut self, failure: &Failure, records: &Records) {
        let mut troubles = records.troubles.iter();
        let row = &mut self.rows[failure.kind as usize];
        // That a record is not there which was acknowledged is nobody's trouble.
        let is_gap = failure.kind == Kind::Write && failure.cause.starts_with("409");
        if !is_gap && troubles.any(|it| it.span.overlaps(failure.span)) {
            row.accounted += 1;
            return;
        }
        row.failed += 1;
        let (begin, end) = (clock(failure.span.begin), clock(failure.span.end));
        let Failure { kind, cause, .. } = failure;
        self.failed
            .push(format!("{kind} at {begin}: {cause} at {end}"));
    }

    /// A request that had begun before anybody was answered by its run has waited for that run.
    fn wait(&mut self, arrival: &Arrival, records: &Records) {
        let first = records
            .first
            .get(&arrival.run.id)
            .copied()
            .unwrap_or(Moment::MAX);
        if arrival.span.begin >= first {
            return;
        }
        let before = records
            .changes
            .iter()
            .filter(|change| change.span.begin <= first);
        let Some(change) = before.max_by_key(|change| change.span.begin) else {
            return; // The very first run.
        };
        let waited = Duration::from_nanos(arrival.span.end.saturating_sub(arrival.span.begin));
        self.waited.entry(change.class).or_default().push(waited);
    }

    fn copy(&mut self, records: &Records) {
        for (list, of) in [
            (&mut self.lost, &records.lost),
            (&mut self.twice, &records.twice),
            (&mut self.disordered, &records.disordered),
            (&mut self.broken, &records.broken),
        ] {
            list.clone_from(of);
        }
        let millis = records
            .frozen
            .iter()
            .map(|millis| Duration::from_secs_f64(millis / 1e3));
        self.frozen = millis.collect();
        self.others.clone_from(&records.others);
        self.ordered_away = records.ordered_away;
    }

    /// How many promotions came to this.
    pub fn promotions(&self, outcome: Outcome) -> u64 {
        let of = self.promotions.iter().filter(|((_, it), _)| *it == outcome);
        of.map(|(_, count)| count).sum()
    }

    /// How many of this class came to this.
    pub fn promotions_of(&self, class: Class, outcome: Outcome) -> u64 {
        self.promotions
            .get(&(class, outcome))
            .copied()
            .unwrap_or_default()
    }
}
