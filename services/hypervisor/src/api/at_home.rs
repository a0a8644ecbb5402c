//! An order of the operator is done by the machine that is the home of the workspace, whichever
//! machine it is given to.

use super::Api;
use crate::error::HttpError;
use crate::routes::Elsewhere;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use std::sync::Arc;

/// Says that an order comes from another machine, and goes no further.
pub(super) static FORWARDED: HeaderName = HeaderName::from_static("x-choiros-order-forwarded");

/// More than any order has.
const MOST: usize = 4 * 1024 * 1024;

pub(super) async fn at_home(State(api): State<Api>, request: Request, next: Next) -> Response {
    let Some(forwarding) = &api.forwarding else {
        return next.run(request).await;
    };
    if request.headers().contains_key(&FORWARDED) {
        return next.run(request).await;
    }
    let (mut head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST).await else {
        let said = "the order is too large";
        return HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", said).into_response();
    };
    let Some(workspace) = of_path(&api, head.uri.path()).or_else(|| of_body(&api, &body)) else {
        return next.run(Request::from_parts(head, body.into())).await;
    };
    head.headers
        .insert(&FORWARDED, HeaderValue::from_static("1"));
    head.headers.remove(header::TRANSFER_ENCODING);
    let order = Request::from_parts(head, Full::new(body));
    let home = &workspace.home;
    match forwarding.order(home, order).await {
        Ok(response) => response,
        Err(error) => {
            let said = format!(
                "the home of {} is the machine {home}, which does not answer ({error}); nothing is known to be done. See that it runs, and repeat it",
                workspace.name
            );
            HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "elsewhere", said).into_response()
        }
    }
}

fn of_path(api: &Api, path: &str) -> Option<Arc<Elsewhere>> {
    api.routes.elsewhere(named(path)?)
}

/// The workspace that the path of an order names. What stands before it is what is ordered, and a
/// workspace may be called like that.
fn named(path: &str) -> Option<&str> {
    path.split('/').nth(2)
}

fn of_body(api: &Api, body: &Bytes) -> Option<Arc<Elsewhere>> {
    let order: Value = serde_json::from_slice(body).ok()?;
    api.routes.elsewhere(order["workspace"].as_str()?)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn what_is_ordered_is_no_workspace() {
        assert_eq!(named("/audit"), None);
        assert_eq!(named("/sandboxes"), None);
        assert_eq!(named("/sandboxes/ada/live/log"), Some("ada"));
        assert_eq!(named("/workspaces/access"), Some("access"));
    }
}
