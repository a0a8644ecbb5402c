//! How often something took how long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts in buckets, each of which ends at one of `N` bounds, and what took longer than the last.
///
/// Whoever is not the only one to write to it shares its cache lines with the others.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    /// In milliseconds, rising.
    bounds: &'static [u64; N],
    counts: [AtomicU64; N],
    longer: AtomicU64,
    nanos: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    /// An empty one, with bounds in milliseconds.
    pub fn new(bounds: &'static [u64; N]) -> Self {
        Self {
            bounds,
            counts: [const { AtomicU64::new(0) }; N],
            longer: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
        }
    }

    /// Counts one that took so long.
    pub fn observe(&self, took: Duration) {
        let at = self
            .bounds
            .iter()
            .position(|&bound| took <= Duration::from_millis(bound));
        let count = at.map_or(&self.longer, |at| &self.counts[at]);
        count.fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// What it has counted so far.
    pub fn totals(&self) -> Totals {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let ends = self
            .bounds
            .iter()
            .map(|&bound| Duration::from_millis(bound).as_secs_f64());
        let counts = self.counts.iter().map(load);
        Totals {
            buckets: ends
                .zip(counts)
                .chain([(f64::INFINITY, load(&self.longer))])
                .collect(),
            secs: Duration::from_nanos(load(&self.nanos)).as_secs_f64(),
        }
    }
}

/// What was counted, by one histogram or by several with the same bounds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// The upper end of each bucket in seconds, and how many are in it alone.
    pub buckets: Vec<(f64, u64)>,
    /// How long all of them took together.
    pub secs: f64,
}

impl Totals {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// With those of another histogram.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        if self.buckets.is_empty() {
            return other.clone();
        }
        for ((_, count), (_, more)) in self.buckets.iter_mut().zip(&other.buckets) {
            *count += more;
        }
        self.secs += other.secs;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_one_bucket_whose_end_belongs_to_it() {
        let histogram = Histogram::new(&[1, 10]);
        for millis in [0, 1, 2, 10, 11, 1000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let totals = histogram.totals();
        assert_eq!(totals.buckets, [(0.001, 2), (0.01, 2), (f64::INFINITY, 2)]);
        assert_eq!(totals.count(), 6);
        assert!((totals.secs - 1.024).abs() < 1e-9, "{}", totals.secs);
    }

    #[test]
    fn those_of_several_add_up() {
        let (one, two) = (Histogram::new(&[5]), Histogram::new(&[5]));
        one.observe(Duration::from_millis(1));
        two.observe(Duration::from_millis(9));
        let all = Totals::default().with(&one.totals()).with(&two.totals());
        assert_eq!(all.buckets, [(0.005, 1), (f64::INFINITY, 1)]);
        assert!((all.secs - 0.01).abs() < 1e-9);
    }
}
