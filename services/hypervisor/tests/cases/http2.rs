//! HTTP/2 is as strict as HTTP/1, and no cheaper to flood.

use crate::frames::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RST_STREAM,
    SETTINGS, Verdict, WINDOW_UPDATE, ask, block, flood, frame,
};
use crate::h2::Client;
use crate::sandbox::Script;
use crate::site::Site;
use crate::{counted, nothing_wrong};
use futures_util::future::join_all;
use http::Request;

/// A field that is changed; a name without a value is left out.
type Change = (&'static [u8], Option<&'static [u8]>);

type Field<'a> = (&'a [u8], &'a [u8]);

/// What is wrong with each, what it changes of a good request, and what it adds to it.
const MALFORMED: &[(&str, &[Change], &[Field<'_>])] = &[
    (
        "a list of authorities",
        &[(b":authority", Some(b"a,b"))],
        &[],
    ),
    (
        "a port too large",
        &[(b":authority", Some(b"h:99999"))],
        &[],
    ),
    (
        "a port that is a word",
        &[(b":authority", Some(b"h:port"))],
        &[],
    ),
    ("two ports", &[(b":authority", Some(b"h:1:2"))], &[]),
    ("an asterisk", &[(b":authority", Some(b"*"))], &[]),
    ("a user", &[(b":authority", Some(b"user@h"))], &[]),
    ("an empty user", &[(b":authority", Some(b"@h"))], &[]),
    (
        "a blank in the authority",
        &[(b":authority", Some(b"a b"))],
        &[],
    ),
    (
        "a path in the authority",
        &[(b":authority", Some(b"h/x"))],
        &[],
    ),
    (
        "a query in the authority",
        &[(b":authority", Some(b"h?x"))],
        &[],
    ),
    ("an open bracket", &[(b":authority", Some(b"[::1"))], &[]),
    (
        "brackets around no address",
        &[(b":authority", Some(b"[h]"))],
        &[],
    ),
    ("a percent", &[(b":authority", Some(b"h%41"))], &[]),
    (
        "an underscore and a plus",
        &[(b":authority", Some(b"a+b"))],
        &[],
    ),
    (
        "UTF-8 in the authority",
        &[(b":authority", Some("hä".as_bytes()))],
        &[],
    ),
    ("an empty authority", &[(b":authority", Some(b""))], &[]),
    ("no authority", &[(b":authority", None)], &[]),
    ("two authorities", &[], &[(b":authority", b"localhost")]),
    ("another Host", &[], &[(b"host", b"other.example")]),
    (
        "two Hosts",
        &[],
        &[(b"host", b"localhost"), (b"host", b"localhost")],
    ),
    (
        "two equal lengths",
        &[],
        &[(b"content-length", b"0"), (b"content-length", b"0")],
    ),
    (
        "two lengths",
        &[],
        &[(b"content-length", b"0"), (b"content-length", b"1")],
    ),
    ("a list of lengths", &[], &[(b"content-length", b"0, 0")]),
    ("a length without a body", &[], &[(b"content-length", b"5")]),
    ("a signed length", &[], &[(b"content-length", b"+0")]),
    ("a negative length", &[], &[(b"content-length", b"-1")]),
    ("an empty length", &[], &[(b"content-length", b"")]),
    (
        "a length beyond 64 bits",
        &[],
        &[(b"content-length", b"18446744073709551616")],
    ),
    (
        "UTF-8 in the path",
        &[(b":path", Some("/ä".as_bytes()))],
        &[],
    ),
    (
        "UTF-8 in the query",
        &[(b":path", Some("/?ä".as_bytes()))],
        &[],
    ),
    (
        "bytes that are no UTF-8 in the path",
        &[(b":path", Some(b"/\xff"))],
        &[],
    ),
    ("a blank in the path", &[(b":path", Some(b"/a b"))], &[]),
    ("a tab in the path", &[(b":path", Some(b"/a\tb"))], &[]),
    (
        "a line end in the path",
        &[(b":path", Some(b"/a\r\nx: y"))],
        &[],
    ),
    ("a NUL in the path", &[(b":path", Some(b"/a\0"))], &[]),
    ("DEL in the path", &[(b":path", Some(b"/a\x7f"))], &[]),
    (
        "a whole URL for a path",
        &[(b":path", Some(b"http://other.example/"))],
        &[],
    ),
    ("a path without a slash", &[(b":path", Some(b"x"))], &[]),
    ("an empty path", &[(b":path", Some(b""))], &[]),
    ("an asterisk for GET", &[(b":path", Some(b"*"))], &[]),
    ("no path", &[(b":path", None)], &[]),
    ("two paths", &[], &[(b":path", b"/y")]),
    ("no method", &[(b":method", None)], &[]),
    ("an empty method", &[(b":method", Some(b""))], &[]),
    (
        "a blank in the method",
        &[(b":method", Some(b"GET /x"))],
        &[],
    ),
    ("no scheme", &[(b":scheme", None)], &[]),
    ("a pseudo-header that nobody knows", &[], &[(b":x", b"y")]),
    ("a response's pseudo-header", &[], &[(b":status", b"200")]),
    ("an upper-case name", &[], &[(b"X-A", b"y")]),
    ("an empty name", &[], &[(b"", b"y")]),
    ("a blank in a name", &[], &[(b"x y", b"z")]),
    ("a colon in a name", &[], &[(b"x:y", b"z")]),
    ("a line end in a name", &[], &[(b"x\r\ny", b"z")]),
    ("a line end in a value", &[], &[(b"x", b"y\r\nevil: 1")]),
    ("a LF in a value", &[], &[(b"x", b"y\nevil: 1")]),
    ("a NUL in a value", &[], &[(b"x", b"y\0z")]),
    ("connection", &[], &[(b"connection", b"close")]),
    ("keep-alive", &[], &[(b"keep-alive", b"x")]),
    ("proxy-connection", &[], &[(b"proxy-connection", b"x")]),
    (
        "transfer-encoding",
        &[],
        &[(b"transfer-encoding", b"chunked")],
    ),
    ("upgrade", &[], &[(b"upgrade", b"websocket")]),
    ("te for more than trailers", &[], &[(b"te", b"gzip")]),
];

/// The fields of a good request with this change, and these added.
fn fields<'a>(
    site: &'a Site,
    path: &'a str,
    changes: &[Change],
    more: &[Field<'a>],
) -> Vec<Field<'a>> {
    let mut fields: Vec<Field<'_>> = vec![
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":authority", site.host.as_bytes()),
        (b":path", path.as_bytes()),
    ];
    for (name, value) in changes {
        match value {
            Some(value) => fields.iter_mut().find(|it| it.0 == *name).unwrap().1 = value,
            None => fields.retain(|it| it.0 != *name),
        }
    }
    let (pseudo, others): (Vec<_>, Vec<_>) =
        more.iter().copied().partition(|it| it.0.starts_with(b":"));
    fields.extend(pseudo);
    fields.push((b"cookie", site.cookie.as_bytes()));
    fields.extend(others);
    fields
}

