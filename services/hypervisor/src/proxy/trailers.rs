//! What may stand in trailers: what may stand in a head, less what frames a message or is read
//! with it.

use super::{forwarded, hop, shared_origin};
use http::header::{
    CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderName, SET_COOKIE, TRAILER, TRANSFER_ENCODING,
};

/// Of no use behind a body, whoever sends them.
const NEVER: [HeaderName; 6] = [
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    TRAILER,
    HOST,
    COOKIE,
    SET_COOKIE,
];

/// Takes off what a sandbox must not get. A trusted proxy says what it says in the head.
pub(super) fn strip_request(trailers: &mut HeaderMap) {
    strip(trailers);
    forwarded::distrust(trailers, false);
}

/// Takes off what a client must not get.
pub(super) fn strip_response(trailers: &mut HeaderMap) {
    strip(trailers);
    shared_origin::guard_fields(trailers);
}

fn strip(trailers: &mut HeaderMap) {
    hop::strip(trailers);
    for name in NEVER {
        trailers.remove(name);
    }
}
