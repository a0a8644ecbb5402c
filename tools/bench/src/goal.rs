//! What a figure of ours has to be beside the peers'.

use crate::fleet::Peer;
use crate::table::Table;

/// What a figure of ours has to be beside the peers'.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// The figure's name.
    pub figure: &'static str,
    /// The ratio to the better of the peers.
    pub bound: Bound,
    /// The peers; without any, the bound is the figure's own.
    pub peers: &'static [Peer],
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
    /// So many times as many requests a second as the better of these.
    pub const fn requests(factor: f64, peers: &'static [Peer]) -> Self {
        Self {
            figure: "requests/s",
            bound: Bound::AtLeast(factor),
            peers,
        }
    }

    /// A sentence that says whether it is reached, or why that is not known.
    pub fn verdict(&self, table: &Table) -> String {
        let (words, factor) = match self.bound {
            Bound::AtLeast(factor) => ("≥", factor),
            Bound::AtMost(factor) => ("≤", factor),
        };
        let names: Vec<_> = self.peers.iter().map(|peer| peer.name()).collect();
        let whose = match names.as_slice() {
            [] => String::new(),
            [one] => format!(" × {one}"),
            all => format!(" × the better of {}", all.join(" and ")),
        };
        let said = match self.ratio(table) {
            Ok(ratio) => {
                let reached = match self.bound {
                    Bound::AtLeast(_) => ratio >= factor,
                    Bound::AtMost(_) => ratio <= factor,
                };
                let verdict = if reached { "reached" } else { "**missed**" };
                format!("{ratio:.2} {verdict}")
            }
            Err(missing) if missing.contains(Peer::Before.name()) => {
                format!("not measured, for want of BEFORE=<program> ({missing})")
            }
            Err(missing) => format!("not measured ({missing})"),
        };
        format!("goal: {} {words} {factor}{whose}: {said}", self.figure)
    }

    /// Ours beside the better of the peers'; or else the server that was not measured.
    fn ratio(&self, table: &Table) -> Result<f64, &'static str> {
        let median = |peer: &Peer| table.median(peer.name(), self.figure).ok_or(peer.name());
        let ours = median(&Peer::Hypervisor)?;
        let peers = self
            .peers
            .iter()
            .map(median)
            .collect::<Result<Vec<_>, _>>()?;
        let best = match self.bound {
            Bound::AtLeast(_) => peers.into_iter().reduce(f64::max),
            Bound::AtMost(_) => peers.into_iter().reduce(f64::min),
        };
        Ok(ours / best.unwrap_or(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, Goal};
    use crate::fleet::Peer;
    use crate::table::{Figure, Table};

    fn verdict(figure: &'static str, bound: Bound, peers: &'static [Peer]) -> String {
        let figures = ["requests/s", "p99"].map(|name| Figure::new(name, 0));
        let mut table = Table::new("t", &figures);
        table.add("nginx", &[Some(100.0), Some(4.0)]);
        table.add("HAProxy", &[Some(80.0), Some(2.0)]);
        table.add("hypervisor", &[Some(95.0), Some(3.0)]);
        let goal = Goal {
            figure,
            bound,
            peers,
        };
        goal.verdict(&table)
    }

    #[test]
    fn ours_is_compared_with_the_better_of_the_peers() {
        const BOTH: &[Peer] = &[Peer::Nginx, Peer::Haproxy];
        assert_eq!(
            verdict("requests/s", Bound::AtLeast(0.9), BOTH),
            "goal: requests/s ≥ 0.9 × the better of nginx and HAProxy: 0.95 reached"
        );
        assert_eq!(
            verdict("requests/s", Bound::AtLeast(1.0), BOTH),
            "goal: requests/s ≥ 1 × the better of nginx and HAProxy: 0.95 **missed**"
        );
        assert_eq!(
            verdict("p99", Bound::AtMost(2.0), &[Peer::Haproxy]),
            "goal: p99 ≤ 2 × HAProxy: 1.50 reached"
        );
        assert_eq!(
            verdict("p99", Bound::AtMost(3.0), &[]),
            "goal: p99 ≤ 3: 3.00 reached"
        );
        assert!(verdict("p99", Bound::AtMost(1.0), BOTH).ends_with("1.50 **missed**"));
    }

    #[test]
    fn what_was_not_measured_is_named() {
        assert_eq!(
            verdict("requests/s", Bound::AtLeast(7.0), &[Peer::CaddyBefore]),
            "goal: requests/s ≥ 7 × Caddy + before: not measured, for want of BEFORE=<program> \
             (Caddy + before)"
        );
        let said = verdict("requests/s", Bound::AtLeast(1.0), &[Peer::NginxAuth]);
        assert!(
            said.ends_with("not measured (nginx + auth_request)"),
            "{said}"
        );
    }
}
