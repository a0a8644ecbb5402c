//! What came of a storm, for people and for tests.

use super::types::Kind;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// What came of a storm.
#[derive(Debug, Default)]
pub struct Report {
    /// The requests by kind, in the order of [`Kind::ALL`].
    pub rows: [Row; Kind::ALL.len()],
    /// Failures that were a sandbox's own fault, by status; without one, the answer was cut.
    pub accounted: BTreeMap<Option<u16>, u64>,
    /// Every other failure.
    pub failed: Vec<String>,
    /// Answers and failures from the wrong side.
    pub wrong: Vec<String>,
    /// Other promises that were broken.
    pub broken: Vec<String>,
    /// How WebSockets ended.
    pub sockets: Streams,
    /// How event streams ended.
    pub events: Streams,
    /// What the sandboxes went through, and how often.
    pub faults: BTreeMap<String, u64>,
    /// Swaps that were refused, as they had to be.
    pub refusals: u64,
    /// Swaps that were confirmed once more, since a restart came between the passkey and the order.
    pub confirmed_anew: u64,
    /// From each swap's order to its answer, sorted as all times here.
    pub swaps: Vec<Duration>,
    /// From each swap's order to the first answer of the new live.
    pub first_answers: Vec<Duration>,
    /// From each swap's answer to the old generation's last byte, by the drain's seconds.
    pub drains: BTreeMap<u64, Vec<Duration>>,
    /// From each SIGTERM to the hypervisor's end.
    pub restarts: Vec<Duration>,
    /// What was done to the sandboxes and the hypervisor, and when.
    pub timeline: Vec<String>,
    /// The longest time for which this program itself stood still. Beyond a second or so, other
    /// programs had the machine, and times mean little.
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
    /// Events that came, and words that came back.
    pub pieces: u64,
    /// Failed by a sandbox's own fault.
    pub accounted: u64,
    /// Failed.
    pub failed: u64,
    /// Sent again, because a kept connection had been closed under them.
    pub retried: u64,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            kind: Kind::Get,
            answered: 0,
            pieces: 0,
            accounted: 0,
            failed: 0,
            retried: 0,
        }
    }
}

impl Row {
    fn numbers(&self) -> [u64; 5] {
        [
            self.answered,
            self.pieces,
            self.accounted,
            self.failed,
            self.retried,
        ]
    }
}

/// How streams without an end of their own ended, unless their client ended them.
#[derive(Debug, Default, Clone, Copy)]
pub struct Streams {
    /// With a goodbye at the end of a drain.
    pub drained: u64,
    /// With a goodbye at a restart of the hypervisor.
    pub restarted: u64,
    /// Cut by their sandbox's own fault.
    pub troubled: u64,
    /// Before their time.
    pub early: u64,
}

impl Report {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty() && self.wrong.is_empty() && self.broken.is_empty()
    }

    /// Requests that were answered as they should be.
    pub fn answered(&self) -> u64 {
        self.rows.iter().map(|row| row.answered).sum()
    }

    /// Requests that were sent again.
    pub fn retried(&self) -> u64 {
        self.rows.iter().map(|row| row.retried).sum()
    }
}

/// So many of each list are shown.
const SHOWN: usize = 20;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.requests(f)?;
        self.promises(f)?;
        self.times(f)?;
        for (what, list) in [
            ("failed", &self.failed),
            ("wrong side", &self.wrong),
            ("broken", &self.broken),
        ] {
            shown(f, what, list)?;
        }
        Ok(())
    }
}

impl Report {
    fn requests(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let heads = ["answered", "pieces", "accounted", "failed", "retried"];
        line(f, &"", heads)?;
        for row in &self.rows {
            line(f, &row.kind, row.numbers())?;
        }
        let sum = |at: usize| self.rows.iter().map(|row| row.numbers()[at]).sum::<u64>();
        line(f, &"all", [0, 1, 2, 3, 4].map(sum))
    }

    fn promises(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        let list = |counts: Vec<String>| counts.join(", ");
        let faults = self
            .faults
            .iter()
            .map(|(fault, count)| format!("{count} {fault}"));
        writeln!(f, "faults of sandboxes: {}", list(faults.collect()))?;
        let accounted = self.accounted.iter().map(|(status, count)| match status {
            Some(status) => format!("{count} × {status}"),
            None => format!("{count} × cut"),
        });
        writeln!(f, "accounted to them:   {}", list(accounted.collect()))?;
        writeln!(f, "failed requests:     {}", self.failed.len())?;
        writeln!(f, "from the wrong side: {}", self.wrong.len())?;
        for (what, streams) in [
            ("WebSockets:   ", self.sockets),
            ("event streams:", self.events),
        ] {
            let Streams {
                drained,
                restarted,
                troubled,
                early,
            } = streams;
            writeln!(
                f,
                "{what}       {early} cut before their grace; {drained} ended at a drain's end, \
                 {restarted} at a restart, {troubled} by a fault"
            )?;
        }
        writeln!(f, "other promises:      {} broken", self.broken.len())
    }

    fn times(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (swaps, restarts) = (self.swaps.len(), self.restarts.len());
        let (refused, anew) = (self.refusals, self.confirmed_anew);
        let took = self.took.as_secs_f64();
        writeln!(
            f,
            "\n{swaps} swaps, {refused} refused as they had to be, {anew} confirmed anew, \
             {restarts} restarts, {took:.1} s"
        )?;
        times(f, "swap, order to answer", &self.swaps)?;
        times(f, "swap, order to first new answer", &self.first_answers)?;
        for (secs, drains) in &self.drains {
            times(f, &format!("drain of {secs} s"), drains)?;
        }
        times(f, "restart, SIGTERM to end", &self.restarts)?;
        let still = self.standstill.as_secs_f64() * 1e3;
        writeln!(f, "this program stood still for {still:.0} ms at most")
    }
}

fn line(f: &mut Formatter<'_>, kind: &dyn Display, columns: [impl Display; 5]) -> fmt::Result {
    write!(f, "{kind:<20}")?;
    for column in columns {
        write!(f, "{column:>11}")?;
    }
    writeln!(f)
}

/// The first lines of a list.
pub(super) fn shown(f: &mut Formatter<'_>, what: &str, list: &[String]) -> fmt::Result {
    for line in list.iter().take(SHOWN) {
        writeln!(f, "{what}: {line}")?;
    }
    if list.len() > SHOWN {
        writeln!(f, "{what}: {} more", list.len() - SHOWN)?;
    }
    Ok(())
}

/// p50, p99 and the longest of sorted times.
pub(super) fn times(f: &mut Formatter<'_>, what: &str, sorted: &[Duration]) -> fmt::Result {
    let Some(last) = sorted.len().checked_sub(1) else {
        return Ok(());
    };
    let millis = |percent: usize| {
        let at = (last * percent).div_ceil(100);
        sorted[at].as_secs_f64() * 1e3
    };
    let (p50, p99, most) = (millis(50), millis(99), millis(100));
    writeln!(
        f,
        "{what:<33}p50 {p50:>8.1} ms   p99 {p99:>8.1} ms   most {most:>8.1} ms"
    )
}
