//! The page of a failure: which sandbox, why, what it printed, and what to do.

use crate::Body;
use crate::notice::{self, escape};
use http::{Response, StatusCode};

/// What the page of a failure says.
pub(super) struct Page<'a> {
    pub(super) heading: &'a str,
    pub(super) sandbox: &'a str,
    pub(super) why: &'a str,
    pub(super) printed: Option<&'a str>,
    pub(super) remedy: &'a str,
    /// Where the account page is.
    pub(super) account: &'a str,
    /// What the log calls the request.
    pub(super) request_id: Option<&'a str>,
}

impl Page<'_> {
    pub(super) fn response(&self, status: StatusCode) -> Response<Body> {
        let (heading, sandbox) = (self.heading, escape(self.sandbox));
        let printed = self
            .printed
            .map(|text| format!("<pre>{}</pre>", escape(text)));
        let request = self.request_id.map(|id| {
            format!(
                "<p><small>Request <code>{}</code></small></p>\n",
                escape(id)
            )
        });
        let body = format!(
            r#"<p>Sandbox <code>{sandbox}</code> {why}</p>
{printed}
<p>{remedy}</p>
<p><a href="">Try again</a><a href="{account}">Account</a></p>
{request}"#,
            why = escape(self.why),
            printed = printed.unwrap_or_default(),
            remedy = escape(self.remedy),
            account = escape(self.account),
            request = request.unwrap_or_default(),
        );
        notice::page(status, heading, &format!("{heading} · {sandbox}"), &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn what_a_sandbox_printed_is_shown_and_never_run() {
        let printed = "it crashed 5 times:\n\u{1b}[31m<script>alert('x')</script>\n& \"more\"";
        let page = Page {
            heading: "Stopped",
            sandbox: "a<b>",
            why: "is not available:",
            printed: Some(printed),
            remedy: "Mend it.",
            account: "/account",
            request_id: Some("0af7651916cd43dd8448eb211c80319c"),
        };
        let response = page.response(StatusCode::SERVICE_UNAVAILABLE);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let page = str::from_utf8(&bytes).unwrap();
        assert!(page.contains("<pre>it crashed 5 times:\n[31m&#60;script&#62;alert(&#39;x&#39;)"));
        assert!(page.contains("&#38; &#34;more&#34;</pre>"));
        assert!(page.contains("<code>a&#60;b&#62;</code> is not available:"));
        assert!(page.contains("<code>0af7651916cd43dd8448eb211c80319c</code>"));
        assert!(!page.contains("<script") && !page.contains('\u{1b}'));
    }
}
