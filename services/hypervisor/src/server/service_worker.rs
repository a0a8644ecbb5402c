//! Which scripts a browser may not make a service worker of.
//!
//! One answers for every page of its scope, also when a person is logged out and when another
//! sandbox is live; and its scope may be as large as the folder that its script is in, since
//! `Service-Worker-Allowed` is not passed on. Pages of ours are therefore in no such folder.

use super::destination::Destination;
use super::paths::Paths;
use crate::error::HttpError;
use http::{HeaderMap, HeaderName, Request, StatusCode};

static SERVICE_WORKER: HeaderName = HeaderName::from_static("service-worker");
static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Refuses the script of a service worker whose scope could have a page of ours in it.
///
/// # Errors
/// 403 `service_worker_scope`.
pub(super) fn check<B>(request: &Request<B>, paths: &Paths) -> Result<(), HttpError> {
    if !is_script(request.headers()) || !reaches_us(request.uri().path(), paths) {
        return Ok(());
    }
    Err(HttpError::new(
        StatusCode::FORBIDDEN,
        "service_worker_scope",
        "a service worker with its script here could answer for the gateway's own pages; put its script into a folder, such as /app/sw.js, or have the operator set origins = \"own\"",
    ))
}

/// Every browser that knows service workers says so, and newer ones twice.
fn is_script(headers: &HeaderMap) -> bool {
    headers.contains_key(&SERVICE_WORKER)
        || headers
            .get(&SEC_FETCH_DEST)
            .is_some_and(|dest| dest == "serviceworker")
}

/// Whether a page of ours could be in the folder that the script is in.
fn reaches_us(path: &str, paths: &Paths) -> bool {
    let is_ours = !matches!(Destination::of_shared(path, paths), Destination::Sandbox(_));
    let end = path.rfind('/').map_or(0, |at| at + 1);
    let folder = path.get(..end).unwrap_or_default();
    is_ours || paths.of("/").starts_with(folder) || is_ambiguous(path)
}

/// Whether others could read it as another path. Browsers write none so but the empty segment.
fn is_ambiguous(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let odd = ["\\", "//", "/./", "/../", "%2f", "%5c", "%2e"];
    odd.iter().any(|odd| path.contains(odd)) || !path.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(name: &str, value: &str, path: &str, prefix: &str) -> bool {
        let request = Request::get(path).header(name, value).body(()).unwrap();
        check(&request, &Paths::new(prefix)).is_err()
    }

    #[test]
    fn a_service_worker_is_below_a_folder_of_its_own() {
        for (path, refused) in [
            ("/sw.js", true),
            ("/sw.js?scope=/app/", true),
            ("/", true),
            ("//sw.js", true),
            ("/app/../sw.js", true),
            ("/app/%2e%2e/sw.js", true),
            ("/app/.%2E/sw.js", true),
            ("/app\\..\\sw.js", true),
            ("/app%2f..%2fsw.js", true),
            ("/app/%5C..%5csw.js", true),
            ("/app//sw.js", true),
            ("/%73w.js", true),
            ("/login", true),
            ("/auth/assets/api.js", true),
            ("/admin/sw.js", true),
            ("/dev", true),
            ("/app/sw.js", false),
            ("/my%20app/v2/sw.js?x=/../", false),
            ("/dev/sw.js", false),
            ("/dev/app/sw.js", false),
        ] {
            assert_eq!(
                is_refused("service-worker", "script", path, ""),
                refused,
                "{path}"
            );
            let given = is_refused("sec-fetch-dest", "serviceworker", path, "");
            assert_eq!(given, refused, "{path}");
            assert!(!is_refused("sec-fetch-dest", "worker", path, ""), "{path}");
        }
    }

    #[test]
    fn the_prefix_of_our_pages_is_in_no_folder_of_a_service_worker() {
        for (path, refused) in [
            ("/sw.js", true),
            ("/own/sw.js", true),
            ("/own/pages/sw.js", true),
            ("/own/pages/auth/sw.js", true),
            ("/own/page/sw.js", false),
            ("/auth/sw.js", false),
            ("/dev/sw.js", false),
        ] {
            let given = is_refused("service-worker", "script", path, "/own/pages");
            assert_eq!(given, refused, "{path}");
        }
    }
}
