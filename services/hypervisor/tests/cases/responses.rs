//! What becomes of a sandbox's response: one decision, whatever the request looked like.

use crate::h2::Client;
use crate::nothing_wrong;
use crate::sandbox::{First, Script};
use crate::site::Site;
use crate::wire::{Reply, Wire};
use futures_util::StreamExt as _;
use futures_util::stream;
use http::Request;
use std::collections::{HashMap, HashSet};

/// A response, byte by byte, and what comes of it.
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    pub then: Then,
    pub want: Want,
}

/// What a client must get.
#[derive(Debug, Clone, Copy)]
pub enum Want {
    /// This status and body.
    Passes(u16, &'static str),
    /// 502 with a sentence.
    Refused,
    /// 502, or a body that is visibly cut: what came before is in order, and may be on its way.
    Broken,
    /// This, or as [`Want::Broken`]; but always the same.
    OneOf(u16, &'static str),
}

/// What a client got.
#[derive(Debug, PartialEq, Eq, Hash, Clone)]
enum Got {
    Passes(u16, String),
    Refused,
    Cut,
    /// 502 without a sentence, or no response at all.
    Nothing(String),
}

/// What a request looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Get,
    /// The response comes byte by byte.
    InBytes,
    Head,
    /// As Firefox asks.
    WantsTrailers,
    Closes,
    Http10,
    Post,
    PostChunked,
    /// The body is asked for, and sent.
    Expects,
    /// The response comes in place of `100 Continue`.
    ExpectsInVain,
    Http2,
    Http2Trailers,
    Http2Post,
}

const SHAPES: [Shape; 13] = [
    Shape::Get,
    Shape::InBytes,
    Shape::Head,
    Shape::WantsTrailers,
    Shape::Closes,
    Shape::Http10,
    Shape::Post,
    Shape::PostChunked,
    Shape::Expects,
    Shape::ExpectsInVain,
    Shape::Http2,
    Shape::Http2Trailers,
    Shape::Http2Post,
];

/// How many cases are tried at a time.
const AT_ONCE: usize = 8;

/// What becomes of the sandbox's connection behind a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Stays,
    Closes,
    /// It stays, but there is something on it that belongs to nothing.
    Spoils,
}

pub fn case(name: &str, bytes: impl AsRef<[u8]>, then: Then, want: Want) -> Case {
    Case {
        name: name.to_owned(),
        bytes: bytes.as_ref().to_vec(),
        then,
        want,
    }
}

/// Tries every case in every shape.
pub async fn run(site: &Site, cases: &[Case]) {
    let client = Client::connect(site.gateway.address()).await;
    let tried = stream::iter(cases)
        .map(|case| try_case(site, &client, case))
        .buffer_unordered(AT_ONCE);
    let mut wrongs: Vec<String> = tried.concat().await;
    if wrongs.is_empty() {
        wrongs = site.sandbox.wrongs();
    }
    wrongs.sort();
    nothing_wrong(&wrongs);
}

async fn try_case(site: &Site, client: &Client, case: &Case) -> Vec<String> {
    let mut all: Vec<(Shape, Got)> = Vec::new();
    let allowed = |it: char| it.is_ascii_alphanumeric();
    let name = case.name.replace(|it: char| !allowed(it), "-");
    for shape in SHAPES.into_iter().filter(|shape| fits(*shape, case)) {
        let path = format!("/{name}/{shape:?}");
        site.sandbox.script(&path, script(shape, case));
        all.push((shape, got(&ask(site, client, shape, &path).await)));
    }
    let kind = |got: &Got| match got {
        Got::Refused | Got::Cut => None,
        other => Some(other.clone()),
    };
    let one = all.iter().filter(|(shape, _)| *shape != Shape::Head);
    let kinds: HashSet<_> = one.map(|(_, got)| kind(got)).collect();
    if kinds.len() == 1 && all.iter().all(|(shape, got)| suits(got, case.want, *shape)) {
        return Vec::new();
    }
    let mut by_got: HashMap<Got, Vec<Shape>> = HashMap::new();
    for (shape, got) in all {
        by_got.entry(got).or_default().push(shape);
    }
    let bytes = case.bytes[..case.bytes.len().min(200)].escape_ascii();
    let (name, want) = (&case.name, case.want);
    vec![format!("{name}: {bytes}\n    not {want:?} but {by_got:?}")]
}

