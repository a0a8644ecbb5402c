//! The page of a failure: which sandbox, why, what it printed, and what to do.

use crate::Body;
use crate::notice::{self, escape};
use http::{Response, StatusCode};

/// The page that says which sandbox, why, with what it printed, and what to do.
pub(super) fn response(
    status: StatusCode,
    sandbox: &str,
    why: &str,
    printed: Option<&str>,
    remedy: &str,
    account: &str,
) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or("No answer");
    let sandbox = escape(sandbox);
    let printed = printed.map_or_else(String::new, |text| format!("<pre>{}</pre>", escape(text)));
    let body = format!(
        r#"<p>Sandbox <code>{sandbox}</code> {why}</p>
{printed}
<p>{remedy}</p>
<p><a href="">Try again</a><a href="{account}">Account</a></p>
"#,
        why = escape(why),
        remedy = escape(remedy),
        account = escape(account),
    );
    notice::page(status, title, &format!("{title} · {sandbox}"), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn what_a_sandbox_printed_is_shown_and_never_run() {
        let printed = "it crashed 5 times:\n\u{1b}[31m<script>alert('x')</script>\n& \"more\"";
        let why = "is not available:";
        let response = response(
            StatusCode::SERVICE_UNAVAILABLE,
            "a<b>",
            why,
            Some(printed),
            "Mend it.",
            "/account",
        );
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let page = str::from_utf8(&bytes).unwrap();
        assert!(page.contains("<pre>it crashed 5 times:\n[31m&#60;script&#62;alert(&#39;x&#39;)"));
        assert!(page.contains("&#38; &#34;more&#34;</pre>"));
        assert!(page.contains("<code>a&#60;b&#62;</code> is not available:"));
        assert!(!page.contains("<script") && !page.contains('\u{1b}'));
    }
}
