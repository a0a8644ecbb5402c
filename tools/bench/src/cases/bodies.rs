//! The cost of a byte: bodies that come and bodies that go.

use crate::goal::{Bound, Goal};
use crate::load::Load;
use crate::target::{HAPROXY, NGINX};
use crate::upstream::{PAGE, PICTURE, SMALL};

const GOAL: Goal = Goal {
    figure: "requests/s",
    bound: Bound::AtLeast(1.0),
    peers: &[NGINX, HAPROXY],
};

pub(super) fn loads() -> Vec<Load> {
    let get = |what, path, connections, answer| Load {
        title: format!("bodies: GET of {what}, {connections} at once"),
        path,
        connections,
        body: None,
        answer,
        goals: &[GOAL],
        fresh: false,
    };
    let post = |what, size, connections| Load {
        title: format!("bodies: POST of {what}, {connections} at once"),
        path: "/post",
        connections,
        body: Some(size),
        answer: SMALL,
        goals: &[GOAL],
        fresh: false,
    };
    vec![
        get("20 KB", "/page", 64, PAGE),
        get("1 MB", "/picture", 16, PICTURE),
        post("20 KB", PAGE, 64),
        post("1 MB", PICTURE, 16),
    ]
}