/// Whether it makes sense to ask for this response so.
fn fits(shape: Shape, case: &Case) -> bool {
    match (shape, case.want) {
        // There is no body that could be broken, and HTTP/1.0 has no way to show that one was.
        (Shape::Head | Shape::Http10, Want::Broken | Want::OneOf(..)) => false,
        // What comes behind a response that was over may meet the next request.
        (Shape::InBytes, _) => case.bytes.len() < 400 && case.then != Then::Spoils,
        _ => true,
    }
}

fn script(shape: Shape, case: &Case) -> Script {
    let mut bytes = case.bytes.clone();
    if shape == Shape::Head {
        bytes.truncate(end_of_heads(&bytes));
    }
    Script {
        close: case.then == Then::Closes,
        in_bytes: shape == Shape::InBytes,
        reusable: (case.then != Then::Spoils || shape == Shape::Head)
            && matches!(case.want, Want::Passes(..) | Want::OneOf(..)),
        ..Script::new(bytes).first(if shape == Shape::ExpectsInVain {
            First::Nothing
        } else {
            First::Read
        })
    }
}

/// Where the head of the last response ends, behind those of 1xx.
fn end_of_heads(bytes: &[u8]) -> usize {
    let mut from = 0;
    loop {
        let rest = &bytes[from..];
        let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else {
            return bytes.len();
        };
        let is_interim = rest.starts_with(b"HTTP/1.1 1");
        from += end + 4;
        if !is_interim {
            return from;
        }
    }
}

async fn ask(site: &Site, client: &Client, shape: Shape, path: &str) -> Reply {
    let (method, version, fields, body) = match shape {
        Shape::Get | Shape::InBytes => ("GET", "1.1", "", ""),
        Shape::Head => ("HEAD", "1.1", "", ""),
        Shape::WantsTrailers => ("GET", "1.1", "TE: trailers\r\n", ""),
        Shape::Closes => ("GET", "1.1", "Connection: close\r\n", ""),
        Shape::Http10 => ("GET", "1.0", "", ""),
        Shape::Post => ("POST", "1.1", "Content-Length: 4\r\n", "body"),
        Shape::PostChunked => (
            "POST",
            "1.1",
            "Transfer-Encoding: chunked\r\n",
            "4\r\nbody\r\n0\r\n\r\n",
        ),
        Shape::Expects => (
            "POST",
            "1.1",
            "Expect: 100-continue\r\nContent-Length: 4\r\n",
            "body",
        ),
        Shape::ExpectsInVain => (
            "POST",
            "1.1",
            "Expect: 100-continue\r\nContent-Length: 4\r\n",
            "",
        ),
        Shape::Http2 | Shape::Http2Trailers | Shape::Http2Post => {
            return ask_http2(site, client, shape, path).await;
        }
    };
    let ours = &site.ours;
    let head = format!("{method} {path} HTTP/{version}\r\n{ours}{fields}\r\n");
    let mut wire: Wire = site.connect().await;
    wire.send(head + body).await;
    wire.reply(method == "HEAD").await
}

async fn ask_http2(site: &Site, client: &Client, shape: Shape, path: &str) -> Reply {
    let request = Request::builder()
        .uri(format!("http://{}{path}", site.host))
        .header("cookie", &site.cookie);
    match shape {
        Shape::Http2Post => {
            let request = request.method("POST").body(()).unwrap();
            client.ask(request, Some(b"body"), None).await
        }
        Shape::Http2Trailers => {
            let request = request.header("te", "trailers").body(()).unwrap();
            client.ask(request, None, None).await
        }
        _ => client.ask(request.body(()).unwrap(), None, None).await,
    }
}

fn got(reply: &Reply) -> Got {
    match reply.status {
        // Its head may have come, and been dropped for what came behind it.
        0 if reply.why.starts_with("stream error received") => Got::Cut,
        0 => Got::Nothing(reply.why.clone()),
        502 if reply.content.whole && reply.has_sentence() => Got::Refused,
        // A response to HEAD has no sentence.
        502 if reply.content.whole && reply.content.body.is_empty() => Got::Refused,
        _ if !reply.content.whole && reply.why == "silence" => Got::Nothing("silence".into()),
        _ if !reply.content.whole => Got::Cut,
        status => Got::Passes(status, reply.text()),
    }
}

fn suits(got: &Got, want: Want, shape: Shape) -> bool {
    match (got, want) {
        (Got::Passes(status, body), Want::Passes(wanted, text) | Want::OneOf(wanted, text)) => {
            let text = if shape == Shape::Head { "" } else { text };
            *status == wanted && body == text
        }
        (Got::Refused, Want::Refused | Want::Broken | Want::OneOf(..))
        | (Got::Cut, Want::Broken | Want::OneOf(..)) => true,
        _ => false,
    }
}
