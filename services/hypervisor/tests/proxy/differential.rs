//! Both paths rewrite heads by the same rules: whatever goes in, the same comes out of either.

use crate::gateway::{Gateway, Path};
use std::collections::BTreeMap;
use testkit::raw::Raw;
use tokio::net::TcpListener;

/// Fields of requests that are plain.
const ASKED: &[&[u8]] = &[
    b"",
    b"Accept: a\r\nACCEPT: b\r\naccept: c, d\r\nX-Empty:\r\nX-Space: \t a \t \r\n",
    b"X-Bytes: \xe4\xff\tx\r\nx_under: 1\r\n!#$%&'*+-.^_`|~: 1\r\n",
    b"Cookie: choiros=secret\r\n",
    b"Cookie: a=1; choiros=secret; b=\"2 3\"\r\nCookie: choiros-ceremony=x\r\ncookie: c;d=;\r\n",
    b"Cookie:  choiros = x ;choirosx=1;Choiros=2 ; =choiros=3;choiros\r\n",
    b"Cookie:\r\nCookie: ;;\r\n",
    b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n",
    b"Connection: close\r\nProxy-Authorization: x\r\nProxy-Authenticate: x\r\n",
    b"Connection: Keep-Alive\r\nConnection: Close\r\nHTTP2-Settings: AAA\r\n",
    b"X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 7.7.7.7, 8.8.8.8\r\n",
    b"X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\n",
    b"X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\nX-Forwarded-Host: b\r\n",
    b"X-Forwarded-For:\r\nX-Forwarded-Proto:\r\nX-Forwarded-Host:\r\n",
    b"Forwarded: for=6.6.6.6\r\nforwarded: host=x\r\nX-Real-IP: 6.6.6.6\r\n",
    b"X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Host: x\r\nx_forwarded_by: x\r\nX_Forwarded-Proto: x\r\n",
    b"X-ChoirOS-User-Id: x\r\nx-choiros-role: admin\r\nX-CHOIROS-GENERATION: 1\r\nX-ChoirOS-New: 1\r\n",
    b"X_ChoirOS_User_Id: x\r\nX-ChoirOS_Role: x\r\nx_choiros-workspace: x\r\nX-Choirosx: 1\r\n",
    b"X-Choiros: 1\r\nX-Forwarded: 1\r\nForwarded-For: 1\r\nXX-ChoirOS-Role: 1\r\n",
    b"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nTracestate: a=b\r\ntracestate: c=d\r\n",
    b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\
      traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\n",
    b"traceparent: nonsense\r\ntracestate: a=b\r\n",
    b"tracestate: a=b\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 4\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n",
    b"Content-Length: \t 004 \r\n",
    b"Authorization: Basic x\r\nOrigin: http://a\r\nReferer: x\r\nUser-Agent:\r\nDate: x\r\nVia: x\r\n",
    b"Early-Data: 1\r\nRange: bytes=0-1\r\nIf-Match: x\r\nServer: x\r\nSet-Cookie: choiros=x\r\n",
];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const TARGETS: [&str; 5] = [
    "/",
    "/a%2Fb//c/../d;e?x=%20&y=+&&",
    "//b.example/%00",
    "/?",
    "/%zz",
];
const HOSTS: [&str; 4] = ["a.example", "A.Example:8080", "[::1]:80", "127.0.0.1"];

/// A head's first line, and its fields by name.
type Head = (String, BTreeMap<String, Vec<Vec<u8>>>);

/// Takes a head apart; names are the same in any case.
fn apart(head: &[u8]) -> Head {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = String::from_utf8(lines.next().unwrap().to_vec()).unwrap();
    let mut fields: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap();
        let name = String::from_utf8(line[..colon].to_ascii_lowercase()).unwrap();
        let value = line[colon + 1..].trim_ascii().to_vec();
        fields.entry(name).or_default().push(value);
    }
    (first, fields)
}

/// What a sandbox sees of a request; trace ids that are made up differ.
async fn seen(gateway: &Gateway, listener: &TcpListener, request: &[u8]) -> Head {
    let mut client = Raw::connect(gateway.address).await.unwrap();
    client.send(request).await.unwrap();
    let mut sandbox = Raw::accept(listener).await.unwrap();
    let head = sandbox.read_head_bytes().await.unwrap();
    let (first, mut fields) = apart(&head);
    let goes_on = fields.contains_key("tracestate");
    let parents = fields.get_mut("traceparent").unwrap();
    assert_eq!(parents.len(), 1);
    assert_eq!(parents[0].len(), 55);
    parents[0].truncate(if goes_on { 36 } else { 3 });
    (first, fields)
}