fn request(fields: &[Field<'_>]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(fields))
}

fn refuses(verdict: &Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Status(400) | Verdict::Reset(_) | Verdict::GoAway(_)
    )
}

#[tokio::test]
async fn a_malformed_request_is_refused_and_reaches_no_sandbox() {
    let site = Site::start().await;
    let address = site.gateway.address();
    let good = ask(address, &request(&fields(&site, "/good", &[], &[]))).await;
    assert_eq!(good, Verdict::Status(200));
    let mut wrongs = Vec::new();
    for (index, (name, changes, more)) in MALFORMED.iter().enumerate() {
        let path = format!("/{index}");
        let verdict = ask(address, &request(&fields(&site, &path, changes, more))).await;
        if !refuses(&verdict) {
            wrongs.push(format!("{name}: {verdict:?}"));
        }
    }
    for (name, frames) in malformed_streams(&site) {
        let verdict = ask(address, &frames).await;
        if !refuses(&verdict) {
            wrongs.push(format!("{name}: {verdict:?}"));
        }
    }
    let seen = site.sandbox.everything();
    let came = seen
        .iter()
        .filter(|it| it.path != "/good" && it.path != "/health");
    // A body that turns out to be wrong may have been begun, and must not end well.
    let came = came.filter(|it| it.content.whole || !it.path.starts_with("/begun"));
    wrongs.extend(came.map(|it| format!("{} reached the sandbox", it.head.first)));
    nothing_wrong(&wrongs);
}

