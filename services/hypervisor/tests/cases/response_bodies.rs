//! Chunked bodies of responses, each with what comes of it.

use crate::responses::{Then, Want, case, run};
use crate::site::Site;

const STAYS: Then = Then::Stays;
const CLOSES: Then = Then::Closes;
const SPOILS: Then = Then::Spoils;
const HI: Want = Want::Passes(200, "hi");
const BROKEN: Want = Want::Broken;
const EITHER: Want = Want::OneOf(200, "hi");

const CHUNKS: &[(&str, &str, Then, Want)] = &[
    ("one chunk", "2\r\nhi\r\n0\r\n\r\n", STAYS, HI),
    ("two chunks", "1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", STAYS, HI),
    (
        "a size with trailing blanks",
        "2    \r\nhi\r\n0\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "a size with a trailing tab",
        "2\t\r\nhi\r\n0\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "the last size with trailing blanks",
        "2\r\nhi\r\n0  \r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "a size with leading zeros",
        "0002\r\nhi\r\n0000\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "a size with more zeros than a number has digits",
        "00000000000000000000000002\r\nhi\r\n0\r\n\r\n",
        STAYS,
        EITHER,
    ),
    (
        "a size with leading blanks",
        "  2\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a size with a blank inside",
        "0 2\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    ("a size with 0x", "0x2\r\nhi\r\n0\r\n\r\n", STAYS, BROKEN),
    ("a signed size", "+2\r\nhi\r\n0\r\n\r\n", STAYS, BROKEN),
    ("a negative size", "-2\r\nhi\r\n0\r\n\r\n", STAYS, BROKEN),
    (
        "a negative last size",
        "2\r\nhi\r\n-0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a size with an underscore",
        "0_2\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    ("no size", "\r\nhi\r\n0\r\n\r\n", STAYS, BROKEN),
    (
        "no size but an extension",
        ";a=b\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a size that is a word",
        "two\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a size beyond ASCII",
        "２\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    ("a huge size", "7fffffffffffffff\r\nhi", CLOSES, BROKEN),
    (
        "a size of 64 bits",
        "ffffffffffffffff\r\nhi",
        CLOSES,
        BROKEN,
    ),
    (
        "a size that is 2 in 64 bits",
        "10000000000000002\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a size that is 2 in 32 bits",
        "100000002\r\nhi\r\n0\r\n\r\n",
        CLOSES,
        BROKEN,
    ),
    (
        "a name in an extension",
        "2;name\r\nhi\r\n0\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "a value in an extension",
        "2;name=value\r\nhi\r\n0;last\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "blanks around an extension",
        "2 ; name = value\r\nhi\r\n0\r\n\r\n",
        STAYS,
        EITHER,
    ),
    (
        "an extension without a name",
        "2;\r\nhi\r\n0\r\n\r\n",
        STAYS,
        EITHER,
    ),
    (
        "UTF-8 in a quoted extension",
        "2;name=\"ä\"\r\nhi\r\n0\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "a semicolon in a quoted extension",
        "2;a=\"x;y\"\r\nhi\r\n0\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "an escaped quote in an extension",
        "2;a=\"x\\\"y\"\r\nhi\r\n0\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "a quote that stays open",
        "2;a=\"x\r\nhi\r\n0\r\n\r\n",
        STAYS,
        EITHER,
    ),
    (
        "a line end in a quoted extension",
        "2;a=\"x\r\ny\"\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a bare LF in an extension",
        "2;a=b\nc\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a bare LF in a quoted extension",
        "2;a=\"\n\"\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a bare LF in the last extension",
        "2\r\nhi\r\n0;a\n\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a bare CR in an extension",
        "2;a\rb\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "two CRs behind an extension",
        "2;a\r\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a NUL in an extension",
        "2;a\0b\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a NUL in the last extension",
        "2\r\nhi\r\n0;\0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a bare LF behind a size",
        "2\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a bare CR behind a size",
        "2\rhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "two CRs behind a size",
        "2\r\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a bare LF behind the data",
        "2\r\nhi\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    ("nothing behind the data", "2\r\nhi0\r\n\r\n", STAYS, BROKEN),
    (
        "more data than the size",
        "2\r\nhi!\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "less data than the size",
        "3\r\nhi\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "an empty line behind a chunk",
        "2\r\nhi\r\n\r\n0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a bare LF behind the last size",
        "2\r\nhi\r\n0\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a bare LF at the end",
        "2\r\nhi\r\n0\r\n\n\r\n",
        STAYS,
        BROKEN,
    ),
    ("the end within a size", "2", CLOSES, BROKEN),
    ("the end within the data", "2\r\nh", CLOSES, BROKEN),
    ("the end behind the data", "2\r\nhi", CLOSES, BROKEN),
    ("the end behind a chunk", "2\r\nhi\r\n", CLOSES, BROKEN),
    (
        "the end behind the last size",
        "2\r\nhi\r\n0\r\n",
        CLOSES,
        BROKEN,
    ),
    (
        "the end within the last line end",
        "2\r\nhi\r\n0\r\n\r",
        CLOSES,
        BROKEN,
    ),
    ("the end before any chunk", "", CLOSES, BROKEN),
    (
        "a response behind the body",
        "2\r\nhi\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        SPOILS,
        HI,
    ),
    ("a trailer", "2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n", STAYS, HI),
    (
        "a trailer in UTF-8",
        "2\r\nhi\r\n0\r\nX-Sum: ä\r\n\r\n",
        STAYS,
        HI,
    ),
    (
        "a trailer that is a length",
        "2\r\nhi\r\n0\r\nContent-Length: 5\r\n\r\n",
        STAYS,
        EITHER,
    ),
    (
        "a trailer that is a coding",
        "2\r\nhi\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        STAYS,
        EITHER,
    ),
    (
        "a trailer without a colon",
        "2\r\nhi\r\n0\r\nnonsense\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a trailer without a name",
        "2\r\nhi\r\n0\r\n: x\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a trailer with a blank before its colon",
        "2\r\nhi\r\n0\r\nX : y\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a trailer with a bare LF",
        "2\r\nhi\r\n0\r\nX: y\nZ: z\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a trailer with a bare CR",
        "2\r\nhi\r\n0\r\nX: y\rz\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a trailer with a NUL",
        "2\r\nhi\r\n0\r\nX: \0\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "a folded trailer",
        "2\r\nhi\r\n0\r\nX: y\r\n z\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "white space before a trailer",
        "2\r\nhi\r\n0\r\n X: y\r\n\r\n",
        STAYS,
        BROKEN,
    ),
    (
        "the end within a trailer",
        "2\r\nhi\r\n0\r\nX: y",
        CLOSES,
        BROKEN,
    ),
    (
        "the end behind a trailer",
        "2\r\nhi\r\n0\r\nX: y\r\n",
        CLOSES,
        BROKEN,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunked_body_is_whole_or_visibly_cut_whatever_asked_for_it() {
    let cases: Vec<_> = CHUNKS
        .iter()
        .map(|(name, body, then, want)| {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            case(name, format!("{head}{body}"), *then, *want)
        })
        .collect();
    run(&Site::start().await, &cases).await;
}
