//! `Expect: 100-continue`: the sandbox decides whether the body is sent at all.
//!
//! Our own server says `100 Continue` to the client when the body is first read. So the body is
//! held, unread, until the sandbox says so; if it answers at once instead, the body never flows.

use super::hop;
use super::upload::{DeferredBody, LimitedBody};
use http::Version;
use http::header::{EXPECT, HeaderMap, HeaderValue};
use http::request::Parts;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// HTTP/1.0 style sandboxes never say 100; after so long the body is sent regardless, as
/// RFC 9110, section 10.1.1, has it.
const CONTINUE_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asked,
    Continue,
    Answered,
}

/// Whether the client waits for `100 Continue`; takes the header off, for it counts only while
/// there is a body (RFC 9110, section 10.1.1).
pub(super) fn take(head: &mut Parts) -> bool {
    let asks =
        head.version > Version::HTTP_10 && hop::lists(&head.headers, &EXPECT, "100-continue");
    if asks || head.version == Version::HTTP_10 {
        head.headers.remove(EXPECT);
    }
    asks
}

/// What the sandbox said to a request that expects `100 Continue`. Lives as long as its response.
#[derive(Clone)]
pub(super) struct Expectation(Arc<watch::Sender<Stage>>);

impl Expectation {
    /// The body, held back until the sandbox says something.
    pub(super) fn hold(flow: LimitedBody) -> (Self, DeferredBody) {
        let (sender, mut stage) = watch::channel(Stage::Asked);
        let deferred = Box::pin(async move {
            let said = timeout(
                CONTINUE_TIMEOUT,
                stage.wait_for(|stage| *stage != Stage::Asked),
            );
            if !matches!(said.await, Ok(Ok(stage)) if *stage == Stage::Answered) {
                return Some(flow);
            }
            // Dropped now, so that the client hears that the connection closes; but the end of
            // the request would cut its response off, and has to wait until that is over.
            drop(flow);
            while stage.changed().await.is_ok() {}
            None
        });
        (Self(Arc::new(sender)), deferred)
    }

    /// Has `request` ask for it.
    pub(super) fn ask(headers: &mut HeaderMap) {
        headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
    }

    /// The sandbox says to continue.
    pub(super) fn go_on(&self) {
        self.0.send_replace(Stage::Continue);
    }

    /// The response came; a body that is still held is not wanted.
    pub(super) fn responded(&self) {
        self.0.send_if_modified(|stage| {
            let unheard = *stage == Stage::Asked;
            if unheard {
                *stage = Stage::Answered;
            }
            unheard
        });
    }
}
