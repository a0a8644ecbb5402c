//! The cost of a connection: a new one for each request.

use crate::load::Load;
use crate::upstream::SMALL;

pub(super) fn loads() -> Vec<Load> {
    vec![Load {
        title: "fresh: a new connection for each request, 64 at once".to_owned(),
        path: "/small",
        connections: 64,
        body: None,
        answer: SMALL,
        fresh: true,
    }]
}
