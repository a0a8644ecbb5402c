use super::{Shell, router};
use crate::Body;
use crate::config::Config;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

const PAGES: [&str; 5] = [
    "/login",
    "/register",
    "/recovery",
    "/auth/account",
    "/admin",
];

async fn get(config: &Config, path: &str, tag: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(tag) = tag {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    let request = request.body(Body::empty()).unwrap();
    router(Shell::new(config)).oneshot(request).await.unwrap()
}

/// Where an act's page is, which is served with what it shows.
const ACT: &str = "/auth/acts/x";

#[tokio::test]
async fn the_page_of_an_act_has_its_data_and_the_headers_of_every_page() {
    let config = Config::default();
    let of_act = Shell::new(&config).act(&json!({ "summary": "</script>" }));
    let of_act = of_act.unwrap();
    let mut another = get(&config, "/login", None).await;
    another.headers_mut().remove(header::CONTENT_LENGTH);
    assert_eq!(of_act.headers(), another.headers());
    let page = text(of_act).await;
    let data = "<script type=\"application/json\" id=\"act\">{\"summary\":\"\\u003c/script\\u003e\"}</script>";
    assert!(page.contains(data), "{page}");
    assert_eq!(page.matches("<script").count(), 2);
    assert!(!page.contains("<style") && !page.contains("style="));
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
    for path in PAGES {
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
    for path in PAGES {
        let page = text(get(&Config::default(), path, None).await).await;
        assert!(
            !page.contains("<style") && !page.contains("style="),
            "{path}"
        );
        assert_eq!(page.matches("<script").count(), 1, "{path}");
        assert!(page.contains("<script type=\"module\" src=\"/auth/assets/"));
    }
}

/// What stands in a page's quotes and is one of our assets.
fn assets_of(page: &str) -> Vec<String> {
    let parts = page.split('"');
    let mut assets: Vec<_> = parts
        .filter(|part| part.starts_with("/auth/assets/"))
        .map(str::to_owned)
        .collect();
    assets.sort_unstable();
    assets.dedup();
    assets
}

#[tokio::test]
async fn a_page_is_there_after_one_script_one_sheet_and_its_icon_which_are_kept() {
    let config = Config::default();
    let mut all = String::new();
    for path in PAGES.into_iter().chain([ACT]) {
        let page = match path {
            ACT => Shell::new(&config).act(&json!({})).unwrap(),
            path => get(&config, path, None).await,
        };
        let assets = assets_of(&text(page).await);
        assert_eq!(assets.len(), 3, "{path}: {assets:?}");
        for asset in assets {
            let response = get(&config, &asset, None).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}: {asset}");
            let kept = value(response.headers(), "cache-control");
            assert_eq!(kept, "max-age=31536000, immutable", "{asset}");
            let text = text(response).await;
            let asks_for_more = |line: &str| {
                ["import ", "export ", "@import "]
                    .iter()
                    .any(|word| line.starts_with(word))
            };
            assert!(!text.lines().any(asks_for_more), "{asset}");
            all.push_str(&asset);
            all.push_str(&text);
        }
    }
    for (name, bytes) in super::assets::EMBEDDED {
        let is_page = name.contains(".html");
        let first = str::from_utf8(bytes).unwrap().lines().next().unwrap();
        assert!(is_page || all.contains(first), "{name} is in no page");
    }
}

#[tokio::test]
async fn another_version_of_an_asset_is_not_kept() {
    let config = Config::default();
    let page = text(get(&config, "/login", None).await).await;
    let asset = assets_of(&page).remove(0);
    let (path, version) = asset.split_once("?v=").unwrap();
    assert_eq!(version.len(), 24);
    for query in ["", "?v=", "?v=0", &format!("?w={version}")] {
        let response = get(&config, &format!("{path}{query}"), None).await;
        assert_eq!(response.status(), StatusCode::OK, "{query}");
        assert_eq!(value(response.headers(), "cache-control"), "no-cache");
    }

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("base.css"), "body{}").unwrap();
    let mut other = Config::default();
    other.shell.dir = Some(folder.path().into());
    let changed = text(get(&other, "/login", None).await).await;
    let asset = &assets_of(&changed)[0];
    assert!(
        asset.starts_with(path) && !asset.ends_with(version),
        "{asset}"
    );
    let sheet = text(get(&other, asset, None).await).await;
    assert!(sheet.contains("\nbody{}\n"), "{sheet}");
}

#[tokio::test]
async fn a_file_with_imports_of_another_form_is_served_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mine = "import(\"/auth/assets/ui.js\");\n";
    std::fs::write(folder.path().join("auth.js"), mine).unwrap();
    let mut config = Config::default();
    config.shell.dir = Some(folder.path().into());
    let script = get(&config, "/auth/assets/auth.js", None).await;
    assert_eq!(text(script).await, mine);
    let imported = get(&config, "/auth/assets/ui.js", None).await;
    assert_eq!(imported.status(), StatusCode::OK);
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
