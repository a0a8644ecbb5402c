//! What is refused is told why, wholly, and whether its connection goes on.

use crate::sandbox::{First, Script};
use crate::site::Site;
use crate::wire::{Reply, Wire};
use crate::{counted, lines, nothing_wrong};
use futures_util::StreamExt as _;
use futures_util::stream;

const H2C: &str =
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n";
const WEBSOCKET: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const ELSEWHERE: &str = "Origin: https://evil.example\r\n";

/// A request with a body that nobody wants, and the status of its response.
struct Unwanted {
    line: &'static str,
    /// `Host`, and with a session `Cookie`.
    ours: bool,
    fields: String,
    status: u16,
    times: usize,
}

fn unwanted() -> Vec<Unwanted> {
    let one = |line, ours, fields: &str, status, times| Unwanted {
        line,
        ours,
        fields: fields.to_owned(),
        status,
        times,
    };
    vec![
        one("POST / HTTP/1.1", false, H2C, 401, 100),
        one("GET /ws HTTP/1.1", false, WEBSOCKET, 401, 100),
        one("CONNECT h:443 HTTP/1.1", false, "", 405, 100),
        one("CONNECT h:443 HTTP/1.1", true, "", 405, 100),
        one("POST / HTTP/1.1", true, H2C, 200, 100),
        one(
            "GET /ws HTTP/1.1",
            true,
            &(ELSEWHERE.to_owned() + WEBSOCKET),
            403,
            20,
        ),
        one(
            "POST /ws HTTP/1.1",
            true,
            &(ELSEWHERE.to_owned() + H2C),
            403,
            20,
        ),
        one("POST /early HTTP/1.1", true, H2C, 413, 20),
        one("POST /early HTTP/1.1", true, "", 413, 20),
        one("POST / HTTP/1.1", false, "", 401, 20),
        one("POST / HTTP/1.1", true, ELSEWHERE, 403, 20),
        one("POST /auth/nothing HTTP/1.1", false, "", 404, 20),
        one("POST /auth/nothing HTTP/1.1", false, H2C, 404, 20),
        one("DELETE /health HTTP/1.1", false, "", 405, 20),
        one("POST /auth/login/start HTTP/1.1", false, ELSEWHERE, 403, 20),
    ]
}

impl Unwanted {
    fn request(&self, site: &Site, size: usize, chunked: bool) -> Vec<u8> {
        let is_connect = self.line.starts_with("CONNECT");
        let host = if is_connect { "h:443" } else { &site.host };
        let cookie = if self.ours { &site.cookie } else { "a=1" };
        let (framing, end) = if chunked {
            let framing = format!("Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n");
            (framing, "\r\n0\r\n\r\n")
        } else {
            (format!("Content-Length: {size}\r\n\r\n"), "")
        };
        let (line, fields) = (self.line, &self.fields);
        let head = format!("{line}\r\nHost: {host}\r\nCookie: {cookie}\r\n{fields}{framing}");
        let mut bytes = head.into_bytes();
        // Which is a request, should somebody read it as one.
        let hidden = format!("GET /smuggled HTTP/1.1\r\n{}\r\n", site.ours);
        let body = hidden.repeat(size / hidden.len() + 1);
        bytes.extend_from_slice(&body.as_bytes()[..size]);
        bytes.extend_from_slice(end.as_bytes());
        bytes
    }
}

