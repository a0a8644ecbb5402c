//! Where errors become HTTP: `{"error": code, "message": the mend}`.

use crate::log::LogError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl HttpError {
    /// An error with this status, this word for programs and this sentence for people.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }
}

impl From<LogError> for HttpError {
    fn from(error: LogError) -> Self {
        let code = match error {
            LogError::Closed => "stopping",
            LogError::Open { .. } | LogError::Write(_) | LogError::Read(_) => "log_unavailable",
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    message: &'a str,
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = Json(Body {
            error: self.code,
            message: &self.message,
        });
        let fresh = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        (self.status, [fresh], body).into_response()
    }
}
