//! The cost of a request by itself: small answers, with little and much at once.

use crate::goal::{Bound, Goal};
use crate::load::Load;
use crate::target::{HAPROXY, NGINX};
use crate::upstream::SMALL;

const GOALS: &[Goal] = &[
    Goal {
        figure: "requests/s",
        bound: Bound::AtLeast(1.0),
        peers: &[NGINX, HAPROXY],
    },
    Goal {
        figure: "p99 ms",
        bound: Bound::AtMost(1.0),
        peers: &[HAPROXY],
    },
];

pub(super) fn loads() -> Vec<Load> {
    let busy = Load {
        goals: GOALS,
        ..load(64)
    };
    vec![load(1), busy, load(1000)]
}

/// At so many connections, without a goal.
pub(super) fn load(connections: usize) -> Load {
    Load {
        title: format!("small: 100-byte answers, {connections} at once"),
        path: "/small",
        connections,
        body: None,
        answer: SMALL,
        goals: &[],
        fresh: false,
    }
}
