//! What is answered to a request that goes no further than this.

use super::paths::{self, Paths};
use crate::Body;
use crate::auth::AuthError;
use crate::error::HttpError;
use crate::http1::Refusal;
use crate::notice::Notice;
use crate::proxy::{self, Failure, Proxy, Reason};
use crate::request_context::RequestContext;
use crate::routes::ClaimError;
use crate::runtime::RuntimeError;
use axum::response::IntoResponse;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;

/// After how many seconds a sandbox that is not to be had is worth another request.
const RETRY_SECS: u64 = 5;

/// The path and the query.
pub(super) fn target<B>(request: &Request<B>) -> &str {
    let target = request.uri().path_and_query();
    target.map_or("/", PathAndQuery::as_str)
}

/// As it stands in a query.
pub(super) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// An error as a page for a person, with links to where they may go on, and as JSON for a program.
pub(super) fn refusal<B>(
    request: &Request<B>,
    title: &str,
    error: HttpError,
    links: &[(&str, &str)],
) -> Response<Body> {
    let is_page = proxy::is_navigation(request.method(), request.headers());
    refusal_to(is_page, title, error, links)
}

/// The same to a request that is a person's if `is_page`.
pub(super) fn refusal_to(
    is_page: bool,
    title: &str,
    error: HttpError,
    links: &[(&str, &str)],
) -> Response<Body> {
    if !is_page {
        return error.into_response();
    }
    let mut sentence = error.message;
    if let Some(first) = sentence.get(..1) {
        sentence = first.to_uppercase() + sentence[1..].trim_end_matches(['.', '\n']) + ".";
    }
    let notice = Notice {
        status: error.status,
        title,
        sentence: &sentence,
        links,
    };
    notice.response()
}

/// At the gateway's host, and below `/.choiros/`, there are no other pages than its own.
pub(super) fn nothing_here(request: &Request<Incoming>, account: &str) -> Response<Body> {
    let error = HttpError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is nothing here; sandboxes have addresses of their own, which the account page has",
    );
    refusal(request, "Not found", error, &[(account, "Account")])
}

/// People are sent to log in, programs are told to.
pub(super) fn to_login(request: &Request<Incoming>, paths: &Paths) -> Response<Body> {
    if !proxy::is_navigation(request.method(), request.headers()) {
        return AuthError::Unauthenticated.into_response();
    }
    let login = paths.of("/login");
    see_other(&format!("{login}?next={}", encoded(target(request))))
}

/// Why there is no sandbox to ask, as a page or as JSON; `to_member` of its workspace it says more.
pub(super) fn unclaimed(
    proxy: &Proxy,
    request: &Request<Incoming>,
    error: ClaimError,
    to_member: bool,
    context: &RequestContext,
) -> Response<Body> {
    let failure = match error {
        ClaimError::Sandbox { sandbox, cause } => unavailable(sandbox, &cause, to_member),
        ClaimError::Held { sandbox } => {
            let reason = Reason::Held;
            Failure { sandbox, reason }
        }
        ClaimError::Busy { sandbox, full } => {
            let reason = Reason::Busy(full);
            Failure { sandbox, reason }
        }
        error => return HttpError::from(error).into_response(),
    };
    proxy.failure_response(request.headers(), &failure, context)
}

fn unavailable(sandbox: String, cause: &RuntimeError, to_member: bool) -> Failure {
    let RuntimeError::StoppedByHand { by, at, .. } = cause else {
        return Failure::unavailable(sandbox, cause.to_string(), RETRY_SECS);
    };
    let at = at.to_string();
    let how = match (to_member, at.get(..10), at.get(11..16)) {
        (true, Some(day), Some(time)) => format!("by {by} on {day} at {time} UTC"),
        _ => "by hand".to_owned(),
    };
    let reason = Reason::StoppedByHand { how };
    Failure { sandbox, reason }
}

pub(super) fn to_recovery(request: &Request<Incoming>, paths: &Paths) -> Response<Body> {
    if proxy::is_navigation(request.method(), request.headers()) {
        return see_other(&paths.of("/recovery"));
    }
    AuthError::RecoverySession.into_response()
}

/// A request for `/dev` itself is sent below it, for a page's relative links to be there, too.
pub(super) fn to_dev<B>(request: &Request<B>) -> Option<Response<Body>> {
    let is_upgrade = request.headers().contains_key(header::UPGRADE);
    let folder = paths::dev_folder(request.uri()).filter(|_| !is_upgrade)?;
    let mut response = see_other(&folder);
    // With the method and the body that it has.
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    Some(response)
}

pub(super) fn see_other(location: &str) -> Response<Body> {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    // Percent-encoded by form_urlencoded, hence a header value.
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// After a malformed request its connection's bytes mean nothing, so it is closed; HTTP/2 has
/// streams for that.
pub(super) fn refused(refusal: Refusal, version: Version) -> Response<Body> {
    let mut response = refusal.into_response();
    if version != Version::HTTP_2 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// Two machines do not agree who has the workspace.
pub(super) fn misdirected() -> Response<Body> {
    let error = HttpError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "misdirected",
        "this machine is not the home of the workspace; try again in a moment",
    );
    error.into_response()
}
