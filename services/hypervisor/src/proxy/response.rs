//! The head of a sandbox's response, as the client gets it.

use super::connections::Connections;
use super::download::{Download, Lent, ResponseBody};
use super::exchange::UpstreamResponse;
use super::in_flight::InFlight;
use super::{Caller, Proxy, RoutedClaim, cookies, hop, own_origin, prefix, validators};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LAST_MODIFIED};
use http::{Response, Version};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

impl Proxy {
    /// Passes a response on; the claim goes with it.
    pub(super) fn pass_on<C: RoutedClaim>(
        &self,
        connections: &Rc<Connections>,
        upstream: UpstreamResponse,
        caller: &Caller<'_>,
        claim: C,
        in_flight: InFlight,
    ) -> Response<ResponseBody<C>> {
        let UpstreamResponse {
            mut response,
            connection,
            upgrade,
            expectation,
            site,
        } = upstream;
        // A sandbox that speaks HTTP/1.0 is our affair, not the client's.
        *response.version_mut() = Version::HTTP_11;
        let headers = response.headers_mut();
        cookies::guard(headers);
        if let Some(host) = caller.own_host {
            own_origin::narrow(headers, host);
        }
        if let Some(site) = site {
            prefix::leave(headers, &site);
        }
        if let Some(upgrade) = upgrade
            && response.status() == http::StatusCode::SWITCHING_PROTOCOLS
        {
            let has_own_host = caller.own_host.is_some();
            return upgrade.switch(connections, response, has_own_host, claim, in_flight);
        }
        let headers = response.headers_mut();
        hop::strip(headers, own_origin::beyond(caller.own_host.is_some()));
        say_length_once(headers);
        forget_the_beginning_of_time(headers);
        validators::mark(headers, claim.validator_mark());
        let content_type = response.headers().get(CONTENT_TYPE);
        let is_event_stream =
            content_type.is_some_and(|value| names_event_stream(value.as_bytes()));
        response.map(|body| {
            let idle = self.limits.body_idle;
            let lent = Lent::new(connections, claim.route_id(), connection);
            let download = Download::new(body, idle, lent, claim, in_flight, expectation);
            ResponseBody::Right(if is_event_stream {
                caller.context.set_no_end();
                download.of_events(caller.context.downstream.clone())
            } else {
                download
            })
        })
    }
}

/// A length may be said twice in one breath, but is passed on once (RFC 9110, section 8.6).
fn say_length_once(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = lines.next() else { return };
    if lines.next().is_none() && !first.as_bytes().contains(&b',') {
        return;
    }
    let length = hop::members(first.as_bytes()).next();
    if let Some(Ok(length)) = length.map(HeaderValue::from_bytes) {
        headers.insert(CONTENT_LENGTH, length);
    }
}

/// Files of a Nix store are all of the first second of 1970, of whichever build they are: a date
/// that tells none from another, and has browsers keep what was replaced.
fn forget_the_beginning_of_time(headers: &mut HeaderMap) {
    let Some(date) = headers.get(LAST_MODIFIED) else {
        return;
    };
    let date = date.to_str().ok().map(httpdate::parse_http_date);
    if let Some(Ok(date)) = date
        && date <= UNIX_EPOCH + Duration::from_secs(1)
    {
        headers.remove(LAST_MODIFIED);
    }
}

/// Whether this value of `Content-Type` is of a stream that may end at any event.
fn names_event_stream(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next();
    kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"text/event-stream"))
}
