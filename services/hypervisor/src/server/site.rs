//! Which host a request is for.

use crate::routes::{Host, Routes};
use http::{HeaderMap, Request, Uri, header};

/// Whose the host of this request is.
pub(super) fn of<B>(request: &Request<B>, routes: &Routes) -> Host {
    routes.host(name(request.uri(), request.headers()).unwrap_or_default())
}

/// The name of the host that a request is for; of an address in brackets, what is no name.
pub(super) fn name<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    if let Some(host) = uri.host() {
        return Some(host);
    }
    headers.get(header::HOST)?.to_str().ok()?.split(':').next()
}
