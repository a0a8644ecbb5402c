//! The head of a sandbox's response, as the client gets it.

use super::connections::Connections;
use super::download::{Download, Lent, ResponseBody};
use super::exchange::UpstreamResponse;
use super::{Proxy, RoutedClaim, hop, shared_origin};
use http::header::CONTENT_TYPE;
use http::{Response, Version};
use std::rc::Rc;

impl Proxy {
    /// Passes a response on; the claim goes with it.
    pub(super) fn pass_on<C: RoutedClaim>(
        &self,
        connections: &Rc<Connections>,
        upstream: UpstreamResponse,
        claim: C,
    ) -> Response<ResponseBody<C>> {
        let UpstreamResponse {
            mut response,
            connection,
            upgrade,
            expectation,
        } = upstream;
        // A sandbox that speaks HTTP/1.0 is our affair, not the client's.
        *response.version_mut() = Version::HTTP_11;
        shared_origin::guard(response.headers_mut(), &self.own_cookies);
        if let Some(upgrade) = upgrade
            && response.status() == http::StatusCode::SWITCHING_PROTOCOLS
        {
            return upgrade.switch(connections, response, claim);
        }
        hop::strip(response.headers_mut());
        let content_type = response.headers().get(CONTENT_TYPE);
        let ends_at_cut = content_type.is_some_and(|value| is_event_stream(value.as_bytes()));
        response.map(|body| {
            let idle = self.limits.body_idle;
            let lent = Lent::new(connections, claim.route_id(), connection);
            let download = Download::new(body, idle, lent, claim, expectation);
            ResponseBody::Sandbox(if ends_at_cut {
                download.until_cut()
            } else {
                download
            })
        })
    }
}

/// Whether this value of `Content-Type` is of a stream that may end at any event.
pub(super) fn is_event_stream(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next();
    kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"text/event-stream"))
}
