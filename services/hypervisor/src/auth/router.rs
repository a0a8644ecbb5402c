//! The paths under `/auth`, and the guard before every one of them.

use super::{Auth, AuthError, Client, account, login, passkeys, recovery, register};
use crate::peer::Peer;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use http::{HeaderValue, header};
use std::future::{Ready, ready};
use std::sync::Arc;

/// The largest credential is a few kilobytes.
const MOST_BYTES: usize = 64 * 1024;

impl Auth {
    /// Everything under `/auth` that is JSON. Requests have passed [`check_origin`], and have a
    /// [`Peer`] for an extension, and their session, if there is one.
    ///
    /// [`check_origin`]: super::check_origin
    pub fn router(self: &Arc<Self>) -> Router {
        let router = Router::new()
            .route("/auth/register/start", post(register::start))
            .route("/auth/register/finish", post(register::finish))
            .route("/auth/invite", post(register::invite))
            .route("/auth/login/start", post(login::start))
            .route("/auth/login/finish", post(login::finish))
            .route("/auth/logout", post(account::log_out))
            .route("/auth/recovery", post(recovery::recover))
            .route("/auth/recovery/codes", post(by_act("renew_recovery_codes")))
            .route("/auth/me", get(account::me))
            .route("/auth/passkeys", get(passkeys::list))
            .route("/auth/passkeys/finish", post(passkeys::finish))
            .route(
                "/auth/passkeys/{id}",
                patch(by_act("rename_passkey")).delete(by_act("remove_passkey")),
            )
            .route("/auth/sessions", get(account::sessions))
            .route(
                "/auth/sessions/{id}",
                axum::routing::delete(account::revoke),
            )
            .route("/auth/notices/seen", post(account::see_notices))
            .route("/auth/audit", get(account::audit))
            .route("/auth/invites", post(by_act("invite")));
        self.guarded(router).with_state(Arc::clone(self))
    }

    /// The same guard before other paths under `/auth`.
    pub(crate) fn guarded<S>(self: &Arc<Self>, router: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        router
            .method_not_allowed_fallback(async || AuthError::MethodNotAllowed)
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .layer(from_fn_with_state(Arc::clone(self), guard))
    }
}

/// What was done at this path before it took a passkey for the very act.
fn by_act(act: &'static str) -> impl Fn(Client) -> Ready<Result<(), AuthError>> + Clone {
    move |client| {
        let asked = client.full();
        ready(asked.and(Err(AuthError::PasskeyRequired(act))))
    }
}

/// Turns away what comes too often; nothing here is for caches.
async fn guard(State(auth): State<Arc<Auth>>, request: Request, next: Next) -> Response {
    let mut response = match admit(&auth, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether this path is of a log-in, or of what stands in for one.
fn logs_in(path: &str) -> bool {
    path.starts_with("/auth/login/") || path == "/auth/recovery"
}

/// Reading one's own account is not limited: it takes a session, or tells nothing.
fn admit(auth: &Auth, request: &Request) -> Result<(), crate::error::HttpError> {
    if request.method().is_safe() {
        return Ok(());
    }
    let peer = request.extensions().get::<Peer>();
    let peer = peer.ok_or(AuthError::NoPeer)?;
    let admitted = auth.limits.address(peer.client);
    if logs_in(request.uri().path()) {
        return Ok(auth.login_failures.counted(admitted)?);
    }
    Ok(admitted?)
}
