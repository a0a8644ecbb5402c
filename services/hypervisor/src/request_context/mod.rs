//! What becomes known of a request beside its head, from its first moment to its last byte.

mod access;
mod id;

pub use access::AccessEntry;
pub use id::Id;

use crate::downstream::Downstream;
use crate::role::Role;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, StatusCode};
use id::Ids;
use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Names a request in our response, to the sandbox and in the log. What a client sends by this
/// name is replaced: it would tell nothing that we know.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What becomes known of a request. It belongs to one worker.
#[derive(Debug)]
pub struct RequestContext {
    /// The connection that it came by.
    pub downstream: Downstream,
    ids: Option<Ids>,
    started: Instant,
    role: Cell<Option<Role>>,
    trace: Cell<Option<Id>>,
    upstream: Cell<Option<Duration>>,
    has_no_end: Cell<bool>,
    /// Where each request is a line of the access log.
    access: Option<Box<AccessEntry>>,
}

impl Default for RequestContext {
    fn default() -> Self {
        Self::new(Downstream::default())
    }
}

impl RequestContext {
    /// Of a request that has just come in.
    pub fn new(downstream: Downstream) -> Self {
        Self {
            downstream,
            ids: Ids::random(),
            started: Instant::now(),
            role: Cell::new(None),
            trace: Cell::new(None),
            upstream: Cell::new(None),
            has_no_end: Cell::new(false),
            access: None,
        }
    }

    /// Of one that the access log tells of, from the client with this address.
    #[must_use]
    pub fn logged<B>(mut self, request: &Request<B>, client: Option<IpAddr>) -> Self {
        self.access = Some(Box::new(AccessEntry::new(request, client)));
        self
    }

    /// Its id.
    pub fn id(&self) -> Option<Id> {
        Some(self.ids?.request)
    }

    /// Our part in its trace, in digits.
    pub(crate) fn span(&self) -> Option<[u8; 16]> {
        Some(self.ids?.span)
    }

    /// The trace that it belongs to: that which the client began, or one of its own.
    pub fn trace_id(&self) -> Option<Id> {
        self.trace.get().or_else(|| self.id())
    }

    /// Says that the client has begun a trace.
    pub fn set_trace(&self, trace: Id) {
        self.trace.set(Some(trace));
    }

    /// Puts its id among the fields of a message.
    pub fn put_id(&self, headers: &mut HeaderMap) {
        if let Some(id) = self.id()
            && let Ok(value) = HeaderValue::from_bytes(id.as_bytes())
        {
            headers.insert(REQUEST_ID.clone(), value);
        }
    }

    /// Whether it is for a sandbox, and which role that has.
    pub fn role(&self) -> Option<Role> {
        self.role.get()
    }

    /// Says that it is for the sandbox of this role.
    pub fn set_role(&self, role: Role) {
        self.role.set(Some(role));
    }

    /// How long the sandbox took to respond, if it did.
    pub fn upstream(&self) -> Option<Duration> {
        self.upstream.get()
    }

    /// Says how long the sandbox took to respond.
    pub fn set_upstream(&self, took: Duration) {
        self.upstream.set(Some(took));
    }

    /// Whether its response lasts for as long as somebody listens, so that its duration tells
    /// nothing.
    pub fn has_no_end(&self) -> bool {
        self.has_no_end.get()
    }

    /// Says that it does.
    pub fn set_no_end(&self) {
        self.has_no_end.set(true);
    }

    /// How long it has been under way.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Says who its client is.
    pub fn set_client(&self, client: IpAddr) {
        if let Some(access) = &self.access {
            access.client.set(Some(client));
        }
    }

    /// Says who sends it.
    pub fn set_user(&self, user: Uuid) {
        if let Some(access) = &self.access {
            access.user.set(Some(user));
        }
    }

    /// Says which workspace it is for.
    pub fn set_workspace(&self, workspace: &Arc<str>) {
        if let Some(access) = &self.access {
            *access.workspace.borrow_mut() = Some(workspace.clone());
        }
    }

    /// Whether the access log tells of it.
    pub fn is_logged(&self) -> bool {
        self.access.is_some()
    }

    /// Writes it to the access log, if there is one: it is over, with this status and so many
    /// bytes of a response.
    pub fn log(&self, status: StatusCode, bytes: u64) {
        if let Some(access) = &self.access {
            access.write(self, status, bytes);
        }
    }
}
