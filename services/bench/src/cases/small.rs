//! The cost of a request by itself: small answers, with little and much at once.

use crate::load::Load;
use crate::upstream::SMALL;

pub(super) fn loads() -> Vec<Load> {
    let load = |connections, noun| Load {
        title: format!("small: 100-byte answers, {connections} {noun}"),
        path: "/small",
        connections,
        body: None,
        answer: SMALL,
        fresh: false,
    };
    vec![
        load(1, "connection"),
        load(64, "connections"),
        load(1000, "connections"),
    ]
}
