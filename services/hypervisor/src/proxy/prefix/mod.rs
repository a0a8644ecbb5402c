//! A sandbox that is found below a path of an origin that others are at, too.
//!
//! It is sent requests without the prefix, and named it by `X-Forwarded-Prefix`. Whether it heeds
//! that or not, what its responses say of its own addresses is mended on the way out, and what
//! `WebDAV` clients say of them on the way in. Bodies are not looked at.
//!
//! | field | what is mended |
//! | --- | --- |
//! | `Location`, `Content-Location`, `SourceMap`, `X-SourceMap` | the reference |
//! | `Refresh` | the reference behind `url=` |
//! | `Link` | each target |
//! | `Set-Cookie` | the `Path`; without one, browsers go by the address that they know, and are right |
//! | `Destination` (request) | the prefix is taken off; one that is not below it is another server's |
//! | `If` (request) | the prefix is taken off each resource that it names |
//!
//! `Referer` and `Origin` stay: they are the browser's words, and a sandbox that sends people back to
//! what `Referer` says sends them to an address that has the prefix already.

mod cookie;
mod reference;
mod spans;

use super::Caller;
use super::failure::Reason;
use bytes::Bytes;
use http::header::{
    CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION, REFRESH, SET_COOKIE,
};
use http::request::Parts;
pub(super) use reference::Site;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

static FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
static DESTINATION: HeaderName = HeaderName::from_static("destination");
static IF: HeaderName = HeaderName::from_static("if");
static SOURCE_MAP: [HeaderName; 2] = [
    HeaderName::from_static("sourcemap"),
    HeaderName::from_static("x-sourcemap"),
];

/// Where the sandbox that this request is for is found, if it is below a prefix.
pub(super) fn site(head: &Parts, caller: &Caller<'_>, address: SocketAddr) -> Option<Arc<Site>> {
    let site = Site::new(
        caller.prefix?,
        &head.headers,
        &head.uri,
        caller.origin,
        address,
    );
    site.map(Arc::new)
}

/// Tells the sandbox of the prefix, and takes it off what names its own resources.
///
/// # Errors
/// [`Reason::ForeignDestination`]: what is to be copied or moved would go to another server.
pub(super) fn enter(head: &mut Parts, site: &Site) -> Result<(), Reason> {
    let headers = &mut head.headers;
    let prefix = HeaderValue::from_static(site.prefix());
    headers.insert(&FORWARDED_PREFIX, prefix);
    if ["COPY", "MOVE"].contains(&head.method.as_str()) {
        let lines = headers.get_all(&DESTINATION);
        let is_ours = |line: &HeaderValue| site.remove(line.as_bytes()).is_some();
        if !lines.iter().all(is_ours) {
            return Err(Reason::ForeignDestination);
        }
        mend(headers, &DESTINATION, whole, |it| site.remove(it));
    }
    mend(headers, &IF, spans::bracketed, |it| site.remove(it));
    Ok(())
}

/// Puts the prefix before what a response says of its sandbox's addresses.
pub(super) fn leave(headers: &mut HeaderMap, site: &Site) {
    for name in [&LOCATION, &CONTENT_LOCATION]
        .into_iter()
        .chain(&SOURCE_MAP)
    {
        mend(headers, name, whole, |it| site.add(it));
    }
    mend(headers, &REFRESH, spans::refresh, |it| site.add(it));
    mend(headers, &LINK, spans::bracketed, |it| site.add(it));
    mend(headers, &SET_COOKIE, cookie::path, |it| site.below(it));
}

fn whole(value: &[u8]) -> Vec<Range<usize>> {
    std::iter::once(0..value.len()).collect()
}

/// Puts something else in the place of some parts of each line of a field; the rest stays byte
/// for byte.
fn mend(
    headers: &mut HeaderMap,
    name: &HeaderName,
    parts: fn(&[u8]) -> Vec<Range<usize>>,
    new: impl Fn(&[u8]) -> Option<Vec<u8>>,
) {
    let http::header::Entry::Occupied(mut lines) = headers.entry(name) else {
        return;
    };
    for line in lines.iter_mut() {
        let mut mended = line.as_bytes().to_vec();
        // From behind, for the places of the rest to stay.
        for part in parts(line.as_bytes()).into_iter().rev() {
            if let Some(new) = new(&mended[part.clone()]) {
                mended.splice(part, new);
            }
        }
        if mended != line.as_bytes()
            && let Ok(mended) = HeaderValue::from_maybe_shared(Bytes::from(mended))
        {
            *line = mended;
        }
    }
}
