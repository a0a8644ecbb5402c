//! Who is calling, in the hypervisor's words.

use crate::config::Role;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use clap::ValueEnum;
use std::convert::Infallible;

/// The `X-ChoirOS-*` headers of a request: the only thing about a caller that is believed, since
/// the hypervisor removes a client's own and is alone in reaching this port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user_id: Option<String>,
    /// The workspace that the request was routed for.
    pub workspace: Option<String>,
    /// The role in which this sandbox was reached.
    pub role: Option<Role>,
    /// The route's generation.
    pub generation: Option<u64>,
}

impl Caller {
    /// What the headers say; one that makes no sense says nothing.
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name)?.to_str().ok();
        // Longer than any id or name; the log should not be filled through a header.
        let short = |name| text(name).filter(|text| (1..=64).contains(&text.len()));
        Self {
            user_id: short("x-choiros-user-id").map(str::to_owned),
            workspace: short("x-choiros-workspace").map(str::to_owned),
            role: text("x-choiros-role").and_then(|role| Role::from_str(role, false).ok()),
            generation: text("x-choiros-generation").and_then(|number| number.parse().ok()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::Caller;
    use crate::config::Role;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    fn caller(headers: &[(&'static str, &str)]) -> Caller {
        let pairs = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        });
        Caller::of(&pairs.collect::<HeaderMap>())
    }

    #[test]
    fn the_hypervisor_s_headers_say_who_is_calling() {
        let said = caller(&[
            ("x-choiros-user-id", "u1"),
            ("x-choiros-workspace", "sandbox"),
            ("x-choiros-role", "dev"),
            ("x-choiros-generation", "7"),
        ]);
        let expected = Caller {
            user_id: Some("u1".into()),
            workspace: Some("sandbox".into()),
            role: Some(Role::Dev),
            generation: Some(7),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn headers_that_make_no_sense_say_nothing() {
        let said = caller(&[
            ("x-choiros-user-id", &"u".repeat(65)),
            ("x-choiros-workspace", "caf\u{e9}"),
            ("x-choiros-role", "admin"),
            ("x-choiros-generation", "-1"),
        ]);
        assert_eq!(said, Caller::default());
    }
}
