//! Fields of a response that act beyond it: on every page of the origin, ours among them, or on a
//! server in front of us. A sandbox does not send them.
//!
//! | field | what a sandbox would do with it |
//! | --- | --- |
//! | `Clear-Site-Data` | log people out, and empty what our pages keep |
//! | `Service-Worker-Allowed` | put a service worker above its own folder, over our pages |
//! | `Cross-Origin-Opener-Policy`, also `-Report-Only` | share a browsing context group, and so windows, with the pages of ours that have people confirm what they do |
//! | `Set-Login` | tell browsers that people are logged in at this origin, or are not |
//! | `Strict-Transport-Security` | take the host's promise of https back, or make one for other hosts |
//! | `Public-Key-Pins`, `Public-Key-Pins-Report-Only`, `Expect-CT` | have older browsers refuse the host's next certificate |
//! | `NEL`, `Report-To` | have browsers report each request to our pages, invites in their addresses included |
//! | `Origin-Agent-Cluster` | decide for our pages which others share a process with them |
//! | `Alt-Svc` | send the whole origin's requests to another port, or take the proxy's HTTP/3 away |
//! | `Secure-Session-*`, `Sec-Session-*` | have requests to our pages wait for a refresh of its own |
//! | `X-Accel-Redirect`, `X-Sendfile`, `X-Lighttpd-Send-File`, `X-Reproxy-URL` | have a server in front of us give out its own files |
//!
//! A cookie with the name of one of ours goes as well, whatever its path and domain ([`super::cookies`]).
//! What acts on nothing but its own response or document stays: `Content-Security-Policy`,
//! `Reporting-Endpoints`, other `Cross-Origin-*`, `Speculation-Rules`, `Refresh`,
//! `Cache-Control`. So do `Accept-CH` and `Use-As-Dictionary`, which have the browser tell us a
//! little more; `WWW-Authenticate`, for what it has browsers send is nothing to us; and other
//! cookies, however many, since a page's script could set just as many.

use http::header::HeaderName;

/// Whether it is one of them.
pub(super) fn acts_beyond(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "alt-svc"
            | "clear-site-data"
            | "cross-origin-opener-policy"
            | "cross-origin-opener-policy-report-only"
            | "expect-ct"
            | "nel"
            | "origin-agent-cluster"
            | "public-key-pins"
            | "public-key-pins-report-only"
            | "report-to"
            | "sec-session-challenge"
            | "sec-session-registration"
            | "secure-session-challenge"
            | "secure-session-registration"
            | "service-worker-allowed"
            | "set-login"
            | "strict-transport-security"
            | "x-accel-redirect"
            | "x-lighttpd-send-file"
            | "x-reproxy-url"
            | "x-sendfile"
    )
}
