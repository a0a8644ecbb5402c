//! What a sandbox says before its response (RFC 9110, section 15.2).

use super::expect::Expectation;
use super::{hop, prefix, shared_origin};
use crate::downstream::Downstream;
use http::header::{CONTENT_LENGTH, HeaderMap, SET_COOKIE};
use http::{Request, StatusCode};
use std::sync::Arc;

/// Has the client told what the sandbox says before its response to `request`, and the body flow
/// once the sandbox says to continue.
pub(super) fn pass_on<B>(
    request: &mut Request<B>,
    downstream: &Downstream,
    expectation: Option<&Expectation>,
    site: Option<&Arc<prefix::Site>>,
) {
    if !downstream.knows_interim() && expectation.is_none() {
        return;
    }
    let (downstream, expectation) = (downstream.clone(), expectation.cloned());
    let site = site.cloned();
    hyper::ext::on_informational(request, move |interim| {
        if interim.status() != StatusCode::CONTINUE {
            let mut headers = interim.headers().clone();
            strip(&mut headers);
            if let Some(site) = &site {
                prefix::leave(&mut headers, site);
            }
            downstream.interim(interim.status(), &headers);
        } else if let Some(expectation) = &expectation {
            expectation.go_on();
        }
    });
}

/// Takes off what a response may not say either; and cookies, which belong to the response.
fn strip(headers: &mut HeaderMap) {
    hop::strip(headers, |name| {
        shared_origin::acts_beyond(name) || [CONTENT_LENGTH, SET_COOKIE].contains(name)
    });
}
