//! `GET /`: the page on which a person sees which sandbox answers.

use super::Caller;
use crate::config::Role;
use crate::service::Service;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use std::sync::{Arc, LazyLock};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Nothing but this very style and script, and requests to the sandbox itself.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// The page, for the role in which the caller reached this sandbox.
pub(super) async fn show(State(service): State<Arc<Service>>, caller: Caller) -> Response {
    let identity = &service.identity;
    let role = caller.role.unwrap_or(identity.instance_role);
    let generation = caller.generation.map(|number| number.to_string());
    let page = fill(&[
        ("name", &identity.name),
        ("role", role.as_str()),
        ("instance_role", identity.instance_role.as_str()),
        ("hostname", &identity.hostname),
        ("generation", generation.as_deref().unwrap_or("–")),
        ("version", identity.version),
        ("newest", &service.log.newest().to_string()),
        ("colour", colour(identity.instance_role)),
        // Only behind the hypervisor is there an account page to go to.
        (
            "account",
            if caller.user_id.is_some() {
                ""
            } else {
                "hidden"
            },
        ),
    ]);
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(page)).into_response()
}

/// The page with its parts filled in, in one pass: what a value contains is never filled.
fn fill(values: &[(&str, &str)]) -> String {
    let mut parts = PAGE.split("{{");
    let mut page = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (key, rest) = part.split_once("}}").unwrap_or((part, ""));
        match key {
            "style" => page.push_str(STYLE),
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

/// The colour of the page's band, for the dot on its browser tab.
fn colour(role: Role) -> &'static str {
    match role {
        Role::Live => "115d4d",
        Role::Dev => "6d319b",
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, POLICY, fill};

    #[test]
    fn every_part_of_the_page_is_filled_and_values_are_escaped() {
        let values = [
            ("name", "<img src=x onerror=alert(1)>{{script}}"),
            ("role", "live"),
            ("instance_role", "live"),
            ("hostname", "a&b\"c'"),
            ("generation", "7"),
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
        let page = fill(&values);
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;{{script}}"));
        assert!(page.contains("a&amp;b&quot;c&#39;"));
        assert_eq!(page.matches("<script").count(), 1);
    }

    #[test]
    fn the_policy_allows_nothing_by_default_and_no_inline_code_but_ours() {
        assert!(POLICY.starts_with("default-src 'none'"));
        assert!(!POLICY.contains("unsafe"));
        assert_eq!(POLICY.matches("'sha256-").count(), 2);
    }
}
