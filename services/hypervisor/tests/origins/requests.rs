//! What passes at a sandbox's own host, and what does not.

use super::{House, code, program, seen};
use crate::common::{Side, builder_of_own_origins};
use http::Method;
use testkit::client::Client;
use testkit::person::Person;

#[tokio::test]
async fn everything_there_is_the_sandboxs_but_one_path() {
    let house = House::new().await;
    let live = house.at_live().await;
    for path in [
        "/",
        "/login",
        "/auth/me",
        "/admin/sandboxes",
        "/health2",
        "/metrics",
        "/dev",
        "/dev/x",
        "/account",
        "/api/hosts",
        "//.choiros/x",
        "/.choirosx",
        "/%2echoiros/enter",
    ] {
        let response = live.get(path).await.unwrap();
        assert_eq!(response.header("x-side"), Some("sandbox-live"), "{path}");
        let told: serde_json::Value = response.json().unwrap();
        assert_eq!(told["target"], path);
    }
    for path in ["/.choiros", "/.choiros/", "/.choiros/x"] {
        assert_eq!(code(&live.get(path).await.unwrap()), "not_found", "{path}");
    }
    let page = live.navigate("/.choiros/x").await.unwrap().text();
    let link = format!("href=\"{}/account\"", house.gateway.base_url());
    assert!(page.contains(&link), "{page}");
    let account = live.navigate("/.choiros/account").await.unwrap();
    let expected = format!("{}/account", house.gateway.base_url());
    assert_eq!(super::location(&account), expected);
    let dev = house.ada.enter("sandbox-dev.localhost").await.unwrap();
    let page = dev.get("/dev/x").await.unwrap();
    assert_eq!(page.header("x-side"), Some("sandbox-dev"));
}

#[tokio::test]
async fn the_sandbox_is_told_who_calls_and_sees_none_of_our_cookies() {
    let house = House::new().await;
    let live = house.at_live().await;
    live.set_cookie("mine", "1");
    for name in [
        "choiros",
        "choiros-ceremony",
        "__Host-choiros-grant",
        "choiros-9",
        "choiros-enter-9",
    ] {
        live.set_cookie(name, "secret");
    }
    let page = live.get("/").await.unwrap();
    assert_eq!(seen(&page, "cookie"), ["mine=1"]);
    assert_eq!(seen(&page, "x-choiros-user-id"), [&*house.ada.user_id]);
    assert_eq!(seen(&page, "x-choiros-user-name"), ["ada"]);
    assert_eq!(seen(&page, "x-choiros-workspace"), ["sandbox"]);
    assert_eq!(seen(&page, "x-choiros-role"), ["live"]);
    let port = house.gateway.port();
    assert_eq!(seen(&page, "host"), [format!("sandbox.localhost:{port}")]);
    assert!(seen(&page, "x-forwarded-prefix").is_empty());
    let spoofed = live
        .request(Method::GET, "/")
        .header("x-choiros-user-name", "root");
    assert_eq!(
        seen(&spoofed.send().await.unwrap(), "x-choiros-user-name"),
        ["ada"]
    );
}

/// The status with which a page of this kind gets what it asks for.
async fn as_page(client: &Client, method: Method, site: &str, mode: &str, dest: &str) -> u16 {
    let request = client.request(method, "/").without("origin");
    let request = request
        .header("sec-fetch-site", site)
        .header("sec-fetch-mode", mode)
        .header("sec-fetch-dest", dest);
    request.send().await.unwrap().status.as_u16()
}

#[tokio::test]
async fn another_origins_page_has_nothing_of_the_persons() {
    let house = House::new().await;
    let live = house.at_live().await;
    for site in ["same-site", "cross-site", "", "nonsense"] {
        for (mode, dest) in [
            ("no-cors", "image"),
            ("cors", "empty"),
            ("no-cors", "script"),
            ("websocket", "websocket"),
        ] {
            assert_eq!(
                as_page(&live, Method::GET, site, mode, dest).await,
                401,
                "{site} {dest}"
            );
        }
        for dest in ["iframe", "frame", "object", "embed", "fencedframe"] {
            assert_eq!(
                as_page(&live, Method::GET, site, "navigate", dest).await,
                401,
                "{dest}"
            );
        }
        assert_eq!(
            as_page(&live, Method::HEAD, site, "navigate", "document").await,
            401
        );
        assert_eq!(
            as_page(&live, Method::GET, site, "navigate", "document").await,
            200,
            "{site}"
        );
        assert_eq!(
            as_page(&live, Method::POST, site, "navigate", "document").await,
            403,
            "{site}"
        );
    }
    for site in ["same-origin", "none"] {
        assert_eq!(
            as_page(&live, Method::GET, site, "no-cors", "image").await,
            200
        );
        assert_eq!(
            as_page(&live, Method::GET, site, "navigate", "iframe").await,
            200
        );
        assert_eq!(
            as_page(&live, Method::POST, site, "cors", "empty").await,
            200
        );
    }
}

