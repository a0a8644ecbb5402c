//! The files themselves: embedded at build time, replaceable at start.

use super::bundle;
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
    "admin.html",
    "act.html",
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
    "outcomes.js",
    "auth.js",
    "recovery.js",
    "act.js",
    "acts.js",
    "attempt.js",
    "events.js",
    "log.js",
    "rows.js",
    "search.js",
    "secret.js",
    "usage.js",
    "admin/main.js",
    "admin/archives.js",
    "admin/audit.js",
    "admin/invites.js",
    "admin/people.js",
    "admin/person.js",
    "admin/sandboxes.js",
    "account/main.js",
    "account/access.js",
    "account/change.js",
    "account/promote.js",
    "account/swap.js",
    "account/volumes.js",
    "account/lists.js",
    "account/sandboxes.js",
    "account/sandbox-card.js",
    "account/notices.js",
    "account/passkeys.js",
    "account/sessions.js",
    "account/codes.js",
    "account/audit.js",
    "account/invite.js",
    "account/tokens.js",
    "account/workspaces.js",
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
    fn new(name: &'static str, text: String) -> Self {
        Self {
            name,
            content_type: content_type(name),
            etag: etag(text.as_bytes()),
            bytes: text.into(),
        }
    }

    /// What tells these bytes from those of another version, for an address.
    pub fn version(&self) -> &str {
        self.etag.to_str().unwrap_or_default().trim_matches('"')
    }

    pub fn is_page(&self) -> bool {
        is_page(self.name)
    }
}

/// Every file, by its name.
pub(super) struct Assets(Vec<Asset>);

impl Assets {
    /// The embedded files, each replaced by the one of the same name in `dir` if there is one.
    /// What a page asks for has in it what it imports, and is asked for with its version.
    ///
    /// Only the names known here are ever looked up, and only now: no request's path gets near
    /// the file system.
    pub fn load(dir: Option<&Path>, origin: &Url, prefix: &str) -> Self {
        let read = |(name, embedded): &(&'static str, &[u8])| {
            let bytes = dir.and_then(|dir| replacement(&dir.join(name)));
            let bytes = bytes.unwrap_or_else(|| embedded.to_vec());
            (*name, String::from_utf8_lossy(&bytes).into_owned())
        };
        let files = EMBEDDED.iter().map(read);
        let (pages, parts): (Vec<_>, Vec<_>) = files.partition(|(name, _)| is_page(name));
        let of = |name: &str| {
            parts
                .iter()
                .find(|part| part.0 == name)
                .map(|part| &*part.1)
        };
        let is_asked_for = |name| {
            let address = address(name);
            pages.iter().any(|(_, page)| page.contains(&address))
        };
        let mut assets: Vec<Asset> = parts
            .iter()
            .map(|(name, text)| {
                let bundle = is_asked_for(name).then(|| bundled(name, text, &of));
                Asset::new(name, bundle.unwrap_or_else(|| text.clone()))
            })
            .collect();
        for (name, page) in &pages {
            let page = with_versions(with_address(page, origin, prefix), &assets);
            assets.push(Asset::new(name, page));
        }
        Self(assets)
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

/// The file with what it imports in it, or, where that cannot be, as it is.
fn bundled<'a>(name: &str, text: &str, of: &dyn Fn(&str) -> Option<&'a str>) -> String {
    let made = match name.rsplit('.').next() {
        Some("js") => bundle::script(name, of),
        Some("css") => bundle::sheet(name, of),
        _ => return text.to_owned(),
    };
    made.unwrap_or_else(|error| {
        warn!(%error, "{name} is served without what it imports, which browsers fetch one by one");
        text.to_owned()
    })
}

/// Pages name the address that they belong to, for a person who came by another one; and each path
/// in them is ours, hence below the prefix.
fn with_address(page: &str, origin: &Url, prefix: &str) -> String {
    let origin = origin.origin().ascii_serialization();
    page.replace("{origin}", &origin)
        .replace("=\"/", &format!("=\"{prefix}/"))
}

/// Each asset is asked for with its version, so that it is kept until there is another one.
fn with_versions(page: String, assets: &[Asset]) -> String {
    assets.iter().fold(page, |page, asset| {
        let address = address(asset.name);
        let versioned = format!("{}?v={}\"", address.trim_end_matches('"'), asset.version());
        page.replace(&address, &versioned)
    })
}

/// How a page asks for an asset, up to the quote behind it.
fn address(name: &str) -> String {
    format!("/auth/assets/{name}\"")
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
