//! How much of a response follows its head, each with what comes of it.

use crate::responses::{Then, Want, case, run};
use crate::site::Site;

const STAYS: Then = Then::Stays;
const CLOSES: Then = Then::Closes;
const SPOILS: Then = Then::Spoils;
const HI: Want = Want::Passes(200, "hi");
const REFUSED: Want = Want::Refused;

/// How many bytes follow.
const LENGTHS: &[(&str, &str, Then, Want)] = &[
    ("one length", "Content-Length: 2\r\n\r\nhi", STAYS, HI),
    (
        "one length, with zeros",
        "Content-Length: 002\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "one length, said twice in one field",
        "Content-Length: 2, 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "the same without a blank",
        "Content-Length: 2,2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "the same with many",
        "Content-Length: \t2 \t,\t 2 \r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "one length, said thrice",
        "Content-Length: 2, 2, 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "one length in two fields",
        "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "one length in two fields and a list",
        "Content-Length: 2\r\ncontent-length: 2, 2\r\n\r\nhi",
        STAYS,
        HI,
    ),
    (
        "two lengths in one field",
        "Content-Length: 2, 3\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "two lengths in two fields",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "two lengths, the first one twice",
        "Content-Length: 2, 2\r\nContent-Length: 3\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a length and a word",
        "Content-Length: 2, x\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a signed length",
        "Content-Length: +2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a negative length",
        "Content-Length: -2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a hexadecimal length",
        "Content-Length: 0x2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a length with a fraction",
        "Content-Length: 2.0\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a length with a blank inside",
        "Content-Length: 1 2\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a length with a semicolon",
        "Content-Length: 2;\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a length in quotes",
        "Content-Length: \"2\"\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "an empty length",
        "Content-Length:\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a length of commas",
        "Content-Length: ,\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a length beyond 64 bits",
        "Content-Length: 18446744073709551618\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    (
        "a length that is 2 in 64 bits",
        "Content-Length: 36893488147419103234\r\n\r\nhi",
        STAYS,
        REFUSED,
    ),
    ("no length, and the end", "X: y\r\n\r\nhi", CLOSES, HI),
    (
        "no body, and the end",
        "X: y\r\n\r\n",
        CLOSES,
        Want::Passes(200, ""),
    ),
    (
        "more than the length",
        "Content-Length: 2\r\n\r\nhithere",
        SPOILS,
        Want::Passes(200, "hi"),
    ),
    (
        "fewer than the length",
        "Content-Length: 3\r\n\r\nhi",
        CLOSES,
        Want::Broken,
    ),
];

/// How it is coded.
const CODINGS: &[(&str, &str, Then, Want)] = &[
    ("chunked", "Transfer-Encoding: chunked\r\n\r\n", STAYS, HI),
    (
        "chunked in another case",
        "transfer-ENCODING: Chunked\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "chunked with blanks around it",
        "Transfer-Encoding: \t chunked \t\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "chunked named twice, as Spring does",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "chunked named twice in one field",
        "Transfer-Encoding: chunked, chunked\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "chunked over gzip",
        "Transfer-Encoding: gzip, chunked\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "chunked over gzip in two fields",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "chunked that is not last",
        "Transfer-Encoding: chunked, gzip\r\n\r\n",
        CLOSES,
        REFUSED,
    ),
    (
        "gzip alone",
        "Transfer-Encoding: gzip\r\n\r\n",
        CLOSES,
        REFUSED,
    ),
    (
        "identity",
        "Transfer-Encoding: identity\r\n\r\n",
        CLOSES,
        REFUSED,
    ),
    (
        "identity and chunked",
        "Transfer-Encoding: identity, chunked\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "chunked with a parameter",
        "Transfer-Encoding: chunked;q=1\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "chunked in quotes",
        "Transfer-Encoding: \"chunked\"\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "xchunked",
        "Transfer-Encoding: xchunked\r\n\r\n",
        CLOSES,
        REFUSED,
    ),
    (
        "chunked with a vertical tab",
        "Transfer-Encoding: \x0bchunked\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "an empty coding",
        "Transfer-Encoding:\r\n\r\n",
        CLOSES,
        REFUSED,
    ),
    (
        "both a length and chunked",
        "Content-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n",
        STAYS,
        REFUSED,
    ),
    (
        "both chunked and a length",
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
        STAYS,
        REFUSED,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_length_is_clear_or_the_response_is_refused_whatever_asked_for_it() {
    let mut cases = Vec::new();
    for (name, rest, then, want) in LENGTHS {
        let bytes = format!("HTTP/1.1 200 OK\r\n{rest}");
        cases.push(case(name, bytes, *then, *want));
    }
    for (name, head, then, want) in CODINGS {
        let bytes = format!("HTTP/1.1 200 OK\r\n{head}2\r\nhi\r\n0\r\n\r\n");
        cases.push(case(name, bytes, *then, *want));
    }
    run(&Site::start().await, &cases).await;
}
