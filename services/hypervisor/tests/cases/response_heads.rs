//! Heads of responses, each with what comes of it.

use crate::responses::{Case, Then, Want, case, run};
use crate::site::Site;
use std::fmt::Write as _;

const STAYS: Then = Then::Stays;
const CLOSES: Then = Then::Closes;
const SPOILS: Then = Then::Spoils;
const HI: Want = Want::Passes(200, "hi");
const REFUSED: Want = Want::Refused;

/// Whole responses: their first lines, their lines' ends, their fields.
const WHOLE: &[(&str, &str, Then, Want)] = &[
    (
        "no reason",
        "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "no blank before no reason",
        "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "a reason in UTF-8",
        "HTTP/1.1 200 schön\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "another status",
        "HTTP/1.1 299 Fine\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        Want::Passes(299, "hi"),
    ),
    (
        "a field's value in UTF-8",
        "HTTP/1.1 200 OK\r\nX: ä\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "HTTP/1.0 and the end",
        "HTTP/1.0 200 OK\r\n\r\nhi",
        CLOSES,
        HI,
    ),
    (
        "HTTP/1.0 with a length",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        CLOSES,
        HI,
    ),
    (
        "HTTP/1.0 that stays",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "HTTP/1.0 that stays without a length",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhi",
        CLOSES,
        HI,
    ),
    (
        "HTTP/1.0 with chunked",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        CLOSES,
        REFUSED,
    ),
    (
        "HTTP/1.0 that stays with chunked",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "HTTP/1.0 with chunked and a length",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi",
        CLOSES,
        REFUSED,
    ),
    (
        "HTTP/2.0",
        "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "HTTP/1.2",
        "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    ("HTTP/0.9", "hi", CLOSES, REFUSED),
    (
        "a version in lower case",
        "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "another protocol",
        "ICY 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a status of two digits",
        "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a status of four digits",
        "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a status below 100",
        "HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a status that is a word",
        "HTTP/1.1 fine OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a NUL in the reason",
        "HTTP/1.1 200 O\0K\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "bare LF everywhere",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a bare LF behind the first line",
        "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a bare LF behind a field",
        "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a bare LF at the head's end",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nhi\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "a bare CR in a field",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a bare CR in the first line",
        "HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a NUL in a field",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a NUL in a field's name",
        "HTTP/1.1 200 OK\r\nX\0: a\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a folded field",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a folded length",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "white space before the first field",
        "HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a blank before a colon",
        "HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a blank before the length's colon",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a tab before the coding's colon",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding\t: chunked\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a blank in a name",
        "HTTP/1.1 200 OK\r\nX Y: z\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a name beyond ASCII",
        "HTTP/1.1 200 OK\r\nÄ: z\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a field without a colon",
        "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a field without a name",
        "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    ("nothing", "", CLOSES, REFUSED),
    ("an empty line", "\r\n", CLOSES, REFUSED),
    (
        "the end within the first line",
        "HTTP/1.1 20",
        CLOSES,
        REFUSED,
    ),
    (
        "the end within a field",
        "HTTP/1.1 200 OK\r\nContent-Le",
        CLOSES,
        REFUSED,
    ),
    (
        "the end before the empty line",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        CLOSES,
        REFUSED,
    ),
    ("no HTTP at all", "\0\0\0\r\n\r\n", CLOSES, REFUSED),
    ("TLS", "\x15\x03\x01\0\x02\x02\x46\r\n\r\n", CLOSES, REFUSED),
];

/// What has no body, and what comes before a response.
const WITHOUT: &[(&str, &str, Then, Want)] = &[
    (
        "204",
        "HTTP/1.1 204 No Content\r\n\r\n",
        STAYS,
        Want::Passes(204, ""),
    ),
    (
        "204 with a length",
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        STAYS,
        Want::Passes(204, ""),
    ),
    (
        "204 with a body",
        "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi",
        SPOILS,
        Want::OneOf(204, ""),
    ),
    (
        "204 with a response behind it",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        SPOILS,
        Want::OneOf(204, ""),
    ),
    (
        "204 with chunks",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        SPOILS,
        Want::OneOf(204, ""),
    ),
    (
        "304",
        "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
        STAYS,
        Want::Passes(304, ""),
    ),
    (
        "304 with a length",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
        STAYS,
        Want::Passes(304, ""),
    ),
    (
        "304 with a body",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nhi",
        SPOILS,
        Want::OneOf(304, ""),
    ),
    (
        "304 with chunks",
        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        SPOILS,
        Want::OneOf(304, ""),
    ),
    (
        "early hints",
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "continue that nobody waits for",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "several interim responses",
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "an interim status that nobody knows",
        "HTTP/1.1 199 What\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "an interim response and the end",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
        CLOSES,
        REFUSED,
    ),
    (
        "continue and the end",
        "HTTP/1.1 100 Continue\r\n\r\n",
        CLOSES,
        REFUSED,
    ),
    (
        "an interim response and nonsense",
        "HTTP/1.1 103 Early Hints\r\n\r\nnonsense\r\n\r\n",
        CLOSES,
        REFUSED,
    ),
    (
        "an interim response that is malformed",
        "HTTP/1.1 103 Early Hints\r\nX: a\r\n b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "switching that nobody asked for",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "switching that nobody asked for, with a response behind it",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        STAYS,
        REFUSED,
    ),
];

/// A head of so many bytes.
fn long(lines: usize, line: &str) -> String {
    let mut head = String::from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
    for index in 0..lines {
        let _ = write!(head, "Set-Cookie: c{index:03}={line}\r\n");
    }
    head + "\r\nhi"
}

fn large() -> Vec<Case> {
    let value = "v".repeat(72);
    let one = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: {}\r\n\r\nhi",
        "v".repeat(40 * 1024)
    );
    vec![
        case("450 cookies of 90 bytes", long(450, &value), STAYS, HI),
        case("a hundred lines", long(99, "v"), STAYS, HI),
        case("a hundred and one", long(100, "v"), STAYS, HI),
        case("two hundred lines", long(200, "v"), STAYS, HI),
        case("one line of 40 KiB", one, STAYS, HI),
        case(
            "a head of 64 KiB",
            long(720, &value),
            STAYS,
            Want::OneOf(200, "hi"),
        ),
        case("a head of 4 MiB", long(46_000, &value), STAYS, REFUSED),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_is_passed_on_or_refused_whatever_asked_for_it() {
    let mut cases = large();
    for (name, bytes, then, want) in WHOLE.iter().chain(WITHOUT) {
        cases.push(case(name, bytes, *then, *want));
    }
    run(&Site::start().await, &cases).await;
}
