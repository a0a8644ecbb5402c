//! Who may send what where, seen from both ends of the whole program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::{Side, builder, gateway, seen, sides};
use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::raw::Raw;

async fn start() -> (Hypervisor, Person) {
    let (_, _, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    (gateway, person)
}

#[tokio::test]
async fn dev_is_reached_under_its_prefix_and_nothing_else_is_dev() {
    let (_gateway, person) = start().await;
    for (path, side, target) in [
        ("/", "sandbox-live", "/"),
        ("/dev/", "sandbox-dev", "/"),
        ("/dev/x?a=%2F", "sandbox-dev", "/x?a=%2F"),
        ("/dev/dev/x", "sandbox-dev", "/dev/x"),
        ("/devices", "sandbox-live", "/devices"),
        ("/x/dev", "sandbox-live", "/x/dev"),
        ("//admin/sandboxes", "sandbox-live", "//admin/sandboxes"),
        ("/%61dmin", "sandbox-live", "/%61dmin"),
        ("/healthy", "sandbox-live", "/healthy"),
    ] {
        let response = person.client.get(path).await.unwrap();
        assert_eq!(response.header("x-side"), Some(side), "{path}");
        assert_eq!(
            response.json::<Value>().unwrap()["target"],
            target,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_sandbox_learns_who_calls_and_never_our_cookie() {
    let (_gateway, person) = start().await;
    let mine = person.cookie();
    let response = person
        .client
        .request(Method::GET, "/dev/x")
        .header("cookie", &format!("a=1; {mine}; b=2"))
        .header("x-choiros-user-id", "somebody-else")
        .header("x-choiros-admin", "yes")
        .header("x-forwarded-for", "192.0.2.1")
        .header("connection", "x-private")
        .header("x-private", "for the gateway alone")
        .send()
        .await
        .unwrap();
    assert_eq!(seen(&response, "cookie"), ["a=1; b=2"]);
    assert_eq!(
        seen(&response, "x-choiros-user-id"),
        std::slice::from_ref(&person.user_id)
    );
    assert_eq!(seen(&response, "x-choiros-workspace"), ["sandbox"]);
    assert_eq!(seen(&response, "x-choiros-role"), ["dev"]);
    assert_eq!(seen(&response, "x-choiros-generation"), ["1"]);
    assert_eq!(seen(&response, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen(&response, "x-forwarded-proto"), ["http"]);
    for gone in ["x-choiros-admin", "x-private"] {
        assert_eq!(seen(&response, gone), [""; 0], "{gone}");
    }
    assert_eq!(seen(&response, "traceparent").len(), 1);
}

#[tokio::test]
async fn one_connection_serves_the_sandboxes_and_our_own_pages() {
    let (gateway, person) = start().await;
    let cookie = person.cookie();
    let requests: String = ["/", "/dev/x", "/login", "/health", "/", "/dev/"]
        .map(|path| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"))
        .concat();
    let mut raw = Raw::connect(gateway.address()).await.unwrap();
    raw.send(requests).await.unwrap();
    for expected in [
        "x-side: sandbox-live\r\n",
        "x-side: sandbox-dev\r\n",
        "<!doctype html>",
        "choiros-hypervisor",
        "x-side: sandbox-live\r\n",
        "x-side: sandbox-dev\r\n",
    ] {
        let passed = raw.read_until(expected).await.unwrap();
        assert_eq!(passed.matches("HTTP/1.1 200 OK\r\n").count(), 1, "{passed}");
    }
}

#[tokio::test]
async fn a_body_of_a_mebibyte_arrives_whole() {
    let (_gateway, person) = start().await;
    let request = person.client.request(Method::PUT, "/upload");
    let response = request.body(vec![7; 1 << 20]).send().await.unwrap();
    assert_eq!(response.json::<Value>().unwrap()["bytes"], 1 << 20);
}

#[tokio::test]
async fn without_a_session_people_are_sent_to_log_in_and_programs_are_told_to() {
    let (gateway, _person) = start().await;
    let stranger = gateway.client();
    for path in ["/", "/dev/a?b=c", "/auth/account", "/admin/sandboxes"] {
        let page = stranger.navigate(path).await.unwrap();
        let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        assert_eq!(page.status, 303, "{path}");
        assert_eq!(
            page.header("location"),
            Some(&*format!("/login?next={next}"))
        );
        let fetched = stranger.get(path).await.unwrap();
        assert_eq!(fetched.status, 401, "{path}");
        assert_eq!(fetched.json::<Value>().unwrap()["error"], "unauthenticated");
        let posted = stranger.post_json(path, &json!({})).await.unwrap();
        assert_eq!(posted.status, 401, "{path}");
    }
    assert!(stranger.websocket("/ws").await.is_err());
    let bare = stranger
        .request(Method::GET, "/")
        .without("sec-fetch-site")
        .without("sec-fetch-mode");
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    for (accept, status) in [(html, 303), ("*/*", 401), ("application/json", 401)] {
        let response = bare.clone().header("accept", accept).send().await.unwrap();
        assert_eq!(response.status, status, "{accept}");
    }
}

#[tokio::test]
async fn a_change_from_another_origin_is_refused_everywhere() {
    let (_gateway, person) = start().await;
    let swap = format!("/admin/sandboxes/{}/swap", person.user_id);
    let stop = format!("/admin/sandboxes/{}/live/stop", person.user_id);
    for path in ["/", "/dev/x", "/auth/logout", &swap, &stop] {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = person
                .client
                .request(Method::POST, path)
                .header(name, value);
            let response = request.send().await.unwrap();
            assert_eq!(response.status, 403, "{path} {name}: {value}");
            assert_eq!(response.json::<Value>().unwrap()["error"], "cross_origin");
        }
        // A page that hides its address is told from a frame without one by its site alone.
        let null = person
            .client
            .request(Method::POST, path)
            .header("origin", "null");
        let response = null.without("sec-fetch-site").send().await.unwrap();
        assert_eq!(response.status, 403, "{path}");
    }
    let rows: Vec<Value> = person
        .client
        .get("/admin/sandboxes")
        .await
        .unwrap()
        .json()
        .unwrap();
    assert!(
        rows.iter()
            .all(|row| row["generation"] == 1 && row["status"] == "running")
    );
    let program = person
        .client
        .request(Method::POST, "/x")
        .without("origin")
        .without("sec-fetch-site")
        .without("sec-fetch-mode");
    assert_eq!(
        program.send().await.unwrap().status,
        200,
        "neither header is no browser"
    );
}

#[tokio::test]
async fn what_we_do_not_know_is_told_in_json_with_its_mend() {
    let (_gateway, person) = start().await;
    let acts = "/auth/acts/start";
    for (method, path, body, status, error) in [
        (Method::GET, "/admin/nothing", "", 404, "not_found"),
        (Method::GET, "/auth/nothing", "", 404, "not_found"),
        (
            Method::DELETE,
            "/admin/sandboxes",
            "",
            405,
            "method_not_allowed",
        ),
        (
            Method::POST,
            "/admin/sandboxes/me/swap",
            "{}",
            403,
            "passkey_required",
        ),
        (
            Method::POST,
            "/admin/sandboxes/me/live/eat",
            "{}",
            404,
            "not_found",
        ),
        (
            Method::POST,
            acts,
            "{\"act\": \"swap\", \"user_id\": \"00000000-0000-0000-0000-000000000000\", \"drain_secs\": \"long\"}",
            400,
            "bad_request",
        ),
        (
            Method::POST,
            acts,
            "{\"act\": \"swap\", \"user_id\": \"00000000-0000-0000-0000-000000000000\", \"drian_secs\": 1}",
            400,
            "bad_request",
        ),
        (
            Method::POST,
            acts,
            "{\"act\": \"swap\"}",
            400,
            "bad_request",
        ),
        (Method::POST, acts, "{\"act\": \"eat\"}", 400, "bad_request"),
        (
            Method::POST,
            acts,
            "{\"act\": \"invite\", \"admins\": true}",
            400,
            "bad_request",
        ),
        (Method::POST, acts, "nonsense", 400, "bad_request"),
    ] {
        let request = person.client.request(method.clone(), path);
        let response = request.body(body).send().await.unwrap();
        assert_eq!(
            response.status,
            status,
            "{method} {path} {body}: {}",
            response.text()
        );
        let said: Value = response.json().unwrap();
        assert_eq!(said["error"], error, "{method} {path} {body}");
        assert!(said["message"].as_str().unwrap().len() > 20);
    }
}

#[tokio::test]
async fn metrics_are_for_loopback_and_bearers_of_the_token() {
    let mut token = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut token, b"s3cret\n").unwrap();
    // A trusted proxy names the client, which is then no longer this machine.
    let gateway = builder()
        .env("HYPERVISOR_SERVER_TRUSTED_PROXIES", "[\"127.0.0.0/8\"]")
        .env(
            "HYPERVISOR_SERVER_METRICS_TOKEN_FILE",
            token.path().to_str().unwrap(),
        )
        .start()
        .await
        .unwrap();
    let client = gateway.client();
    let here = client.get("/metrics").await.unwrap();
    assert_eq!(here.status, 200);
    assert!(
        here.text()
            .contains("choiros_sandboxes{status=\"stopped\"} 2"),
        "{}",
        here.text()
    );
    let away = || {
        client
            .request(Method::GET, "/metrics")
            .header("x-forwarded-for", "192.0.2.1")
    };
    assert_eq!(away().send().await.unwrap().status, 403);
    let with = |token: &str| away().header("authorization", &format!("Bearer {token}"));
    assert_eq!(with("s3cret").send().await.unwrap().status, 200);
    for wrong in ["", "s3cre", "S3cret"] {
        assert_eq!(with(wrong).send().await.unwrap().status, 403, "{wrong:?}");
    }
    let rebound = client
        .request(Method::GET, "/metrics")
        .header("host", "evil.example");
    assert_eq!(
        rebound.send().await.unwrap().status,
        403,
        "a rebound name is no loopback"
    );
}

#[tokio::test]
async fn health_says_who_answers_and_deep_health_what_ails() {
    let (live, _dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let client = gateway.client();
    let said: Value = client.get("/health").await.unwrap().json().unwrap();
    assert_eq!(
        (&said["status"], &said["service"]),
        (&json!("healthy"), &json!("choiros-hypervisor"))
    );
    let deep = async |status: u16| {
        let response = client.get("/health?deep").await.unwrap();
        (response.status == status).then(|| response.text())
    };
    testkit::wait::eventually("deep health", async || deep(200).await)
        .await
        .unwrap();
    live.set_healthy(false);
    let ailing = testkit::wait::eventually("deep illness", async || deep(503).await)
        .await
        .unwrap();
    assert!(
        ailing.contains("sandbox-live") && ailing.contains("503"),
        "{ailing}"
    );
    assert_eq!(
        client.get("/health").await.unwrap().status,
        200,
        "the gateway itself is well"
    );
}

#[tokio::test]
async fn another_rp_id_stops_the_start_with_a_sentence() {
    let mut gateway = gateway().await;
    gateway.set_env("WEBAUTHN_RP_ID", "app.localhost");
    let origin = format!("http://app.localhost:{}", gateway.port());
    gateway.set_env("WEBAUTHN_RP_ORIGIN", &origin);
    gateway.respawn().await.unwrap();
    assert_eq!(gateway.wait_exit().await.unwrap().code(), Some(1));
    let said = gateway.process().transcript();
    assert!(
        said.contains("`localhost`") && said.contains("`app.localhost`"),
        "{said}"
    );
    assert!(said.contains("auth.rp_id"), "{said}");
}

#[tokio::test]
async fn a_sandbox_that_listens_on_ipv6_alone_serves_on_either_way() {
    let live = Side::start_at("live", "[::1]:0").await;
    let dev = Side::start("dev").await;
    let config = format!(
        "[runtime]\nkind = \"adopt\"\n[workspaces.sandbox.live]\nport = {}\n\
         [workspaces.sandbox.dev]\naddress = \"localhost:{}\"\n",
        live.address.port(),
        dev.address.port()
    );
    let gateway = builder().config(&config).start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    for (path, side) in [("/x", "sandbox-live"), ("/dev/x", "sandbox-dev")] {
        let response = person.client.get(path).await.unwrap();
        assert_eq!(response.header("x-side"), Some(side), "{}", response.text());
    }
    // An upgrade is hyper's.
    let mut socket = person.client.websocket("/ws").await.unwrap();
    let hello = socket.next().await.unwrap().unwrap();
    assert_eq!(hello.to_text().unwrap(), "sandbox-live");
}
