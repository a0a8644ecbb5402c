//! The page of a failure: one file, no script, and nothing in it that was not escaped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

const STYLE: &str = include_str!("page.css");

/// Nothing but our own style, which is known by its hash.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// The page's `Content-Security-Policy`.
pub(super) fn policy() -> HeaderValue {
    POLICY.clone()
}

/// The page that says which sandbox, why, with what it printed, and what to do.
pub(super) fn render(
    status: StatusCode,
    sandbox: &str,
    why: &str,
    printed: Option<&str>,
    remedy: &str,
) -> String {
    let title = status.canonical_reason().unwrap_or("No answer");
    let sandbox = escape(sandbox);
    let printed = printed.map_or_else(String::new, |text| format!("<pre>{}</pre>", escape(text)));
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>{title} · {sandbox}</title>
<style>{STYLE}</style>
<main>
<h1>{title}</h1>
<p>Sandbox <code>{sandbox}</code> {why}</p>
{printed}
<p>{remedy}</p>
<p><a href="">Try again</a><a href="/auth/account">Account</a></p>
<p><small>{status}</small></p>
</main>
</html>
"#,
        why = escape(why),
        remedy = escape(remedy),
        status = status.as_u16(),
    )
}

/// Text as HTML shows it. Other control characters than line ends and tabs, such as a terminal's
/// colours, are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(char));
            }
            '\n' | '\t' => escaped.push(char),
            char if char.is_control() => {}
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sandbox_printed_is_shown_and_never_run() {
        let printed = "it crashed 5 times:\n\u{1b}[31m<script>alert('x')</script>\n& \"more\"";
        let why = "is not available:";
        let page = render(
            StatusCode::SERVICE_UNAVAILABLE,
            "a<b>",
            why,
            Some(printed),
            "Mend it.",
        );
        assert!(page.contains("<pre>it crashed 5 times:\n[31m&#60;script&#62;alert(&#39;x&#39;)"));
        assert!(page.contains("&#38; &#34;more&#34;</pre>"));
        assert!(page.contains("<code>a&#60;b&#62;</code> is not available:"));
        assert!(!page.contains("<script") && !page.contains('\u{1b}'));
    }

    #[test]
    fn the_policy_knows_the_style() {
        let policy = policy();
        assert!(policy.to_str().unwrap().contains("style-src 'sha256-"));
    }
}