/// What is wrong beyond one block of fields.
fn malformed_streams(site: &Site) -> Vec<(&'static str, Vec<u8>)> {
    let late = {
        let mut late = fields(site, "/late", &[], &[]);
        late.rotate_right(1);
        request(&late)
    };
    let post: Change = (b":method", Some(b"POST"));
    let begun = |more: &[Field<'_>], rest: &[Vec<u8>]| {
        let head = block(&fields(site, "/begun", &[post], more));
        let mut frames = frame(HEADERS, END_HEADERS, 1, &head);
        frames.extend(rest.concat());
        frames
    };
    let data = |flags, bytes: &[u8]| frame(DATA, flags, 1, bytes);
    let trailers =
        |fields: &[Field<'_>]| frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(fields));
    vec![
        ("a pseudo-header behind a field", late),
        (
            "fewer bytes than the length",
            begun(&[(b"content-length", b"5")], &[data(END_STREAM, b"hi")]),
        ),
        (
            "more bytes than the length",
            begun(&[(b"content-length", b"1")], &[data(END_STREAM, b"hi")]),
        ),
        (
            "an upper-case name in trailers",
            begun(&[], &[data(0, b"hi"), trailers(&[(b"X-A", b"y")])]),
        ),
        (
            "a line end in trailers",
            begun(&[], &[data(0, b"hi"), trailers(&[(b"x", b"y\r\nevil: 1")])]),
        ),
    ]
}

/// h2 reads both more leniently than its RFC, and leaves out what it does not know what to do with.
#[tokio::test]
async fn a_fragment_and_a_pseudo_header_in_trailers_reach_no_sandbox() {
    let site = Site::start().await;
    let address = site.gateway.address();
    for path in ["/x#y", "/x?a#y"] {
        ask(address, &request(&fields(&site, path, &[], &[]))).await;
    }
    let post: Change = (b":method", Some(b"POST"));
    let head = block(&fields(&site, "/trailers", &[post], &[]));
    let trailers = block(&[(b":path", b"/y"), (b"x-a", b"b")]);
    let frames = [
        frame(HEADERS, END_HEADERS, 1, &head),
        frame(DATA, 0, 1, b"hi"),
        frame(HEADERS, END_STREAM | END_HEADERS, 1, &trailers),
    ];
    ask(address, &frames.concat()).await;
    for seen in site.sandbox.everything() {
        let first = &seen.head.first;
        assert!(!first.contains('#') && !first.contains("/y"), "{first}");
        let trailers = &seen.content.trailers;
        assert!(
            !trailers.iter().any(|it| it.0.contains("path")),
            "{trailers:?}"
        );
    }
}

#[tokio::test]
async fn connect_is_not_allowed() {
    let site = Site::start().await;
    let address = site.gateway.address();
    let head: &[Field<'_>] = &[(b":method", b"CONNECT"), (b":authority", b"h:443")];
    let verdict = ask(address, &request(head)).await;
    assert!(matches!(verdict, Verdict::Status(405)), "{verdict:?}");
    // With `:protocol`, which was never offered (RFC 8441).
    let method: Change = (b":method", Some(b"CONNECT"));
    let more: &[Field<'_>] = &[(b":protocol", b"websocket")];
    let verdict = ask(address, &request(&fields(&site, "/ws", &[method], more))).await;
    let refused = refuses(&verdict) || verdict == Verdict::Status(405);
    assert!(refused, "{verdict:?}");
    assert!(site.sandbox.seen("/ws").is_empty());
}

#[tokio::test]
async fn what_is_too_long_is_431_or_a_reset() {
    let site = Site::start().await;
    let mut block = block(&fields(&site, "/long", &[], &[]));
    for index in 0..2000 {
        let name = format!("x-{index}");
        block.extend(crate::frames::block(&[(name.as_bytes(), &[b'y'; 100])]));
    }
    let mut pieces = block.chunks(16_000).peekable();
    let mut frames = Vec::new();
    let mut kind = HEADERS;
    while let Some(piece) = pieces.next() {
        let flags = if kind == HEADERS { END_STREAM } else { 0 };
        let flags = flags
            | if pieces.peek().is_none() {
                END_HEADERS
            } else {
                0
            };
        frames.extend(frame(kind, flags, 1, piece));
        kind = CONTINUATION;
    }
    let verdict = ask(site.gateway.address(), &frames).await;
    let refused = refuses(&verdict) || verdict == Verdict::Status(431);
    assert!(refused, "{verdict:?}");
    assert!(site.sandbox.seen("/long").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_what_costs_nothing_to_send_ends_with_goaway() {
    const TIMES: usize = 200_000;
    let site = Site::start().await;
    let address = site.gateway.address();
    let one = 1_u32.to_be_bytes();
    let post: Change = (b":method", Some(b"POST"));
    let head = block(&fields(&site, "/begun", &[post], &[]));
    let begun = frame(HEADERS, END_HEADERS, 1, &head);
    let begun = begun.as_slice();
    let floods: Vec<(&str, &[u8], Vec<u8>)> = vec![
        ("WINDOW_UPDATE", &[], frame(WINDOW_UPDATE, 0, 0, &one)),
        (
            "WINDOW_UPDATE of a stream",
            begun,
            frame(WINDOW_UPDATE, 0, 1, &one),
        ),
        ("unknown frames", &[], frame(0xfa, 0, 0, &[])),
        (
            "unknown frames of a stream",
            begun,
            frame(0xfa, 0xff, 1, b"x"),
        ),
        ("large unknown frames", &[], frame(0xfa, 0, 0, &[0; 1000])),
        ("PING", &[], frame(PING, 0, 0, &[0; 8])),
        ("PING that answers none", &[], frame(PING, ACK, 0, &[0; 8])),
        ("SETTINGS", &[], frame(SETTINGS, 0, 0, &[])),
        (
            "SETTINGS with one",
            &[],
            frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]),
        ),
        ("PRIORITY", &[], frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        (
            "PRIORITY of many",
            &[],
            frame(PRIORITY, 0, 9, &[0, 0, 0, 3, 1]),
        ),
        ("empty DATA", begun, frame(DATA, 0, 1, &[])),
        (
            "padded DATA without data",
            begun,
            frame(DATA, 8, 1, &[3, 0, 0, 0]),
        ),
        (
            "empty CONTINUATION",
            &[0, 0, 0, 1, 1, 0, 0, 0, 1],
            frame(CONTINUATION, 0, 1, &[]),
        ),
        ("RST_STREAM", begun, frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])),
    ];
    let tried = floods.iter().map(async |(name, start, frames)| {
        let verdict = flood(address, start, frames, TIMES).await;
        let ended = matches!(verdict, Verdict::GoAway(_));
        (!ended).then(|| format!("{name}: {verdict:?}"))
    });
    let mut wrongs: Vec<String> = join_all(tried).await.into_iter().flatten().collect();
    // Streams that are opened and reset at once.
    let mut resets = Vec::new();
    let head = block(&fields(&site, "/reset", &[], &[]));
    for index in 0..20_000 {
        resets.extend(frame(
            HEADERS,
            END_STREAM | END_HEADERS,
            2 * index + 1,
            &head,
        ));
        resets.extend(frame(RST_STREAM, 0, 2 * index + 1, &[0, 0, 0, 8]));
    }
    let verdict = flood(address, &resets, &[], 0).await;
    if !matches!(verdict, Verdict::GoAway(_)) {
        wrongs.push(format!("streams that are reset at once: {verdict:?}"));
    }
    nothing_wrong(&wrongs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_much_in_small_pieces_is_no_flood() {
    const SIZE: usize = 8 << 20;
    let site = Site::start().await;
    let mut response = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n").into_bytes();
    response.resize(response.len() + SIZE, b'x');
    site.sandbox.script("/large", Script::new(response));
    let client = Client::connect(site.gateway.address()).await;
    let tried = (0..6).map(async |_| {
        // Each piece that it takes is told with WINDOW_UPDATE, of the stream and of the connection.
        let request = Request::get(format!("http://{}/large", site.host));
        let request = request.header("cookie", &site.cookie).body(());
        let reply = client.ask(request.unwrap(), None, None).await;
        assert_eq!(reply.content.body.len(), SIZE, "{}", reply.why);
    });
    join_all(tried).await;
    for _ in 0..3000 {
        let request = Request::get(format!("http://{}/small", site.host));
        let request = request.header("cookie", &site.cookie).body(());
        let reply = client.ask(request.unwrap(), None, None).await;
        assert_eq!(reply.status, 200, "{}", reply.why);
    }
}

#[tokio::test]
async fn a_refused_request_with_a_body_gets_its_whole_response_by_http2_too() {
    let site = Site::start().await;
    let client = Client::connect(site.gateway.address()).await;
    let mut wrongs = Vec::new();
    for (size, times) in [(3, 50), (1 << 20, 20)] {
        for _ in 0..times {
            let request = Request::post(format!("http://{}/", site.host)).body(());
            let body = vec![b'x'; size];
            let reply = client.ask(request.unwrap(), Some(&body), None).await;
            if reply.status != 401 || !reply.content.whole || !reply.has_sentence() {
                wrongs.push(format!("{size} bytes: {} {}", reply.status, reply.why));
            }
        }
    }
    nothing_wrong(&counted(wrongs));
}
