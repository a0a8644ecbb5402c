//! The files themselves: embedded at build time, replaceable at start.

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;
use tracing::warn;
use url::Url;

macro_rules! embedded {
    ($($name:literal,)*) => {
        &[$(($name, include_bytes!(concat!("assets/", $name)))),*]
    };
}

pub(super) const EMBEDDED: &[(&str, &[u8])] = embedded![
    "login.html",
    "recovery.html",
    "account.html",
    "mark.svg",
    "base.css",
    "auth.css",
    "account.css",
    "api.js",
    "webauthn.js",
    "passkeys.js",
    "sentences.js",
    "format.js",
    "icons.js",
    "ui.js",
    "codes.js",
    "auth.js",
    "recovery.js",
    "account/main.js",
    "account/step-up.js",
    "account/sandboxes.js",
    "account/sandbox-card.js",
    "account/passkeys.js",
    "account/sessions.js",
    "account/codes.js",
    "account/audit.js",
    "account/invite.js",
];

/// One file, ready to be sent.
pub(super) struct Asset {
    name: &'static str,
    pub bytes: Bytes,
    pub content_type: HeaderValue,
    /// The quoted entity tag: a digest of the bytes.
    pub etag: HeaderValue,
}

impl Asset {
    fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            name,
            content_type: content_type(name),
            etag: etag(&bytes),
            bytes: bytes.into(),
        }
    }

    pub fn is_page(&self) -> bool {
        is_page(self.name)
    }
}

/// Every file, by its name.
pub(super) struct Assets(Vec<Asset>);

impl Assets {
    /// The embedded files, each replaced by the one of the same name in `dir` if there is one.
    ///
    /// Only the names known here are ever looked up, and only now: no request's path gets near
    /// the file system.
    pub fn load(dir: Option<&Path>, origin: &Url, prefix: &str) -> Self {
        let read = |(name, embedded): &(&'static str, &[u8])| {
            let bytes = dir.and_then(|dir| replacement(&dir.join(name)));
            let bytes = bytes.unwrap_or_else(|| embedded.to_vec());
            Asset::new(name, with_address(name, bytes, origin, prefix))
        };
        Self(EMBEDDED.iter().map(read).collect())
    }

    pub fn get(&self, name: &str) -> Option<&Asset> {
        self.0.iter().find(|asset| asset.name == name)
    }
}

fn replacement(file: &Path) -> Option<Vec<u8>> {
    match std::fs::read(file) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            warn!(file = %file.display(), %error, "the shell's own file is served in place of this unreadable one");
            None
        }
    }
}

/// Pages name the address that they belong to, for a person who came by another one; and each path
/// in them is ours, hence below the prefix.
fn with_address(name: &str, bytes: Vec<u8>, origin: &Url, prefix: &str) -> Vec<u8> {
    if !is_page(name) {
        return bytes;
    }
    let origin = origin.origin().ascii_serialization();
    String::from_utf8_lossy(&bytes)
        .replace("{origin}", &origin)
        .replace("=\"/", &format!("=\"{prefix}/"))
        .into_bytes()
}

fn is_page(name: &str) -> bool {
    content_type(name) == "text/html; charset=utf-8"
}

fn content_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    })
}

#[expect(
    clippy::expect_used,
    reason = "hex digits in quotes are a header value"
)]
fn etag(bytes: &[u8]) -> HeaderValue {
    let mut tag = String::from("\"");
    for byte in &Sha256::digest(bytes)[..12] {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    HeaderValue::from_str(&tag).expect("visible ASCII")
}
