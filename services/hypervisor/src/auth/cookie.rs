//! Our cookies, as they are sent and read.

use super::token::Token;
use crate::cookie_names::{self, CookieNames};
use http::{HeaderMap, HeaderValue};
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
    fn header(&self, name: &str, value: &str, secs: u64) -> HeaderValue {
        self.0
            .header(name, value, secs)
            .expect("a valid header value")
    }
}

/// The tokens that a request's cookies hold under this name.
pub(super) fn tokens<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = Token> {
    cookie_names::values(headers, name).filter_map(Token::parse)
}
