//! What the responses of several calls have in common: their cookies.

use super::ceremony::Ceremony;
use super::client::Client;
use super::{Auth, AuthError};
use axum::Json;
use axum::response::{AppendHeaders, IntoResponse, Response};
use http::{HeaderValue, header};
use serde_json::Value;

impl Auth {
    /// The answer to a ceremony's start: its options, and the cookie that may finish it.
    pub(super) fn began(
        &self,
        client: &Client,
        ceremony: Ceremony,
        options: Value,
    ) -> Result<Response, AuthError> {
        Ok(with_cookies([self.begin(client, ceremony)?], Json(options)))
    }

    /// Begins a ceremony: the cookie that may finish it.
    pub(super) fn begin(
        &self,
        client: &Client,
        ceremony: Ceremony,
    ) -> Result<HeaderValue, AuthError> {
        let token = self.ceremonies.begin(client.address, ceremony)?;
        let (name, lasts) = (&self.cookies.ceremony, self.ceremonies.lasts());
        Ok(self.cookies.set(name, &token, lasts))
    }

    /// The cookie that takes a ceremony's cookie away.
    pub(super) fn no_ceremony(&self) -> HeaderValue {
        self.cookies.clear(&self.cookies.ceremony)
    }

    /// The cookie that takes a session's cookie away.
    pub(super) fn no_session(&self) -> HeaderValue {
        self.cookies.clear(&self.cookies.session)
    }
}

pub(super) fn with_cookies<const N: usize>(
    cookies: [HeaderValue; N],
    response: impl IntoResponse,
) -> Response {
    let cookies = AppendHeaders(cookies.map(|cookie| (header::SET_COOKIE, cookie)));
    (cookies, response).into_response()
}
