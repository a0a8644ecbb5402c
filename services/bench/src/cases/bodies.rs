//! The cost of a byte: bodies that come and bodies that go.

use crate::load::Load;
use crate::upstream::{PAGE, PICTURE, SMALL};

pub(super) fn loads() -> Vec<Load> {
    let get = |what, path, connections, answer| Load {
        title: format!("bodies: GET of {what}, {connections} connections"),
        path,
        connections,
        body: None,
        answer,
        fresh: false,
    };
    let post = |what, size, connections| Load {
        title: format!("bodies: POST of {what}, {connections} connections"),
        path: "/post",
        connections,
        body: Some(size),
        answer: SMALL,
        fresh: false,
    };
    vec![
        get("20 KB", "/page", 64, PAGE),
        get("1 MB", "/picture", 16, PICTURE),
        post("20 KB", PAGE, 64),
        post("1 MB", PICTURE, 16),
    ]
}
