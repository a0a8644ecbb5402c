//! The head of a sandbox's answer, as the client gets it.

use super::download::Download;
use super::exchange::Answer;
use super::{Proxy, Target, cookies, hop, link};
use crate::Body;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Response, Version};

impl Proxy {
    /// Passes an answer on; the claim goes with it.
    pub(super) fn pass_on(&self, answer: Answer, claim: impl Target) -> Response<Body> {
        let Answer {
            mut response,
            upgrade,
            expectation,
        } = answer;
        link::forget(response.extensions_mut());
        // A sandbox that speaks HTTP/1.0 is our affair, not the client's.
        *response.version_mut() = Version::HTTP_11;
        cookies::guard(response.headers_mut(), &self.own_cookies);
        if let Some(upgrade) = upgrade
            && response.status() == http::StatusCode::SWITCHING_PROTOCOLS
        {
            return upgrade.switch(response, claim);
        }
        hop::strip(response.headers_mut());
        let ends_at_cut = is_event_stream(response.headers());
        response.map(|body| {
            let download = Download::new(body, self.limits.body_idle, claim, expectation);
            Body::new(if ends_at_cut {
                download.until_cut()
            } else {
                download
            })
        })
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    headers.get(CONTENT_TYPE).is_some_and(|value| {
        let kind = value.as_bytes().split(|byte| *byte == b';').next();
        kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(EVENT_STREAM))
    })
}
