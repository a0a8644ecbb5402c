//! What the proxy answers in a sandbox's stead: which sandbox, why, and what to do.

use super::page;
use crate::Body;
use crate::concurrency_limit::Full;
use crate::request_context::{Id, RequestContext};
use crate::role::Role;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// A request that got no response from its sandbox.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The sandbox.
    pub sandbox: String,
    /// What went wrong.
    pub reason: Reason,
}

/// Why there is no response from the sandbox. Each sentence stands after its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No connection, or none that lasted until a response.
    #[error("gave no answer: {0}")]
    BadGateway(String),
    /// It is not running: stopped, failed, or not to be had.
    #[error("is not available: {cause}")]
    Unavailable {
        /// What its runtime says, such as the last lines of its standard error.
        cause: String,
        /// Seconds after which another try makes sense.
        retry_after: u64,
    },
    /// A person stopped it: no request starts it.
    #[error("was stopped {how}, and stays so until somebody starts it")]
    StoppedByHand {
        /// By whom and when, or only that, for those whom it is no business of.
        how: String,
    },
    /// It is being changed.
    #[error("is being changed, which takes longer than a request may wait")]
    Held,
    /// There are as many requests as there may be.
    #[error("was not asked: {0}")]
    Busy(Full),
    /// It did not begin its answer in time, or did not take the request.
    #[error("did not answer in time: {0}")]
    Timeout(String),
    /// The request's body has more bytes than allowed.
    #[error("was not sent the request, whose body has more than {0} bytes")]
    BodyTooLarge(u64),
    /// The request's body stopped coming.
    #[error("did not get the whole request: nothing came for {0} seconds")]
    BodyStalled(u64),
    /// The request's body is not framed as HTTP says, or its sender went away.
    #[error("did not get the whole request: its body is broken")]
    BodyBroken,
    /// A page of another origin wants to open a WebSocket.
    #[error("may not be connected to from another origin")]
    ForeignOrigin,
    /// A `WebDAV` client would copy or move to what is not this sandbox's.
    #[error("was not asked: what is to be copied or moved would go to another server")]
    ForeignDestination,
    /// What let the request in is over.
    #[error("is not open to you any longer: the session has ended")]
    LoggedOut,
    /// A method that only forward proxies know.
    #[error("cannot be the target of CONNECT")]
    Connect,
}

impl Reason {
    /// Status, code for programs, and the mend.
    fn verdict(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadGateway(_) => (
                StatusCode::BAD_GATEWAY,
                "bad_gateway",
                "Try again in a moment. If it stays so, start the sandbox again from your account page.",
            ),
            Self::Unavailable { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "sandbox_unavailable",
                "Try again in a moment. If it stays so, mend what it says here and start it from your account page.",
            ),
            Self::StoppedByHand { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "stopped_by_hand",
                "Start it on your account page, or have its owner do so; no open page starts it.",
            ),
            Self::Held => (
                StatusCode::SERVICE_UNAVAILABLE,
                "sandbox_held",
                "Try again in a moment. The history on your account page says what is being changed.",
            ),
            Self::Busy(full) => (StatusCode::SERVICE_UNAVAILABLE, full.code(), full.remedy()),
            Self::Timeout(_) => (
                StatusCode::GATEWAY_TIMEOUT,
                "gateway_timeout",
                "Try again. If it stays so, the sandbox is busy or hangs; start it again from your account page.",
            ),
            Self::BodyTooLarge(_) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "Send less at once, or have the operator raise proxy.max_body_bytes.",
            ),
            Self::BodyStalled(_) => (
                StatusCode::REQUEST_TIMEOUT,
                "body_timeout",
                "Send the request again over a better connection.",
            ),
            Self::BodyBroken => (
                StatusCode::BAD_REQUEST,
                "bad_body",
                "Send the request again, with a body framed as RFC 9112 says.",
            ),
            Self::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "foreign_origin",
                "Connect from a page of this server's own origin.",
            ),
            Self::ForeignDestination => (
                StatusCode::BAD_GATEWAY,
                "foreign_destination",
                "Name a Destination below the path of this very sandbox.",
            ),
            Self::LoggedOut => (StatusCode::UNAUTHORIZED, "unauthenticated", "Log in again."),
            Self::Connect => (
                StatusCode::NOT_IMPLEMENTED,
                "connect_unsupported",
                "Use an ordinary method, or a WebSocket.",
            ),
        }
    }

    /// What stands above it all on a page.
    fn heading(&self, status: StatusCode) -> &'static str {
        match self {
            Self::StoppedByHand { .. } => "Stopped",
            Self::Held => "One moment",
            _ => status.canonical_reason().unwrap_or("No answer"),
        }
    }

    /// What stands after the sandbox's name, with one full stop.
    pub(super) fn sentence(&self) -> String {
        format!("{}.", self.to_string().trim_end_matches(['.', '\n', ' ']))
    }

    /// Seconds after which another try makes sense.
    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Unavailable { retry_after, .. } => Some(*retry_after),
            Self::StoppedByHand { .. } => Some(30),
            Self::Held => Some(5),
            Self::Busy(_) => Some(1),
            _ => None,
        }
    }

    /// Whether the rest of the request is of no use, and so the client's connection neither.
    fn is_final(&self) -> bool {
        matches!(
            self,
            Self::BodyTooLarge(_) | Self::BodyStalled(_) | Self::BodyBroken | Self::LoggedOut
        )
    }

    /// The same where what a sandbox printed has lines of its own, which a sentence would run
    /// together.
    fn on_a_page(&self) -> (String, Option<&str>) {
        match self {
            Self::Unavailable { cause, .. } if cause.trim().contains('\n') => {
                ("is not available:".to_owned(), Some(cause.trim()))
            }
            _ => (self.sentence(), None),
        }
    }
}

