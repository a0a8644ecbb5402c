//! Why a request is refused before any part of the program sees it.

use http::StatusCode;

/// The response to what is no request, or none that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// A stable word for programs.
    pub(crate) code: &'static str,
    /// A sentence for people, which names the remedy.
    pub(crate) message: &'static str,
}

impl Refusal {
    /// What breaks the rules of HTTP.
    pub(crate) const fn malformed(message: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "malformed_request",
            message,
        }
    }

    pub(crate) const TARGET_TOO_LONG: Self = Self {
        status: StatusCode::URI_TOO_LONG,
        code: "target_too_long",
        message: "the request target is too long; send what it holds in a body, or have the operator raise server.max_header_bytes",
    };

    pub(crate) const HEAD_TOO_LARGE: Self = Self {
        status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        code: "head_too_large",
        message: "the request's header fields are too large; remove cookies of this site, or have the operator raise server.max_header_bytes",
    };

    pub(crate) const TOO_MANY_FIELDS: Self = Self {
        status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        code: "too_many_fields",
        message: "a request has at most 100 header fields; send fewer",
    };

    pub(crate) const CONNECT: Self = Self {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "method_not_allowed",
        message: "CONNECT is for forward proxies, and this is none; use an ordinary method, or a WebSocket",
    };
}