#[tokio::test]
async fn a_sandbox_sees_the_same_request_whichever_path_it_took() {
    for trusted in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let start = async |path| {
            let upstream = listener.local_addr().unwrap();
            Gateway::start(path, upstream, |it| it.trusted = trusted).await
        };
        let (hyper, fast) = (start(Path::Hyper).await, start(Path::Fast).await);
        for (index, fields) in ASKED.iter().enumerate() {
            let host = HOSTS[index % HOSTS.len()];
            for (index, method) in METHODS.iter().enumerate() {
                let target = TARGETS[index % TARGETS.len()];
                let mut request =
                    format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n").into_bytes();
                request.extend_from_slice(fields);
                request.extend_from_slice(b"\r\n");
                if fields.starts_with(b"Content-Length") && !fields.ends_with(b": 0\r\n") {
                    request.extend_from_slice(b"body");
                }
                let by_hyper = seen(&hyper, &listener, &request).await;
                let by_fast = seen(&fast, &listener, &request).await;
                let request = String::from_utf8_lossy(&request);
                assert_eq!(by_fast, by_hyper, "trusted: {trusted}, {request}");
            }
        }
        assert_eq!(fast.handed_over(), 0);
    }
}

/// Answers, each with all that a sandbox sends.
const ANSWERED: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
    b"HTTP/1.1 200 \r\nContent-Length: 0\r\nX-Bytes: \xe4\xff\tx\r\nX-Empty:\r\nX-A: 1\r\nx-a: 2\r\n\r\n",
    b"HTTP/1.1 299 Whatever\r\nServer: mine\r\nDate: then\r\ncontent-length: 4\r\n\r\nbody",
    b"HTTP/1.0 200 OK\r\n\r\nbody",
    b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\nbody",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody",
    b"HTTP/1.1 200 OK\r\nConnection: X-One, close\r\nConnection: x-two\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\n\
      Keep-Alive: x\r\nProxy-Connection: x\r\nUpgrade: x\r\nTE: x\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 4\r\n\r\nbody",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\ntransfer-encoding: Chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: choiros=evil; Path=/\r\nset-cookie: =choiros=evil\r\n\
      SET-COOKIE: b=choiros\r\nSet-Cookie: choiros-ceremony=\r\nSet-Cookie: choirosx=1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Type: text/event-stream\r\nContent-Length: 4\r\n\r\nbody",
    b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
    b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-B: 1\r\nContent-Length: 0\r\n\r\n",
];

/// What is no response, at least not to GET: hyper reads no lengths of responses to HEAD.
const NO_RESPONSES: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nbody",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nbody",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 099 Low\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Le",
    b"\0\0\0\r\n\r\n",
    b"",
];

/// What a client gets: its status, its fields, its body.
type Seen = (String, BTreeMap<String, Vec<Vec<u8>>>, String);

async fn told(gateway: &Gateway, listener: &TcpListener, method: &str, response: &[u8]) -> Seen {
    let mut client = Raw::connect(gateway.address).await.unwrap();
    let request = format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client.send(request).await.unwrap();
    let mut sandbox = Raw::accept(listener).await.unwrap();
    sandbox.read_head().await.unwrap();
    sandbox.send(response).await.unwrap();
    drop(sandbox);
    let head = client.read_head_bytes().await;
    let what = || format!("{method}: {}", String::from_utf8_lossy(response));
    let mut head = head.unwrap_or_else(|error| panic!("{}: {error}", what()));
    head.truncate(head.len() - 2);
    let (first, mut fields) = apart(&head);
    let status = first["HTTP/1.1 ".len()..][..3].to_owned();
    let dated = fields.remove("date").map_or(0, |dates| dates.len());
    assert_eq!(dated, 1, "one date");
    let rest = String::from_utf8(client.read_to_end().await.unwrap().bytes).unwrap();
    let body = if fields.contains_key("transfer-encoding") && !rest.is_empty() {
        dechunked(&rest)
    } else {
        rest
    };
    (status, fields, body)
}

fn dechunked(mut rest: &str) -> String {
    let mut body = String::new();
    loop {
        let (size, more) = rest.split_once("\r\n").unwrap();
        let (piece, more) = more.split_at(usize::from_str_radix(size, 16).unwrap());
        body.push_str(piece);
        rest = more.strip_prefix("\r\n").unwrap();
        if size == "0" {
            return body;
        }
    }
}

#[tokio::test]
async fn a_client_gets_the_same_response_whichever_path_it_took() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    let hyper = Gateway::before(Path::Hyper, upstream).await;
    let fast = Gateway::before(Path::Fast, upstream).await;
    for method in ["GET", "HEAD", "POST"] {
        for response in ANSWERED {
            let by_hyper = told(&hyper, &listener, method, response).await;
            let by_fast = told(&fast, &listener, method, response).await;
            let response = String::from_utf8_lossy(response);
            assert_eq!(by_fast, by_hyper, "{method}: {response}");
        }
    }
    for response in NO_RESPONSES {
        for gateway in [&hyper, &fast] {
            let (status, _, page) = told(gateway, &listener, "GET", response).await;
            assert_eq!(status, "502", "{}", String::from_utf8_lossy(response));
            assert!(page.contains("gave no answer"), "{page}");
        }
    }
    assert_eq!(fast.handed_over(), 0);
}
