//! ACME's http-01: an ACME client proves that a host's name is ours by a file that it puts into a
//! folder, and that is served from there (RFC 8555, 8.3).

use crate::Body;
use crate::error::HttpError;
use axum::response::IntoResponse as _;
use http::{HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Where challenges are, in the folder as well as in a URL.
const PREFIX: &str = ".well-known/acme-challenge/";

/// A token has 22 characters at least, and CAs give 43.
const LONGEST_TOKEN: usize = 128;

/// A key authorization has a token, a dot and 43 characters.
const LONGEST_FILE: u64 = 1024;

/// What of a request's target is the name of a challenge; `None` if it is for something else.
pub(super) fn token(uri: &Uri) -> Option<&str> {
    uri.path().strip_prefix('/')?.strip_prefix(PREFIX)
}

/// The file of that token below `webroot`, or 404.
///
/// It is read here and now: such a file is small and local, and a thread would cost more.
pub(super) fn response(webroot: &Path, token: &str) -> Response<Body> {
    let Some(text) = is_token(token).then(|| read(webroot, token).ok()).flatten() else {
        return HttpError::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such challenge; the ACME client writes it below tls.acme_webroot",
        )
        .into_response();
    };
    let mut response = Response::new(Body::from(text));
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// Base64url, so no dot, no slash and nothing that is encoded.
fn is_token(token: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(allowed)
}

/// Reads it if it is a small regular file, without a link anywhere below `webroot`.
fn read(webroot: &Path, token: &str) -> io::Result<Vec<u8>> {
    // Folder by folder: openat2, which knows whole paths without links, is not there for a unit with
    // systemd's RestrictSUIDSGID.
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut within = openat(CWD, webroot, folder, Mode::empty())?;
    for name in PREFIX.split_terminator('/') {
        within = openat(within, name, folder | OFlags::NOFOLLOW, Mode::empty())?;
    }
    // Not to wait at a pipe, nor to write anywhere.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = openat(within, token, flags | OFlags::NOFOLLOW, Mode::empty())?;
    let file = File::from(file);
    let data = file.metadata()?;
    if !data.is_file() || data.len() > LONGEST_FILE {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = Vec::new();
    file.take(LONGEST_FILE).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn status(webroot: &Path, target: &str) -> u16 {
        let uri: Uri = target.parse().unwrap();
        let token = token(&uri).unwrap_or_else(|| panic!("{target} is none of ours"));
        response(webroot, token).status().as_u16()
    }

    #[test]
    fn nothing_but_a_small_file_of_the_folder_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let challenges = root.join(PREFIX);
        std::fs::create_dir_all(challenges.join("folder")).unwrap();
        std::fs::write(root.join("secret"), "x").unwrap();
        std::fs::write(challenges.join("good-Token_1"), "x").unwrap();
        std::fs::write(challenges.join("has.dot"), "x").unwrap();
        std::fs::write(challenges.join("large"), vec![0; 1025]).unwrap();
        std::fs::write(challenges.join("folder/inner"), "x").unwrap();
        symlink(root.join("secret"), challenges.join("absolute")).unwrap();
        symlink("../../secret", challenges.join("relative")).unwrap();
        symlink("good-Token_1", challenges.join("beside")).unwrap();
        rustix::fs::mknodat(
            CWD,
            challenges.join("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        let at = |name: &str| status(root, &format!("/{PREFIX}{name}"));
        assert_eq!(at("good-Token_1"), 200);
        assert_eq!(at("good-Token_1?x=../secret"), 200);
        for name in [
            "",
            ".",
            "..",
            "../../secret",
            "..%2f..%2fsecret",
            "%2e%2e/%2e%2e/secret",
            "has.dot",
            "good-Token%5f1",
            "good-Token_1/",
            "/good-Token_1",
            "folder",
            "folder/inner",
            "large",
            "absolute",
            "relative",
            "beside",
            "pipe",
            "absent",
            "good-Token_1%00",
            &"a".repeat(129),
        ] {
            assert_eq!(at(name), 404, "{name}");
        }
        for other in [
            "/",
            "/.well-known/acme-challenge",
            "/.well-known/acme",
            "/x/.well-known/acme-challenge/a",
        ] {
            assert!(token(&other.parse().unwrap()).is_none(), "{other}");
        }
        assert_eq!(
            status(&root.join("nowhere"), &format!("/{PREFIX}good-Token_1")),
            404
        );
    }

    #[test]
    fn a_link_on_the_way_below_the_folder_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (root, other) = (folder.path().join("root"), folder.path().join("other"));
        std::fs::create_dir_all(other.join("acme-challenge")).unwrap();
        std::fs::write(other.join("acme-challenge/t"), "x").unwrap();
        std::fs::create_dir(&root).unwrap();
        symlink(&other, root.join(".well-known")).unwrap();
        assert_eq!(status(&root, &format!("/{PREFIX}t")), 404);
        // The folder itself may be a link: who configures it means where it leads.
        std::fs::remove_file(root.join(".well-known")).unwrap();
        std::fs::rename(&other, root.join(".well-known")).unwrap();
        let link = folder.path().join("link");
        symlink(&root, &link).unwrap();
        assert_eq!(status(&link, &format!("/{PREFIX}t")), 200);
    }
}
