//! The access log: a line of JSON on standard error for each request that is over.
//!
//! No line has a query, a cookie or a token: enter tokens and invites are in queries.

use super::RequestContext;
use crate::role::Role;
use crate::timestamp::Timestamp;
use http::header::{HOST, USER_AGENT};
use http::{Method, Request, StatusCode, Version};
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// As many bytes of a path, and of a program's name, are told: a line is to be written in one
/// piece.
const LONGEST: usize = 1024;

/// What the access log tells of a request's head, which is gone when it is over.
#[derive(Debug)]
pub struct AccessEntry {
    method: Method,
    host: Box<str>,
    path: Box<str>,
    version: Version,
    user_agent: Option<Box<str>>,
    pub(super) client: Cell<Option<IpAddr>>,
    pub(super) user: Cell<Option<Uuid>>,
    pub(super) workspace: RefCell<Option<Arc<str>>>,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    ts: Timestamp,
    target: &'static str,
    request_id: Option<&'a str>,
    trace_id: Option<&'a str>,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    protocol: &'static str,
    status: u16,
    bytes: u64,
    duration: f64,
    upstream_duration: Option<f64>,
    role: &'static str,
    workspace: Option<&'a str>,
    user_id: Option<Uuid>,
    client: Option<IpAddr>,
    user_agent: Option<&'a str>,
}

impl AccessEntry {
    pub(super) fn new<B>(request: &Request<B>, client: Option<IpAddr>) -> Self {
        let (uri, headers) = (request.uri(), request.headers());
        let of_uri = uri.authority().map(|it| it.as_str().as_bytes());
        let host = of_uri.or_else(|| Some(headers.get(HOST)?.as_bytes()));
        // Without a password, which some still write before it.
        let host = host.and_then(|host| host.rsplit(|byte| *byte == b'@').next());
        let user_agent = headers.get(USER_AGENT).map(|it| text(it.as_bytes()));
        Self {
            method: request.method().clone(),
            host: text(host.unwrap_or_default()),
            path: text(uri.path().as_bytes()),
            version: request.version(),
            user_agent,
            client: Cell::new(client),
            user: Cell::new(None),
            workspace: RefCell::new(None),
        }
    }

    pub(super) fn write(&self, context: &RequestContext, status: StatusCode, bytes: u64) {
        let (id, trace) = (context.id(), context.trace_id());
        let workspace = self.workspace.borrow();
        let line = Line {
            ts: Timestamp::now(),
            target: "access",
            request_id: id.as_ref().map(super::Id::as_str),
            trace_id: trace.as_ref().map(super::Id::as_str),
            method: self.method.as_str(),
            host: &self.host,
            path: &self.path,
            protocol: protocol(self.version),
            status: status.as_u16(),
            bytes,
            duration: context.elapsed().as_secs_f64(),
            upstream_duration: context.upstream().map(|took| took.as_secs_f64()),
            role: context.role().map_or("gateway", Role::as_str),
            workspace: workspace.as_deref(),
            user_id: self.user.get(),
            client: self.client.get(),
            user_agent: self.user_agent.as_deref(),
        };
        if let Ok(mut line) = serde_json::to_vec(&line) {
            line.push(b'\n');
            // Nobody could be told that nobody reads it.
            let _ = std::io::stderr().lock().write_all(&line);
        }
    }
}

/// At most the first bytes, as text.
fn text(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into()
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}
