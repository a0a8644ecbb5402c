//! Which host is whose.

use super::{House, code, location, program};
use http::Method;
use serde_json::Value;
use testkit::raw::{Raw, status};

#[tokio::test]
async fn the_gateways_host_has_its_own_pages_and_proxies_nothing() {
    let house = House::new().await;
    let client = &house.ada.client;
    for (path, to) in [
        ("/", "sandbox/"),
        ("/?a=1", "sandbox/?a=1"),
        ("/dev", "sandbox-dev/"),
        ("/dev/", "sandbox-dev/"),
        ("/dev/x?y=%2F", "sandbox-dev/x?y=%2F"),
        ("/dev?a=1", "sandbox-dev/?a=1"),
        ("/dev//evil.example/", "sandbox-dev//evil.example/"),
        ("/dev@evil.example/", ""),
    ] {
        let response = client.navigate(path).await.unwrap();
        if to.is_empty() {
            assert_eq!(response.status, 404, "{path}");
            continue;
        }
        let (label, rest) = to.split_once('/').unwrap();
        let expected = format!("{}/{rest}", house.origin(label));
        assert_eq!(location(&response), expected, "{path}");
    }
    for path in ["/account", "/auth/account", "/login", "/health", "/auth/me"] {
        assert_eq!(client.navigate(path).await.unwrap().status, 200, "{path}");
    }
    for path in [
        "/x",
        "/index.html",
        "/.choiros/enter",
        "/devices",
        "/login/x",
        "//",
    ] {
        let response = client.navigate(path).await.unwrap();
        assert_eq!(response.status, 404, "{path}");
        assert!(response.header("x-side").is_none());
        assert!(response.text().contains("/account"), "a page with a way on");
        assert_eq!(code(&client.get(path).await.unwrap()), "not_found");
    }
    let posted = client.request(Method::POST, "/dev/x").send().await.unwrap();
    assert_eq!(posted.status, 404);
    // Whoever is not logged in is asked to, whatever the path leads to.
    let stranger = house.gateway.client();
    let asked = stranger.navigate("/dev/x").await.unwrap();
    assert_eq!(location(&asked), "/login?next=%2Fdev%2Fx");
    assert_eq!(stranger.get("/").await.unwrap().status, 401);
}

#[tokio::test]
async fn a_name_below_the_domain_that_is_no_sandboxs_is_said_to_be_none() {
    let house = House::new().await;
    for label in [
        "nobody",
        "sandbox-dev-dev",
        "a.sandbox",
        "sandbox.other",
        "dev",
        "-dev",
    ] {
        let client = house.stranger(label);
        let page = client.navigate("/auth/me").await.unwrap();
        assert_eq!(page.status, 404, "{label}");
        assert!(page.text().contains("no sandbox at this address"));
        assert_eq!(code(&client.get("/health").await.unwrap()), "no_host");
    }
    // Browsers write hosts in lowercase, others need not.
    let request = program(&house.gateway.client(), Method::GET, "/x");
    let shouted = request.header("host", "SANDBOX-dev.LocalHost").send();
    assert!(
        shouted
            .await
            .unwrap()
            .text()
            .contains("sandbox-dev.localhost")
    );
    // A health check by address goes on.
    for host in ["127.0.0.1", "[::1]:9090", "other.example", "localhost."] {
        let mut raw = Raw::connect(house.gateway.address()).await.unwrap();
        let request = format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n");
        raw.send(&request).await.unwrap();
        assert_eq!(status(raw.read_head().await.unwrap()), Some(200), "{host}");
    }
}

#[tokio::test]
async fn what_gets_certificates_is_told_which_names_there_are() {
    let house = House::new().await;
    let client = house.gateway.client();
    let asked = async |domain: &str| {
        let path = format!("/api/hosts?domain={domain}");
        let request = program(&client, Method::GET, &path);
        request.header("host", "127.0.0.1").send().await.unwrap()
    };
    for name in [
        "localhost",
        "sandbox.localhost",
        "other-dev.localhost",
        "Other.LOCALHOST",
    ] {
        assert_eq!(asked(name).await.status, 200, "{name}");
    }
    for name in [
        "",
        "nobody.localhost",
        "example.org",
        "127.0.0.1",
        ".localhost",
        "localhost.",
    ] {
        assert_eq!(asked(name).await.status, 404, "{name}");
    }
    let unsaid = program(&client, Method::GET, "/api/hosts")
        .send()
        .await
        .unwrap();
    assert_eq!(unsaid.status, 400);
    let for_another = program(&client, Method::GET, "/api/hosts?domain=sandbox.localhost")
        .header("x-forwarded-for", "192.0.2.1")
        .send()
        .await
        .unwrap();
    assert_eq!(code(&for_another), "hosts_closed");
}

#[tokio::test]
async fn rows_have_the_address_and_the_access() {
    let house = House::new().await;
    let rows = house.ada.client.get("/admin/sandboxes").await.unwrap();
    let rows: Vec<Value> = rows.json().unwrap();
    let told = rows.iter().map(|row| {
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        (text("role"), text("url"), text("access"))
    });
    let url = |label| format!("{}/", house.origin(label));
    let expected = [
        ("live".to_owned(), url("sandbox"), "members".to_owned()),
        ("dev".to_owned(), url("sandbox-dev"), "members".to_owned()),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
