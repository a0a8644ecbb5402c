//! Our cookies, as they are sent and read.

use super::token::Token;
use crate::cookie_names::CookieNames;
use http::{HeaderMap, HeaderValue, header};
use std::ops::Deref;
use std::time::Duration;
use url::Url;

/// The names and attributes of our cookies, which depend on the origin's scheme.
pub(super) struct Cookies(CookieNames);

impl Deref for Cookies {
    type Target = CookieNames;

    fn deref(&self) -> &CookieNames {
        &self.0
    }
}

impl Cookies {
    pub(super) fn of(origin: &Url) -> Self {
        Self(CookieNames::of(origin))
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
        let secure = if self.secure { "; Secure" } else { "" };
        let text =
            format!("{name}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::try_from(text).expect("a valid header value")
    }
}

/// The tokens that a request's cookies hold under this name. There may be several, of
/// which others than we have set some.
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
