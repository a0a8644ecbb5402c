//! The head of a request, written anew for the sandbox.

use super::super::{Caller, Proxy, RoutedClaim, cookies, forwarded, hop, trace};
use super::text::{line, put};
use crate::server::Head;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr;

/// A request as its sandbox gets it, apart from its body.
pub(crate) struct Order {
    pub(super) head: Vec<u8>,
    /// Bytes of the body.
    pub(super) body: u64,
    /// Whether the answer has no body, whatever its head says.
    pub(super) headless: bool,
    /// Whether it may be sent again when nothing came of it.
    pub(super) repeatable: bool,
    close: bool,
}

/// A connection's far end.
pub(crate) struct FarEnd {
    /// Its address, in digits; a Unix socket's has none.
    pub(crate) address: Option<Box<str>>,
    /// Whether it is a trusted proxy, whose forwarding headers count.
    pub(crate) trusted: bool,
}

/// How a field goes to the sandbox.
enum Field {
    Kept,
    Dropped,
    Cookie,
    Host,
    /// Where the request comes from, as a trusted proxy says.
    For,
    Proto,
    ForwardedHost,
    TraceParent,
    TraceState,
}

/// What is added behind the fields that stay.
#[derive(Default)]
struct Seen<'a> {
    host: &'a [u8],
    path: Vec<&'a [u8]>,
    proto: bool,
    forwarded_host: bool,
    parents: usize,
    parent: Option<&'a [u8]>,
    states: Vec<&'a [u8]>,
}

impl Order {
    /// The fields that the sandbox gets, for whoever needs a map.
    pub(crate) fn fields(&self) -> HeaderMap {
        let lines = self.head.split(|byte| *byte == b'\n').skip(1);
        let fields = lines.filter_map(|line| {
            let colon = memchr(b':', line)?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
            Some((name, value))
        });
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(name, value);
        }
        map
    }

    /// Whether the client's connection ends with the answer.
    pub(crate) fn close(&self) -> bool {
        self.close
    }

    /// Whether the answer has no body, whatever its head says.
    pub(crate) fn is_headless(&self) -> bool {
        self.headless
    }

    /// Whether there is a body.
    pub(crate) fn has_body(&self) -> bool {
        self.body > 0
    }
}

impl Proxy {
    /// The most that a request's body may have.
    pub(crate) fn max_body(&self) -> u64 {
        self.limits.max_body
    }

    /// Rewrites `head` for the claimed sandbox; `target` is its target without `/dev`.
    pub(crate) fn order(
        &self,
        head: &Head<'_>,
        target: &str,
        from: &FarEnd,
        caller: &Caller,
        claim: &impl RoutedClaim,
    ) -> Order {
        let mut out = Vec::with_capacity(1024);
        put(&mut out, &[head.method.as_bytes(), b" "]);
        if !target.starts_with('/') {
            out.push(b'/');
        }
        put(&mut out, &[target.as_bytes(), b" HTTP/1.1\r\n"]);
        let seen = self.fields(head, from.trusted, &mut out);
        add_origin(&mut out, &seen, from);
        add_identity(&mut out, caller, claim);
        add_trace(&mut out, &seen);
        out.extend_from_slice(b"\r\n");
        Order {
            head: out,
            body: head.length,
            headless: head.method == "HEAD",
            repeatable: head.length == 0 && !matches!(head.method, "POST" | "PATCH"),
            close: head.close,
        }
    }

    /// Writes the fields that stay, and says what was found on the way.
    fn fields<'a>(&self, head: &Head<'a>, trusted: bool, out: &mut Vec<u8>) -> Seen<'a> {
        let mut seen = Seen::default();
        for field in head.fields {
            let (name, value) = (field.name, field.value);
            match Field::of(name, trusted) {
                Field::Kept => line(out, name, value),
                Field::Dropped => {}
                Field::Cookie => {
                    let before = out.len();
                    put(out, &[name.as_bytes(), b": "]);
                    if cookies::without(value, &self.own_cookies, out) {
                        out.extend_from_slice(b"\r\n");
                    } else {
                        out.truncate(before);
                    }
                }
                Field::Host => {
                    seen.host = value;
                    line(out, name, value);
                }
                Field::For => seen.path.push(value),
                Field::Proto => {
                    seen.proto = true;
                    line(out, name, value);
                }
                Field::ForwardedHost => {
                    seen.forwarded_host = true;
                    line(out, name, value);
                }
                Field::TraceParent => {
                    seen.parents += 1;
                    seen.parent = (seen.parents == 1).then_some(value);
                }
                Field::TraceState => seen.states.push(value),
            }
        }
        seen
    }
}

impl Field {
    fn of(name: &str, trusted: bool) -> Self {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match (name.len(), name.as_bytes()[0] | 0x20) {
            (4, b'h') if is("host") => Self::Host,
            (6, b'c') if is("cookie") => Self::Cookie,
            (11, b't') if is("traceparent") => Self::TraceParent,
            (10, b't') if is("tracestate") => Self::TraceState,
            (_, b'x' | b'f') if forwarded::is_spoofable(name, trusted) => Self::Dropped,
            (15, b'x') if is("x-forwarded-for") => Self::For,
            (17, b'x') if is("x-forwarded-proto") => Self::Proto,
            (16, b'x') if is("x-forwarded-host") => Self::ForwardedHost,
            (_, b'c' | b'k' | b'p' | b't' | b'u') if hop::is_hop_by_hop(name) => Self::Dropped,
            _ => Self::Kept,
        }
    }
}

fn add_origin(out: &mut Vec<u8>, seen: &Seen<'_>, from: &FarEnd) {
    let far_end = from.address.as_deref().map(str::as_bytes);
    let mut path = seen.path.iter().copied().chain(far_end);
    if let Some(first) = path.next() {
        put(out, &[b"x-forwarded-for: ", first]);
        path.for_each(|hop| put(out, &[b", ", hop]));
        out.extend_from_slice(b"\r\n");
    }
    if !seen.proto {
        out.extend_from_slice(b"x-forwarded-proto: http\r\n");
    }
    if !seen.forwarded_host {
        line(out, "x-forwarded-host", seen.host);
    }
}

fn add_identity(out: &mut Vec<u8>, caller: &Caller, claim: &impl RoutedClaim) {
    let mut id = uuid::Uuid::encode_buffer();
    let id = caller.user_id.as_hyphenated().encode_lower(&mut id);
    line(out, "x-choiros-user-id", id.as_bytes());
    line(out, "x-choiros-workspace", claim.workspace().as_bytes());
    line(out, "x-choiros-role", claim.role().as_str().as_bytes());
    let mut digits = itoa::Buffer::new();
    let generation = digits.format(claim.generation());
    line(out, "x-choiros-generation", generation.as_bytes());
}

fn add_trace(out: &mut Vec<u8>, seen: &Seen<'_>) {
    let Some(parent) = trace::parent(seen.parent) else {
        return;
    };
    line(out, "traceparent", &parent.value);
    for state in seen.states.iter().filter(|_| parent.goes_on) {
        line(out, "tracestate", state);
    }
}
