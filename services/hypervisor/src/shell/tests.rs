use super::router;
use crate::Body;
use crate::config::Config;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

async fn get(config: &Config, path: &str, tag: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(tag) = tag {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    let request = request.body(Body::empty()).unwrap();
    router(config).oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

#[tokio::test]
async fn every_page_allows_nothing_but_our_own_assets() {
    for path in ["/login", "/register", "/recovery", "/auth/account"] {
        let response = get(&Config::default(), path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let headers = response.headers();
        let policy: Vec<&str> = value(headers, "content-security-policy")
            .split("; ")
            .collect();
        for directive in [
            "default-src 'none'",
            "script-src http://localhost:9090/auth/assets/",
            "style-src http://localhost:9090/auth/assets/",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(&directive), "{path}: {directive}");
        }
        assert_eq!(value(headers, "x-content-type-options"), "nosniff");
        assert_eq!(value(headers, "referrer-policy"), "strict-origin");
        assert_eq!(value(headers, "cross-origin-opener-policy"), "same-origin");
        assert_eq!(value(headers, "cache-control"), "no-store");
        assert_eq!(value(headers, "content-type"), "text/html; charset=utf-8");
    }
}

#[tokio::test]
async fn a_page_has_no_script_or_style_of_its_own() {
    for path in ["/login", "/recovery", "/auth/account"] {
        let page = text(get(&Config::default(), path, None).await).await;
        assert!(
            !page.contains("<style") && !page.contains("style="),
            "{path}"
        );
        assert_eq!(page.matches("<script").count(), 1, "{path}");
        assert!(page.contains("<script type=\"module\" src=\"/auth/assets/"));
    }
}

#[tokio::test]
async fn what_a_page_asks_for_is_there() {
    let config = Config::default();
    let mut wanted = vec!["/login", "/recovery", "/auth/account"]
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let mut seen = 0;
    while seen < wanted.len() {
        let path = wanted[seen].clone();
        let response = get(&config, &path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let base = url::Url::parse("http://localhost")
            .unwrap()
            .join(&path)
            .unwrap();
        for part in text(response).await.split('"') {
            let is_file = [".js", ".css", ".svg"]
                .iter()
                .any(|end| part.ends_with(end));
            if is_file && (part.starts_with('/') || part.starts_with('.')) {
                let found = base.join(part).unwrap().path().to_owned();
                if !wanted.contains(&found) {
                    wanted.push(found);
                }
            }
        }
        seen += 1;
    }
    let assets = wanted.len() - 3;
    assert_eq!(
        assets,
        super::assets::EMBEDDED.len() - 3,
        "each is used: {wanted:#?}"
    );
}

#[tokio::test]
async fn an_unchanged_asset_is_not_sent_again() {
    let config = Config::default();
    let first = get(&config, "/auth/assets/base.css", None).await;
    assert_eq!(value(first.headers(), "cache-control"), "no-cache");
    let tag = value(first.headers(), "etag").to_owned();

    let again = get(&config, "/auth/assets/base.css", Some(&tag)).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(value(again.headers(), "etag"), tag);
    assert_eq!(text(again).await, "");

    let weak = format!("\"other\", W/{tag}");
    let again = get(&config, "/auth/assets/base.css", Some(&weak)).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let other = get(&config, "/auth/assets/base.css", Some("\"other\"")).await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_folder_replaces_files_and_opens_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let shell = folder.path().join("shell");
    std::fs::create_dir_all(shell.join("account")).unwrap();
    std::fs::write(shell.join("base.css"), "body{}").unwrap();
    std::fs::write(shell.join("login.html"), "mine at {origin}").unwrap();
    std::fs::write(shell.join("extra.txt"), "not ours").unwrap();
    std::fs::write(folder.path().join("secret.css"), "secret").unwrap();
    let mut config = Config::default();
    config.shell.dir = Some(shell);

    let css = get(&config, "/auth/assets/base.css", None).await;
    assert_eq!(text(css).await, "body{}");
    let page = get(&config, "/login", None).await;
    assert_eq!(text(page).await, "mine at http://localhost:9090");
    let kept = get(&config, "/auth/assets/ui.js", None).await;
    assert_eq!(kept.status(), StatusCode::OK);
    for path in [
        "/auth/assets/extra.txt",
        "/auth/assets/../secret.css",
        "/auth/assets/..%2fsecret.css",
        "/auth/assets/%2e%2e/secret.css",
        "/auth/assets/account/..%2f..%2fsecret.css",
        "/auth/assets//etc/passwd",
        "/auth/assets/%2fetc%2fpasswd",
        "/auth/assets/base.css%00",
        "/auth/assets/login.html",
    ] {
        let response = get(&config, path, None).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn with_a_prefix_every_path_of_a_page_is_below_it() {
    let config = Config {
        gateway_prefix: Some("/.choiros".into()),
        ..Config::default()
    };
    for path in ["/login", "/recovery", "/auth/account"] {
        let response = get(&config, path, None).await;
        let policy = value(response.headers(), "content-security-policy");
        let assets = "http://localhost:9090/.choiros/auth/assets/;";
        for source in ["script-src", "style-src"] {
            assert!(policy.contains(&format!("{source} {assets}")), "{policy}");
        }
        let page = text(response).await;
        let mut paths = page.split("=\"/").skip(1);
        assert!(paths.clone().count() >= 3, "{page}");
        assert!(paths.all(|path| path.starts_with(".choiros/")), "{page}");
    }
}