/// Whether the connection goes on or not, as the response says.
async fn keeps_its_word(site: &Site, wire: &mut Wire, reply: &Reply) -> Result<(), String> {
    if reply.closes() {
        // It was whole, so that how it is closed then is all the same.
        return match wire.ended().await {
            Err(how) if how == "silence" || how.starts_with("more") => Err(how),
            _ => Ok(()),
        };
    }
    let next = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", site.host);
    wire.send(next).await;
    let next = wire.reply(false).await;
    let served = next.status == 200;
    served
        .then_some(())
        .ok_or_else(|| format!("closed, and did not say so: {}", next.why))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_with_a_body_gets_its_whole_response() {
    let site = Site::start().await;
    let early =
        "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nlarge";
    let early = Script {
        close: true,
        ..Script::new(early).first(First::Nothing)
    };
    site.sandbox.script("/early", early);
    let unwanted = unwanted();
    let mut tries = Vec::new();
    for (size, chunked) in [(3, false), (3, true), (1 << 20, false), (1 << 20, true)] {
        for one in &unwanted {
            let times = if chunked { 5 } else { one.times };
            tries.extend(std::iter::repeat_n((one, size, chunked), times));
        }
    }
    let tried = stream::iter(tries).map(|(one, size, chunked)| {
        let site = &site;
        async move {
            let mut wire = site.connect().await;
            wire.send(one.request(site, size, chunked)).await;
            let reply = wire.reply(false).await;
            let told = match reply.status {
                0 => Err("no response".into()),
                _ => keeps_its_word(site, &mut wire, &reply).await,
            };
            let right = reply.status == one.status && reply.content.whole && told.is_ok();
            let (status, why, told) = (reply.status, reply.why, told.err());
            (!right).then(|| {
                format!(
                    "{} {:?} with {size} bytes, chunked {chunked}, session {}: {status} ({why}), {told:?}, not {}",
                    one.line, one.fields, one.ours, one.status
                )
            })
        }
    });
    let wrongs: Vec<_> = tried.buffer_unordered(6).collect().await;
    let mut wrongs = counted(wrongs.into_iter().flatten().collect());
    let smuggled = site.sandbox.seen("/smuggled").len();
    if smuggled > 0 {
        wrongs.push(format!(
            "{smuggled} × what was in a body was read as a request"
        ));
    }
    nothing_wrong(&wrongs);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_why() {
    let site = Site::start().await;
    let (ours, long) = (&site.ours, "x".repeat(70 * 1024));
    let many = lines((0..2000).map(|index| format!("X-{index}")), "y");
    let mut wrongs = Vec::new();
    for (name, request, wanted) in [
        (
            "a target too long",
            format!("GET /{long} HTTP/1.1\r\n{ours}\r\n"),
            &[414][..],
        ),
        (
            "a query too long",
            format!("GET /?{long} HTTP/1.1\r\n{ours}\r\n"),
            &[414],
        ),
        (
            "a target too long of ours",
            format!("GET /login?{long} HTTP/1.1\r\nHost: h\r\n\r\n"),
            &[414],
        ),
        (
            "a target of a MiB",
            format!("GET /{} HTTP/1.1\r\n{ours}\r\n", "x".repeat(1 << 20)),
            &[414],
        ),
        (
            "a field too long",
            format!("GET / HTTP/1.1\r\n{ours}X: {long}\r\n\r\n"),
            &[431],
        ),
        (
            "a name too long",
            format!("GET / HTTP/1.1\r\n{ours}{long}: y\r\n\r\n"),
            &[431],
        ),
        (
            "a head too long",
            format!("POST / HTTP/1.1\r\n{ours}{many}{many}\r\n"),
            &[431],
        ),
        (
            "too many fields",
            format!("GET / HTTP/1.1\r\n{ours}{many}\r\n"),
            &[431],
        ),
        (
            "UTF-8 in the path",
            format!("GET /ä HTTP/1.1\r\n{ours}\r\n"),
            &[400],
        ),
        (
            "UTF-8 in the query",
            format!("GET /?q=ä HTTP/1.1\r\n{ours}\r\n"),
            &[400],
        ),
        (
            "UTF-8 in a path of ours",
            format!("GET /login/ä HTTP/1.1\r\n{ours}\r\n"),
            &[400],
        ),
        (
            "an emoji in the path",
            format!("POST /\u{1f980} HTTP/1.1\r\n{ours}\r\n"),
            &[400],
        ),
    ] {
        let mut wire = site.connect().await;
        wire.send(request).await;
        let reply = wire.reply(false).await;
        if !wanted.contains(&reply.status) || !reply.has_sentence() || !reply.closes() {
            let (status, text, why) = (reply.status, reply.text(), reply.why);
            let closes = reply.head.values("connection");
            wrongs.push(format!(
                "{name}: {status} {closes:?} {text:?} ({why}), not {wanted:?}"
            ));
        }
    }
    nothing_wrong(&wrongs);
}

#[tokio::test]
async fn a_target_that_names_no_host_or_another_is_400() {
    let site = Site::start().await;
    let host = &site.host;
    let mut wrongs = Vec::new();
    for target in [
        "://h/o".to_owned(),
        "http:///x".to_owned(),
        "http://".to_owned(),
        "http:/x".to_owned(),
        "http:x".to_owned(),
        "://".to_owned(),
        ":".to_owned(),
        "h/o".to_owned(),
        "?a=b".to_owned(),
        "h:80".to_owned(),
        host.clone(),
        format!("://{host}/o"),
        format!("://{host}"),
        format!("{host}/o"),
        format!("http:/{host}/o"),
        format!("http:///{host}/o"),
        format!("1http://{host}/o"),
        format!("ht tp://{host}/o"),
        format!("http://{host}#o"),
        format!("http://{host},{host}/o"),
        format!("http://@{host}/o"),
        format!("http://user@{host}/"),
        format!("http://:@{host}/"),
        "http://h:99999/".to_owned(),
        "http://h:port/".to_owned(),
        "http://[::1/".to_owned(),
        "http://a,b/".to_owned(),
        "http://other.example/".to_owned(),
        "ftp://other.example/".to_owned(),
        "1http://h/".to_owned(),
        "*".to_owned(),
        "\\x".to_owned(),
        "/x#y".to_owned(),
        "/x\u{7f}".to_owned(),
        "/x\"<>\u{1}".to_owned(),
    ] {
        let reply = site
            .ask(format!("GET {target} HTTP/1.1\r\n{}\r\n", site.ours))
            .await;
        if reply.status != 400 || !reply.closes() {
            wrongs.push(format!("{target}: {} {}", reply.status, reply.why));
        }
        if !site.sandbox.seen(&target).is_empty() {
            wrongs.push(format!("{target}: reached the sandbox"));
        }
    }
    nothing_wrong(&wrongs);
}

/// Requests without a session, and their status.
const STRANGERS: &[(&str, &str, u16)] = &[
    (
        "GET /repo.git/info/refs?service=git-upload-pack",
        "User-Agent: git/2.47\r\nAccept: */*\r\n",
        401,
    ),
    ("GET /", "User-Agent: curl/8.9.1\r\nAccept: */*\r\n", 401),
    ("HEAD /", "User-Agent: curl/8.9.1\r\nAccept: */*\r\n", 401),
    (
        "GET /simple/x/",
        "User-Agent: pip/25.0\r\nAccept: application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01\r\n",
        401,
    ),
    ("GET /", "User-Agent: Wget/1.24\r\nAccept: */*\r\n", 401),
    ("GET /", "User-Agent: Go-http-client/1.1\r\n", 401),
    (
        "GET /",
        "User-Agent: python-requests/2.32\r\nAccept: */*\r\n",
        401,
    ),
    ("GET /dev/", "Accept: */*\r\n", 401),
    (
        "GET /v2/",
        "User-Agent: docker/27\r\nAccept: application/vnd.docker.distribution.manifest.v2+json\r\n",
        401,
    ),
    ("GET /", "", 401),
    ("GET /", "Accept: application/json\r\n", 401),
    (
        "GET /a.png",
        "Accept: image/avif,image/webp,*/*\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
        401,
    ),
    (
        "GET /",
        "Accept: text/html\r\nSec-Fetch-Mode: cors\r\n",
        401,
    ),
    (
        "GET /",
        "Accept: text/html\r\nX-Requested-With: XMLHttpRequest\r\n",
        401,
    ),
    ("POST /", "Accept: text/html\r\nContent-Length: 0\r\n", 401),
    (
        "GET /",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n",
        303,
    ),
    (
        "GET /a?b=c",
        "Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Site: none\r\n",
        303,
    ),
    ("GET /", "Accept: */*\r\nSec-Fetch-Mode: navigate\r\n", 303),
];

#[tokio::test]
async fn a_program_without_a_session_is_told_so_and_a_person_is_sent_to_log_in() {
    let site = Site::start().await;
    let mut wrongs = Vec::new();
    for (line, fields, wanted) in STRANGERS {
        let request = format!("{line} HTTP/1.1\r\nHost: {}\r\n{fields}\r\n", site.host);
        let reply = site.ask(request).await;
        let json = reply.head.values("content-type");
        let told = match wanted {
            401 => json.iter().any(|it| it.starts_with("application/json")),
            _ => reply.head.values("location")[..]
                .concat()
                .starts_with("/login?next="),
        };
        if reply.status != *wanted || !told || !reply.content.whole {
            wrongs.push(format!("{line} {fields:?}: {} {json:?}", reply.status));
        }
    }
    nothing_wrong(&wrongs);
}

/// What a POST says of where it comes from, and whether it may go on.
const ORIGINS: &[(&str, bool)] = &[
    (
        "Origin: null\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n",
        true,
    ),
    (
        "Origin: null\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n",
        true,
    ),
    ("Sec-Fetch-Site: same-origin\r\n", true),
    ("Sec-Fetch-Site: none\r\n", true),
    ("Origin: http://{host}\r\n", true),
    (
        "Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n",
        true,
    ),
    ("", true),
    ("Origin: null\r\n", false),
    ("Origin: null\r\nSec-Fetch-Site: same-site\r\n", false),
    ("Origin: null\r\nSec-Fetch-Site: cross-site\r\n", false),
    ("Origin: null\r\nSec-Fetch-Site:\r\n", false),
    (
        "Origin: null\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n",
        false,
    ),
    (
        "Origin: null\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: same-origin\r\n",
        false,
    ),
    ("Origin: https://evil.example\r\n", false),
    (
        "Origin: https://evil.example\r\nSec-Fetch-Site: same-origin\r\n",
        false,
    ),
    ("Sec-Fetch-Site: cross-site\r\n", false),
    (
        "Sec-Fetch-Site: same-site\r\nOrigin: http://{host}\r\n",
        false,
    ),
];

#[tokio::test]
async fn a_form_of_the_same_origin_reaches_its_sandbox_and_no_other_does() {
    let site = Site::start().await;
    let mut wrongs = Vec::new();
    for (fields, passes) in ORIGINS {
        let fields = fields.replace("{host}", &site.host);
        for path in ["/save", "/auth/nothing", "/admin/sandboxes/me/live/start"] {
            let request = site.head(&format!("POST {path}"))
                + &fields
                + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b";
            let reply = site.ask(request).await;
            if (reply.status != 403) != *passes {
                wrongs.push(format!("{path} {fields:?}: {}", reply.status));
            }
        }
    }
    nothing_wrong(&wrongs);
}

#[tokio::test]
async fn what_tells_of_this_moment_is_not_stored() {
    let site = Site::start().await;
    let mut wrongs = Vec::new();
    for (path, status) in [("/health", 200), ("/metrics", 200), ("/auth/me", 200)] {
        for method in ["GET", "HEAD"] {
            let reply = site
                .ask(site.head(&format!("{method} {path}")) + "\r\n")
                .await;
            let stored = !reply.head.lists("cache-control", "no-store");
            if reply.status != status || stored {
                let said = reply.head.values("cache-control");
                wrongs.push(format!("{method} {path}: {} {said:?}", reply.status));
            }
        }
    }
    nothing_wrong(&wrongs);
}
