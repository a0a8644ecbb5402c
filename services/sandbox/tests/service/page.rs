use crate::Sandbox;
use anyhow::{Context, Result};
use axum::http::Method;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use testkit::client::Response;

/// The text of the element with this test id.
fn shown<'a>(page: &'a str, id: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("data-testid=\"{id}\">"))?;
    Some(rest.split_once('<')?.0)
}

#[tokio::test]
async fn the_page_shows_which_sandbox_answers_in_which_role() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let page = sandbox.client.navigate("/").await?;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let direct = page.text();
    assert_eq!(shown(&direct, "sandbox-name"), Some("sandbox-live"));
    assert_eq!(shown(&direct, "sandbox-role"), Some("live"));
    assert_eq!(shown(&direct, "sandbox-generation"), Some("–"));
    assert!(shown(&direct, "sandbox-hostname").is_some_and(|name| !name.is_empty()));

    let request = sandbox.client.request(Method::GET, "/");
    let swapped = request
        .header("x-choiros-role", "dev")
        .header("x-choiros-generation", "3")
        .send();
    let swapped = swapped.await?.text();
    assert_eq!(shown(&swapped, "sandbox-role"), Some("dev"));
    assert_eq!(shown(&swapped, "sandbox-generation"), Some("3"));
    assert!(
        swapped.contains("data-instance-role=\"live\""),
        "the colour stays"
    );
    Ok(())
}

#[tokio::test]
async fn two_releases_differ_at_a_glance_and_in_number() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let plain = sandbox.client.navigate("/").await?.text();
    assert!(plain.contains("<span hidden>with"), "{plain}");

    let env = [("SANDBOX_RELEASE", "4"), ("SANDBOX_ACCENT", "#8A3FFC")];
    let sandbox = Sandbox::start_with(tempfile::tempdir()?, &env).await?;
    let page = sandbox.client.navigate("/").await?;
    allows_its_own(&page)?;
    let text = page.text();
    assert_eq!(shown(&text, "sandbox-release"), Some("release 4"));
    assert!(text.contains("--band: #8a3ffc;") && text.contains("%238a3ffc"));
    let health: serde_json::Value = sandbox.client.get("/health").await?.json()?;
    assert_eq!(health["release"], 4);
    Ok(())
}

#[tokio::test]
async fn the_page_s_policy_allows_its_own_style_and_script_and_no_other() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let page = sandbox.client.navigate("/").await?;
    allows_its_own(&page)
}

fn allows_its_own(page: &Response) -> Result<()> {
    let policy = page
        .header("content-security-policy")
        .context("no policy")?;
    let text = page.text();
    for (directive, open, close) in [
        ("style-src", "<style>", "</style>"),
        ("script-src", "<script type=\"module\">", "</script>"),
    ] {
        let (_, rest) = text.split_once(open).context(open)?;
        let (code, rest) = rest.split_once(close).context(close)?;
        assert!(!rest.contains(open), "one element, one hash");
        let hash = BASE64_STANDARD.encode(Sha256::digest(code));
        let expected = format!("{directive} 'sha256-{hash}';");
        assert!(policy.contains(&expected), "{policy}");
    }
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(!text.contains(" style=") && !text.contains(" onclick="));
    Ok(())
}
