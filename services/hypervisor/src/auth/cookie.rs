//! The two cookies: the session's and the ceremony's.

use super::token::Token;
use http::{HeaderMap, HeaderValue, header};
use std::time::Duration;
use url::Url;

/// The names and attributes of our cookies, which depend on the origin's scheme.
#[derive(Clone, Copy)]
pub(super) struct Cookies {
    pub(super) session: &'static str,
    pub(super) ceremony: &'static str,
    attributes: &'static str,
}

impl Cookies {
    /// Browsers take a `__Host-` cookie from this very host alone, and only over https.
    pub(super) fn of(origin: &Url) -> Self {
        if origin.scheme() == "https" {
            Self {
                session: "__Host-choiros",
                ceremony: "__Host-choiros-ceremony",
                attributes: "Path=/; HttpOnly; SameSite=Lax; Secure",
            }
        } else {
            Self {
                session: "choiros",
                ceremony: "choiros-ceremony",
                attributes: "Path=/; HttpOnly; SameSite=Lax",
            }
        }
    }

    pub(super) fn set(&self, name: &str, token: &Token, lasts: Duration) -> HeaderValue {
        self.header(name, &token.reveal(), lasts.as_secs())
    }

    pub(super) fn clear(&self, name: &str) -> HeaderValue {
        self.header(name, "", 0)
    }

    #[expect(
        clippy::expect_used,
        reason = "our names and base64url are visible ASCII"
    )]
    fn header(&self, name: &str, value: &str, max_age: u64) -> HeaderValue {
        let text = format!("{name}={value}; Max-Age={max_age}; {}", self.attributes);
        HeaderValue::try_from(text).expect("a valid header value")
    }
}

/// The tokens that a request's cookies hold under this name. There may be several: on
/// plain localhost other ports set cookies for us too.
pub(super) fn tokens<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = Token> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| {
            let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
            Token::parse(value.strip_prefix(b"=")?)
        })
}
