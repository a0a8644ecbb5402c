//! Which documents may ask for a passkey where sandboxes share our origin: our pages alone.
//!
//! Anybody can begin a log-in, and have a script of a sandbox pass its challenge to the browser of
//! somebody else: what their passkey then says has our origin, and logs the attacker in. So every
//! other response at the origin denies its document the use of passkeys. What a sandbox says of
//! permissions itself is dropped, since a line that is none would take ours along.

use http::{HeaderMap, HeaderName, HeaderValue};

static PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Which our pages have, and nothing else here: it is taken off what sandboxes send.
static OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Denies the document of a response the use of passkeys, unless it is one of our pages.
pub(super) fn withhold(headers: &mut HeaderMap) {
    if !headers.contains_key(&OPENER) {
        let policy = "publickey-credentials-create=(), publickey-credentials-get=()";
        headers.insert(&PERMISSIONS, HeaderValue::from_static(policy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_pages_alone_may_ask_for_a_passkey() {
        let mut sandboxes = HeaderMap::new();
        sandboxes.append(&PERMISSIONS, HeaderValue::from_static("\"broken"));
        sandboxes.append(
            &PERMISSIONS,
            HeaderValue::from_static("publickey-credentials-get=*"),
        );
        withhold(&mut sandboxes);
        assert_eq!(sandboxes.get_all(&PERMISSIONS).iter().count(), 1);
        assert!(sandboxes[&PERMISSIONS].to_str().unwrap().contains("get=()"));
        let mut ours =
            HeaderMap::from_iter([(OPENER.clone(), HeaderValue::from_static("same-origin"))]);
        withhold(&mut ours);
        assert!(!ours.contains_key(&PERMISSIONS));
    }
}