impl Failure {
    /// A sandbox that is not running, and why: `cause` may have several lines.
    pub fn unavailable(
        sandbox: impl Into<String>,
        cause: impl Into<String>,
        retry_after: u64,
    ) -> Self {
        Self {
            sandbox: sandbox.into(),
            reason: Reason::Unavailable {
                cause: cause.into(),
                retry_after,
            },
        }
    }

    /// What is ours or the sandbox's is for the operator; what is the client's is not.
    pub(super) fn log(&self, role: Role, context: &RequestContext) {
        let Self { sandbox, reason } = self;
        let (id, trace) = (context.id(), context.trace_id());
        let request_id = id.as_ref().map(Id::as_str);
        let trace_id = trace.as_ref().map(Id::as_str);
        if reason.verdict().0.is_server_error() {
            tracing::warn!(sandbox, %role, %reason, request_id, trace_id, "request failed");
        } else {
            tracing::debug!(sandbox, %role, %reason, request_id, trace_id, "request refused");
        }
    }

    /// The page or the JSON, with the headers that belong to it.
    pub(super) fn respond(
        &self,
        as_page: bool,
        account: &str,
        context: &RequestContext,
    ) -> Response<Body> {
        let (status, code, remedy) = self.reason.verdict();
        let id = context.id();
        let request_id = id.as_ref().map(Id::as_str);
        let mut response = if as_page {
            let (why, printed) = self.reason.on_a_page();
            let heading = self.reason.heading(status);
            let page = page::Page {
                heading,
                sandbox: &self.sandbox,
                why: &why,
                printed,
                remedy,
                account,
                request_id,
            };
            page.response(status)
        } else {
            let why = self.reason.sentence();
            let message = format!("Sandbox `{}` {why} {remedy}", self.sandbox);
            let body = json!({"error": code, "message": message, "sandbox": self.sandbox, "request_id": request_id});
            as_json(status, &body)
        };
        let headers = response.headers_mut();
        if let Some(retry_after) = self.reason.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after));
        }
        if self.reason.is_final() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

fn as_json(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stopped_it_and_how_to_go_on_is_said() {
        let how = "by ada@example.org on 2026-11-27 at 00:20 UTC".to_owned();
        let reason = Reason::StoppedByHand { how };
        let (status, code, remedy) = reason.verdict();
        assert_eq!((status.as_u16(), code), (503, "stopped_by_hand"));
        assert!(
            reason
                .sentence()
                .starts_with("was stopped by ada@example.org on")
        );
        assert!(remedy.contains("account page"), "{remedy}");
        assert_eq!(reason.heading(status), "Stopped");
        assert!(reason.retry_after().is_some());
    }

    #[test]
    fn what_a_sandbox_printed_keeps_its_lines_on_a_page() {
        let told = |cause: &str| {
            let cause = cause.to_owned();
            let failure = Failure::unavailable("one", cause, 5);
            let (why, printed) = failure.reason.on_a_page();
            (why, printed.map(str::to_owned))
        };
        let (why, printed) = told("it crashed 5 times:\nno room\n");
        assert_eq!(why, "is not available:");
        assert_eq!(printed.as_deref(), Some("it crashed 5 times:\nno room"));
        let (why, printed) = told("it was stopped\n");
        assert!(why.contains("it was stopped"), "{why}");
        assert_eq!(printed, None);
    }
}
