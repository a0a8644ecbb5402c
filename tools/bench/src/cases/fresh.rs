//! The cost of a connection: a new one for each request.

use crate::goal::{Bound, Goal};
use crate::load::Load;
use crate::target::{HAPROXY, NGINX};

const GOAL: Goal = Goal {
    figure: "requests/s",
    bound: Bound::AtLeast(0.9),
    peers: &[NGINX, HAPROXY],
};

pub(super) fn loads() -> Vec<Load> {
    vec![Load {
        title: "fresh: a new connection for each request, 64 at once".to_owned(),
        goals: &[GOAL],
        fresh: true,
        ..super::small::load(64)
    }]
}
