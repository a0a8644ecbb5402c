//! How an error reads over HTTP: `{"error": code, "message": the remedy}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An error as a client sees it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// The status of the response.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: &'static str,
    /// A sentence for people, which names the remedy.
    pub message: String,
    /// For 429 and 503: seconds after which another try makes sense.
    pub retry_after: Option<u64>,
    /// What the operator is told in its place: what is wrong inside, which nobody else hears.
    for_operator: Option<Box<Self>>,
    /// For what came with a token: `WWW-Authenticate` (RFC 6750).
    challenge: Option<String>,
}

impl HttpError {
    /// An error with this status, code and sentence.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
            challenge: None,
            for_operator: None,
        }
    }

    /// The same, of which the operator is told this.
    #[must_use]
    pub fn but_to_operator(mut self, told: Self) -> Self {
        self.for_operator = Some(Box::new(told));
        self
    }

    /// The same, with a `Retry-After` of so many seconds.
    #[must_use]
    pub fn retry_after(mut self, secs: u64) -> Self {
        self.retry_after = Some(secs);
        self
    }

    /// The same, with this `WWW-Authenticate`.
    #[must_use]
    pub fn challenge(mut self, challenge: impl Into<String>) -> Self {
        self.challenge = Some(challenge.into());
        self
    }
}

/// What an unknown path of ours is answered.
pub async fn unknown_path() -> HttpError {
    HttpError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is nothing here; the paths are in docs/http.md",
    )
}

/// What a known path is answered that was called with another method.
pub async fn wrong_method() -> HttpError {
    HttpError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path does not take this method; docs/http.md has those that it takes",
    )
}

impl From<PathRejection> for HttpError {
    fn from(rejection: PathRejection) -> Self {
        let message = format!("the path does not fit: {}", rejection.body_text());
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }
}

impl From<QueryRejection> for HttpError {
    fn from(rejection: QueryRejection) -> Self {
        let message = format!("the query does not fit: {}", rejection.body_text());
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }
}

/// What a path has behind its `?`. What does not fit is told as every other error.
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        let Query(parameters) = Query::try_from_uri(&parts.uri)?;
        Ok(Self(parameters))
    }
}

/// A JSON body; an empty one is `{}`. What does not fit is told as every other error.
pub struct Payload<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Payload<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|refusal| {
                let message = format!("the body cannot be read: {}", refusal.body_text());
                HttpError::new(refusal.status(), "bad_request", message)
            })?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Payload).map_err(|error| {
            let message = format!("the body is not the JSON that this call takes: {error}");
            HttpError::new(StatusCode::BAD_REQUEST, "bad_request", message)
        })
    }
}

/// Why something was not done.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ErrorBody<'a> {
    /// A stable word for programs.
    error: &'a str,
    /// A sentence for people, which names the remedy.
    message: &'a str,
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = Json(ErrorBody {
            error: self.code,
            message: &self.message,
        });
        let mut response = (self.status, body).into_response();
        if let Some(told) = self.for_operator {
            response.extensions_mut().insert(ForOperator(*told));
        }
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(secs) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        let challenge = self.challenge.map(HeaderValue::try_from);
        if let Some(Ok(challenge)) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// What the operator is told in a response's place.
#[derive(Clone)]
struct ForOperator(HttpError);

/// A response as the operator gets it.
pub(crate) async fn for_operator(mut response: Response) -> Response {
    match response.extensions_mut().remove() {
        Some(ForOperator(told)) => told.into_response(),
        None => response,
    }
}
