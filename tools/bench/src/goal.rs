//! What a figure of ours has to be beside the peers'.

use crate::table::Table;
use crate::target::HYPERVISOR;

/// What a figure of ours has to be beside the peers'.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// The figure's name.
    pub figure: &'static str,
    /// The ratio to the better of the peers.
    pub bound: Bound,
    /// The peers; without any, the bound is the figure's own.
    pub peers: &'static [&'static str],
}

/// On which side of a ratio the goal lies.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// More is better.
    AtLeast(f64),
    /// Less is better.
    AtMost(f64),
}

impl Goal {
    /// A sentence that says whether it is reached; none if something was not measured.
    pub fn verdict(&self, table: &Table) -> Option<String> {
        let figure = self.figure;
        let ours = table.median(HYPERVISOR, figure)?;
        let peers = self.peers.iter().map(|peer| table.median(peer, figure));
        let peers = peers.collect::<Option<Vec<f64>>>()?.into_iter();
        let (words, factor) = match self.bound {
            Bound::AtLeast(factor) => ("at least", factor),
            Bound::AtMost(factor) => ("at most", factor),
        };
        let best = match self.bound {
            _ if self.peers.is_empty() => 1.0,
            Bound::AtLeast(_) => peers.reduce(f64::max)?,
            Bound::AtMost(_) => peers.reduce(f64::min)?,
        };
        let ratio = ours / best;
        let reached = match self.bound {
            Bound::AtLeast(_) => ratio >= factor,
            Bound::AtMost(_) => ratio <= factor,
        };
        let verdict = if reached {
            "reached"
        } else {
            "**not reached**"
        };
        let whose = match self.peers {
            [] => String::new(),
            [one] => format!(" × {one}'s"),
            all => format!(" × the better of {}", all.join(" and ")),
        };
        Some(format!(
            "Goal: {figure} {words} {factor:.2}{whose}: {verdict} ({ratio:.2})."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, Goal};
    use crate::table::{Figure, Table};

    fn verdict(figure: &'static str, bound: Bound, peers: &'static [&'static str]) -> String {
        let figures = ["rate", "p99"].map(|name| Figure::new(name, 0));
        let mut table = Table::new("t", &figures);
        table.add("nginx", &[Some(100.0), Some(4.0)]);
        table.add("HAProxy", &[Some(80.0), Some(2.0)]);
        table.add("hypervisor", &[Some(95.0), Some(3.0)]);
        let goal = Goal {
            figure,
            bound,
            peers,
        };
        goal.verdict(&table).unwrap_or_default()
    }

    #[test]
    fn ours_is_compared_with_the_better_of_the_peers() {
        let both = &["nginx", "HAProxy"];
        assert_eq!(
            verdict("rate", Bound::AtLeast(0.9), both),
            "Goal: rate at least 0.90 × the better of nginx and HAProxy: reached (0.95)."
        );
        assert_eq!(
            verdict("rate", Bound::AtLeast(1.0), both),
            "Goal: rate at least 1.00 × the better of nginx and HAProxy: **not reached** (0.95)."
        );
        assert_eq!(
            verdict("p99", Bound::AtMost(2.0), &["HAProxy"]),
            "Goal: p99 at most 2.00 × HAProxy's: reached (1.50)."
        );
        assert_eq!(
            verdict("p99", Bound::AtMost(3.0), &[]),
            "Goal: p99 at most 3.00: reached (3.00)."
        );
        assert!(verdict("p99", Bound::AtMost(1.0), both).contains("**not reached** (1.50)"));
    }

    #[test]
    fn nothing_is_said_of_what_was_not_measured() {
        assert_eq!(verdict("rate", Bound::AtLeast(1.0), &["Caddy"]), "");
        assert_eq!(verdict("p50", Bound::AtLeast(1.0), &["nginx"]), "");
    }
}
