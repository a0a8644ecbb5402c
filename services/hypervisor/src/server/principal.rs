//! Who asks, at any host.

use super::dispatch::Dispatch;
use crate::auth::{ApiToken, AuthError, Bearer, Principal};
use http::Request;
use hyper::body::Incoming;
use std::sync::Arc;

impl Dispatch {
    /// Who asks at the gateway's host: by the token that came along, which alone counts then, or
    /// else by their session.
    pub(super) async fn principal(
        &self,
        request: &Request<Incoming>,
        bearer: Option<&Bearer>,
    ) -> Result<Option<Principal>, AuthError> {
        if let Some(bearer) = bearer {
            return Ok(Some(Principal::Token(self.token(bearer).await?)));
        }
        let (auth, headers) = (&self.gateway.auth, request.headers());
        let session = match auth.session(headers) {
            Some(session) => Some(session),
            None => Box::pin(self.outliving(auth.fetch_session(headers))).await?,
        };
        Ok(session.map(Principal::Person))
    }

    /// The token that came along.
    pub(super) async fn token(&self, bearer: &Bearer) -> Result<Arc<ApiToken>, AuthError> {
        let auth = &self.gateway.auth;
        match auth.token(bearer) {
            Some(token) => Ok(token),
            None => Box::pin(self.outliving(auth.fetch_token(bearer))).await,
        }
    }
}