#[tokio::test]
async fn what_changes_something_comes_from_that_very_sandbox() {
    let house = House::new().await;
    let live = house.at_live().await;
    let gateway = house.gateway.base_url();
    let (own, dev) = (house.origin("sandbox"), house.origin("sandbox-dev"));
    for (origin, status) in [
        (&*own, 200),
        (&gateway, 403),
        (&dev, 403),
        ("null", 403),
        ("https://evil.example", 403),
    ] {
        let request = program(&live, Method::POST, "/x").header("origin", origin);
        assert_eq!(request.send().await.unwrap().status, status, "{origin}");
    }
    // A form on a page of its own that hides its address.
    for (site, status) in [
        ("same-origin", 200),
        ("same-site", 403),
        ("cross-site", 403),
    ] {
        let form = live.request(Method::POST, "/x").header("origin", "null");
        let response = form.header("sec-fetch-site", site).send().await.unwrap();
        assert_eq!(response.status, status, "{site}");
    }
    // A program with a grant is one.
    let request = program(&live, Method::DELETE, "/x");
    assert_eq!(request.send().await.unwrap().status, 200);

    assert!(live.websocket("/ws").await.is_ok());
    let cookies = format!("choiros-grant-{}", house.gateway.port());
    for other in ["sandbox-dev", "other", "nobody"] {
        let page = house.stranger(other);
        page.set_cookie(&cookies, &live.cookie(&cookies).unwrap());
        assert!(page.websocket("/ws").await.is_err());
    }
    let foreign = live
        .request(Method::GET, "/ws")
        .header("origin", &dev)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .send()
        .await
        .unwrap();
    assert_eq!(code(&foreign), "foreign_origin");
}

#[tokio::test]
async fn a_program_is_told_to_come_with_a_grant() {
    let house = House::new().await;
    let stranger = house.stranger("sandbox");
    for method in [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS] {
        let is_head = method == Method::HEAD;
        let response = program(&stranger, method, "/x").send().await.unwrap();
        assert_eq!(response.status, 401);
        assert!(response.header("location").is_none());
        if !is_head {
            assert_eq!(code(&response), "unauthenticated");
            assert!(response.text().contains(&house.origin("sandbox")));
        }
    }
}

#[tokio::test]
async fn a_sandbox_speaks_for_its_own_origin_and_for_no_other() {
    let said = [
        ("service-worker-allowed", "/"),
        ("origin-agent-cluster", "?1"),
        ("clear-site-data", "\"cookies\", \"storage\""),
        ("strict-transport-security", "max-age=0; includeSubDomains"),
        ("alt-svc", "h3=\":8443\""),
        ("x-accel-redirect", "/etc/passwd"),
        ("set-cookie", "mine=1; Path=/"),
        ("set-cookie", "wide=1; Domain=localhost; Path=/"),
        ("set-cookie", "choiros-grant-1=evil; Path=/"),
        ("set-cookie", "__Host-choiros=evil; Path=/; Secure"),
    ];
    let app =
        axum::Router::new().fallback(move || async move { axum::response::AppendHeaders(said) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, dev) = (
        listener.local_addr().unwrap(),
        Side::start("dev").await.address,
    );
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = format!(
        "[runtime]\nkind = \"adopt\"\n\
         [workspaces.sandbox.live]\naddress = \"{address}\"\nidentity = false\n\
         [workspaces.sandbox.dev]\naddress = \"{dev}\"\nidentity = false\n"
    );
    let gateway = builder_of_own_origins()
        .config(&config)
        .start()
        .await
        .unwrap();
    let ada = Person::register(&gateway, "ada").await.unwrap();
    let live = ada.enter("sandbox.localhost").await.unwrap();
    let page = live.get("/").await.unwrap();
    assert_eq!(page.status, 200);
    assert_eq!(page.header("service-worker-allowed"), Some("/"));
    assert_eq!(page.header("origin-agent-cluster"), Some("?1"));
    assert_eq!(page.header("clear-site-data"), Some("\"storage\""));
    for name in ["strict-transport-security", "alt-svc", "x-accel-redirect"] {
        assert!(page.header(name).is_none(), "{name}");
    }
    let cookies: Vec<_> = page.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["mine=1; Path=/", "wide=1; Path=/"]);
}
