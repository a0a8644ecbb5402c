//! What a browser is told about our pages: who may frame, style and script them.

use super::assets::Asset;
use crate::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use url::Url;

/// The headers that depend on our origin, made once.
pub(super) struct Headers {
    policy: HeaderValue,
}

impl Headers {
    #[expect(
        clippy::expect_used,
        reason = "a serialised origin is visible ASCII, as is the rest"
    )]
    pub fn new(origin: &Url, prefix: &str) -> Self {
        // Not 'self': the sandboxes are served from this very origin, and none of their files may
        // become a script of ours.
        let origin = origin.origin().ascii_serialization();
        let assets = format!("{origin}{prefix}/auth/assets/");
        let policy = format!(
            "default-src 'none'; script-src {assets}; style-src {assets}; img-src 'self' data:; \
             connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
             require-trusted-types-for 'script'; trusted-types 'none'"
        );
        Self {
            policy: HeaderValue::from_str(&policy).expect("visible ASCII"),
        }
    }

    pub fn page(&self, page: &Asset, bytes: Bytes) -> Response<Body> {
        let mut response = full(page, bytes);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        set(headers, header::CACHE_CONTROL, "no-store");
        let opener = HeaderName::from_static("cross-origin-opener-policy");
        set(headers, opener, "same-origin");
        // The path may hold an invite. `no-referrer` would also say `Origin: null` when a form
        // is posted, which our own origin check refuses.
        set(headers, header::REFERRER_POLICY, "strict-origin");
        response
    }

    /// An asset that was asked for by its version. A deployment is seen at once all the same, since
    /// pages are never kept, and ask for the versions that there are.
    pub fn versioned(&self, asset: &Asset) -> Response<Body> {
        let mut response = self.asset(asset);
        let forever = "max-age=31536000, immutable";
        set(response.headers_mut(), header::CACHE_CONTROL, forever);
        response
    }

    pub fn asset(&self, asset: &Asset) -> Response<Body> {
        let mut response = full(asset, asset.bytes.clone());
        self.revalidated(response.headers_mut(), asset);
        response
    }

    pub fn not_modified(&self, asset: &Asset) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        self.revalidated(response.headers_mut(), asset);
        response
    }

    /// Kept by the browser, but asked for each time. The policy is there for who opens an SVG on
    /// its own.
    fn revalidated(&self, headers: &mut http::HeaderMap, asset: &Asset) {
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(header::ETAG, asset.etag.clone());
        set(headers, header::CACHE_CONTROL, "no-cache");
    }
}

fn full(asset: &Asset, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, asset.content_type.clone());
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let resource = HeaderName::from_static("cross-origin-resource-policy");
    set(headers, resource, "same-origin");
    response
}

fn set(headers: &mut http::HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
