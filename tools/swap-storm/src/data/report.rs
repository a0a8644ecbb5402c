//! What came of a storm with data, for people and for tests.

use super::ledger::{Class, Kind, Outcome};
use crate::report::{shown, times};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// What came of a storm with data.
#[derive(Debug, Default)]
pub struct Report {
    /// The requests by kind, in the order of [`Kind::ALL`].
    pub rows: [Row; Kind::ALL.len()],
    /// Failures that were not of the storm's own making.
    pub failed: Vec<String>,
    /// Records that were acknowledged and are not there.
    pub lost: Vec<String>,
    /// Records that arrived more often than they were sent.
    pub twice: Vec<String>,
    /// Records in another order than they were acknowledged in.
    pub disordered: Vec<String>,
    /// Other promises that were broken.
    pub broken: Vec<String>,
    /// Records that were acknowledged, and are there as they should be at the end.
    pub records: u64,
    /// Records that went by order, in undos with data.
    pub ordered_away: u64,
    /// Promotions by what they were and came to.
    pub promotions: BTreeMap<(Class, Outcome), u64>,
    /// What else was done, and how often.
    pub others: BTreeMap<&'static str, u64>,
    /// How long requests waited that were held, sorted as all times here.
    pub waited: BTreeMap<Class, Vec<Duration>>,
    /// For how long the hypervisor says that it held requests, one for each change.
    pub held: BTreeMap<Class, Vec<Duration>>,
    /// For how long live was frozen.
    pub frozen: Vec<Duration>,
    /// The promotions, and when.
    pub timeline: Vec<String>,
    /// The longest time for which this program itself stood still.
    pub standstill: Duration,
    /// All of it.
    pub took: Duration,
}

/// The requests of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Which.
    pub kind: Kind,
    /// Answered as they should be.
    pub answered: u64,
    /// Failed by a kill or a crash of the storm's own making, and repeated.
    pub accounted: u64,
    /// Failed.
    pub failed: u64,
    /// Sent again, because a kept connection had been closed under them.
    pub retried: u64,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            kind: Kind::Write,
            answered: 0,
            accounted: 0,
            failed: 0,
            retried: 0,
        }
    }
}

impl Report {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.promises().iter().all(|(_, list)| list.is_empty())
    }

    /// Requests that were answered as they should be.
    pub fn answered(&self) -> u64 {
        self.rows.iter().map(|row| row.answered).sum()
    }

    fn promises(&self) -> [(&'static str, &Vec<String>); 5] {
        [
            ("lost", &self.lost),
            ("twice", &self.twice),
            ("out of order", &self.disordered),
            ("failed", &self.failed),
            ("broken", &self.broken),
        ]
    }

    fn requests(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let heads = ["answered", "accounted", "failed", "retried"];
        line(f, &"", heads)?;
        for row in &self.rows {
            let numbers = [row.answered, row.accounted, row.failed, row.retried];
            line(f, &row.kind, numbers)?;
        }
        let sum = |of: fn(&Row) -> u64| self.rows.iter().map(of).sum::<u64>();
        let sums = [
            sum(|row| row.answered),
            sum(|row| row.accounted),
            sum(|row| row.failed),
            sum(|row| row.retried),
        ];
        line(f, &"all", sums)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.requests(f)?;
        writeln!(f)?;
        let (records, gone) = (self.records, self.ordered_away);
        writeln!(
            f,
            "records at the end:  {records}, and {gone} more went by order"
        )?;
        for (what, list) in self.promises() {
            writeln!(f, "{:<20} {}", format!("{what}:"), list.len())?;
        }
        writeln!(f)?;
        for ((class, outcome), count) in &self.promotions {
            writeln!(f, "{count:>4} promotions ({class}) {outcome}")?;
        }
        let others = self
            .others
            .iter()
            .map(|(what, count)| format!("{count} {what}"));
        writeln!(f, "{}\n", others.collect::<Vec<_>>().join(", "))?;
        for (class, list) in &self.waited {
            times(f, &format!("a request waited ({class})"), list)?;
        }
        for (class, list) in &self.held {
            times(f, &format!("held, by its answer ({class})"), list)?;
        }
        times(f, "live was frozen", &self.frozen)?;
        let (took, still) = (self.took.as_secs_f64(), self.standstill.as_secs_f64() * 1e3);
        writeln!(
            f,
            "{took:.1} s; this program stood still for {still:.0} ms at most"
        )?;
        for (what, list) in self.promises() {
            shown(f, what, list)?;
        }
        Ok(())
    }
}

fn line(f: &mut Formatter<'_>, kind: &dyn Display, columns: [impl Display; 4]) -> fmt::Result {
    write!(f, "{kind:<20}")?;
    for column in columns {
        write!(f, "{column:>11}")?;
    }
    writeln!(f)
}
