//! The page on which a person sees what is about to happen, and confirms it.

use super::super::Api;
use super::Act;
use super::own::OwnAct;
use crate::auth::{AuthError, Client};
use crate::config::Origins;
use crate::error::HttpError;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

/// Without a session, or where the act waits no longer, the page says so.
pub(super) async fn page(
    State(api): State<Api>,
    client: Client,
    headers: HeaderMap,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Response, HttpError> {
    if !is_top_level_navigation(&headers) {
        return Err(HttpError::new(
            StatusCode::FORBIDDEN,
            "navigation_only",
            "this page is opened by a browser in a tab of its own, and read by no script; go there by a link",
        ));
    }
    let (status, data, cookie) = match contents(&api, client, id.ok()).await {
        Ok((data, cookie)) => (StatusCode::OK, data, cookie),
        Err(error) => {
            let error = HttpError::from(error);
            (error.status, json!({ "error": error.message }), None)
        }
    };
    let mut response = api.shell.act(&data)?;
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Some(cookie) = cookie {
        headers.append(header::SET_COOKIE, cookie);
    }
    if api.config.origins == Origins::Shared {
        // Not `same-origin`: a sandbox's page may say that as well, and would then keep a handle on
        // the window that it opened this page in.
        let name = HeaderName::from_static("cross-origin-opener-policy");
        let policy = HeaderValue::from_static("noopener-allow-popups");
        headers.insert(name, policy);
    }
    Ok(response)
}

/// What the page's script is told, and the cookie that goes with it.
async fn contents(
    api: &Api,
    client: Client,
    id: Option<Path<Uuid>>,
) -> Result<(Value, Option<HeaderValue>), AuthError> {
    let session = client.any()?;
    let shown = id.and_then(|Path(id)| Some((id, api.acts.shown(session.id, id)?)));
    let (id, shown) = shown.ok_or(AuthError::CeremonyInvalid)?;
    let mut data = json!({
        "id": id,
        "act": shown.act.name(),
        "summary": shown.summary,
        "username": session.user.username,
        "expires_in_secs": shown.left.as_secs(),
    });
    if let Some(options) = shown.options {
        data["publicKey"] = options;
        return Ok((data, None));
    }
    let (options, cookie) = create(api, client, shown.act).await?;
    data["create"] = options["publicKey"].clone();
    Ok((data, Some(cookie)))
}

/// Who came with a recovery code makes a passkey at once.
async fn create(api: &Api, client: Client, act: Act) -> Result<(Value, HeaderValue), AuthError> {
    let Some(OwnAct::AddPasskey { name }) = act.own() else {
        return Err(AuthError::CeremonyInvalid);
    };
    api.auth.begin_recovery_passkey(client, name).await
}

/// Whether a person's browser opens this in a tab, from our own origin or from none: no script
/// asks for it, no frame, no service worker and nothing ahead of time. What sends none of these
/// headers is no browser that we know, and has nothing to do here.
fn is_top_level_navigation(headers: &HeaderMap) -> bool {
    let is = |name: &str, any_of: &[&str]| {
        let mut values = headers.get_all(name).into_iter();
        let first = values.next().and_then(|value| value.to_str().ok());
        values.next().is_none() && first.is_some_and(|value| any_of.contains(&value))
    };
    let early = [
        "sec-purpose",
        "purpose",
        "x-moz",
        "service-worker-navigation-preload",
    ];
    is("sec-fetch-mode", &["navigate"])
        && is("sec-fetch-dest", &["document"])
        && is("sec-fetch-site", &["same-origin", "none"])
        && early.iter().all(|name| !headers.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tabs_own_navigation_opens_the_page() {
        let navigation = [
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-site", "same-origin"),
        ];
        let opens = |with: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in navigation.iter().chain(with) {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            is_top_level_navigation(&headers)
        };
        assert!(opens(&[]) && opens(&[("sec-fetch-site", "none"), ("sec-fetch-user", "?1")]));
        for other in [
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-mode", "same-origin"),
            ("sec-fetch-dest", "empty"),
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-dest", "embed"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "cross-site"),
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("service-worker-navigation-preload", "true"),
        ] {
            assert!(!opens(&[other]), "{other:?}");
        }
        assert!(!is_top_level_navigation(&HeaderMap::new()));
        for (left_out, _) in navigation {
            let mut headers = HeaderMap::new();
            for (name, value) in navigation.into_iter().filter(|(name, _)| *name != left_out) {
                headers.insert(name, HeaderValue::from_static(value));
            }
            assert!(!is_top_level_navigation(&headers), "without {left_out}");
        }
    }
}
