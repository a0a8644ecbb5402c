//! `GET /`: the page on which a person sees which sandbox answers.

use super::Caller;
use crate::accent::Accent;
use crate::config::Role;
use crate::service::Service;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// What the page looks like for as long as this process lives.
#[derive(Debug)]
pub(super) struct Look {
    style: String,
    policy: HeaderValue,
}

impl Look {
    #[expect(
        clippy::expect_used,
        reason = "base64 is visible ASCII, as is the rest"
    )]
    pub(super) fn new(accent: Option<Accent>) -> Self {
        let style = accent.map_or_else(
            || STYLE.to_owned(),
            |accent| format!("{STYLE}{}", band(accent)),
        );
        let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
        // Nothing but this very style and script, and requests to the sandbox itself.
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'; trusted-types 'none'",
            hash(&style),
            hash(SCRIPT)
        );
        Self {
            style,
            policy: HeaderValue::try_from(policy).expect("visible ASCII"),
        }
    }
}

/// The band in the release's own colour, whatever role the sandbox was born with.
fn band(accent: Accent) -> String {
    let on = if accent.is_light() { "#000" } else { "#fff" };
    let edge = format!("color-mix(in srgb, {accent} 76%, #000)");
    format!(
        ":root[data-instance-role] {{ --band: {accent}; --band-edge: {edge}; --on-band: {on}; }}\n"
    )
}

/// The page, for the role in which the caller reached this sandbox.
pub(super) fn show(State(service): State<Arc<Service>>, caller: &Caller, look: &Look) -> Response {
    let identity = &service.identity;
    let role = caller.role.unwrap_or(identity.instance_role);
    let number = |number: Option<u64>| number.map_or("–".to_owned(), |number| number.to_string());
    let hidden = |is_there: bool| if is_there { "" } else { "hidden" };
    let page = fill(
        &look.style,
        &[
            ("name", &identity.name),
            ("role", role.as_str()),
            ("instance_role", identity.instance_role.as_str()),
            ("hostname", &identity.hostname),
            ("generation", &number(caller.generation)),
            ("release", &number(identity.release)),
            ("has_release", hidden(identity.release.is_some())),
            ("version", identity.version),
            ("newest", &service.log.newest().to_string()),
            ("colour", &colour(identity.instance_role, service.accent)),
            // Only behind the hypervisor is there an account page to go to.
            ("account", hidden(caller.user_id.is_some())),
        ],
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, look.policy.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (headers, Html(page)).into_response()
}

/// The page with its parts filled in, in one pass: what a value contains is never filled.
fn fill(style: &str, values: &[(&str, &str)]) -> String {
    let mut parts = PAGE.split("{{");
    let mut page = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (key, rest) = part.split_once("}}").unwrap_or((part, ""));
        match key {
            "style" => page.push_str(style),
            "script" => page.push_str(SCRIPT),
            _ => {
                let value = values.iter().find(|(name, _)| *name == key);
                escape(value.map_or("", |(_, value)| value), &mut page);
            }
        }
        page.push_str(rest);
    }
    page
}

fn escape(text: &str, page: &mut String) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            other => page.push(other),
        }
    }
}

/// The colour of the page's band, for the dot on its browser tab, without its `#`.
fn colour(role: Role, accent: Option<Accent>) -> String {
    match (accent, role) {
        (Some(accent), _) => accent.to_string().trim_start_matches('#').to_owned(),
        (None, Role::Live) => "115d4d".to_owned(),
        (None, Role::Dev) => "6d319b".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, PAGE, fill};

    #[test]
    fn every_part_of_the_page_is_filled_and_values_are_escaped() {
        let values = [
            ("name", "<img src=x onerror=alert(1)>{{script}}"),
            ("role", "live"),
            ("instance_role", "live"),
            ("hostname", "a&b\"c'"),
            ("generation", "7"),
            ("release", "4"),
            ("has_release", ""),
            ("version", "1"),
            ("newest", "0"),
            ("colour", "000000"),
            ("account", "hidden"),
        ];
        for part in PAGE.split("{{").skip(1) {
            let key = part.split_once("}}").unwrap().0;
            let known = ["style", "script"].contains(&key);
            assert!(
                known || values.iter().any(|(name, _)| *name == key),
                "{key}"
            );
        }
        let page = fill("p {}", &values);
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;{{script}}"));
        assert!(page.contains("a&amp;b&quot;c&#39;"));
        assert_eq!(page.matches("<script").count(), 1);
    }

    #[test]
    fn the_policy_allows_nothing_by_default_and_no_inline_code_but_ours() {
        for accent in [None, "#8a3ffc".parse().ok()] {
            let policy = Look::new(accent).policy;
            let policy = policy.to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'"));
            assert!(!policy.contains("unsafe"));
            assert_eq!(policy.matches("'sha256-").count(), 2);
        }
    }

    #[test]
    fn text_on_a_light_band_is_dark() {
        let style = |accent: &str| Look::new(accent.parse().ok()).style;
        assert!(style("#ffe000").ends_with("--on-band: #000; }\n"));
        assert!(style("#301080").ends_with("--on-band: #fff; }\n"));
    }
}
