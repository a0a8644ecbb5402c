//! What may stand in trailers: what may stand in a head, less what frames a message or is read
//! with it.

use super::{forwarded, hop, shared_origin};
use http::header::{HeaderMap, HeaderName};

/// Whether it is of no use behind a body, whoever sends it.
fn belongs_into_a_head(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "content-length" | "trailer" | "host" | "authorization" | "cookie" | "set-cookie"
    )
}

/// Takes off what a sandbox must not get. A trusted proxy says what it says in the head.
pub(super) fn strip_request(trailers: &mut HeaderMap) {
    hop::strip(trailers, |name| {
        belongs_into_a_head(name) || forwarded::is_spoofable(name, false)
    });
}

/// Takes off what a client must not get.
pub(super) fn strip_response(trailers: &mut HeaderMap) {
    hop::strip(trailers, |name| {
        belongs_into_a_head(name) || shared_origin::acts_beyond(name)
    });
}
