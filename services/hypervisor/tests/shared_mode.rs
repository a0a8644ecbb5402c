//! `origins = "shared"`: what an app below `/dev/` and one that has our paths can do, and what no
//! sandbox can.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::builder;
use common::shell::at;
use http::Method;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::browser::Browser;
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::upstream::Upstream;
use testkit::wait::eventually;

const ADA: &str = "ada@example.org";

/// A gateway before two apps that say whatever they are asked to.
async fn gateway(more: &[(&str, &str)]) -> (Hypervisor, Upstream, Upstream) {
    let (live, dev) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    let gateway = before(live.address(), dev.address(), more).await;
    (gateway, live, dev)
}

async fn before(live: SocketAddr, dev: SocketAddr, more: &[(&str, &str)]) -> Hypervisor {
    let config = format!(
        "[runtime]\nkind = \"adopt\"\n\
         [workspaces.sandbox.live]\naddress = \"{live}\"\nidentity = false\n\
         [workspaces.sandbox.dev]\naddress = \"{dev}\"\nidentity = false\n"
    );
    let builder = more
        .iter()
        .fold(builder().config(&config), |builder, (name, value)| {
            builder.env(name, value)
        });
    builder.start().await.unwrap()
}

/// The path of a response of the app with this field.
fn replying(base: &str, status: u16, fields: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("status", &status.to_string());
    for (name, value) in fields {
        query.append_pair("header", &format!("{name}:{value}"));
    }
    format!("{base}/reply?{}", query.finish())
}

#[tokio::test]
async fn what_an_app_below_dev_says_of_its_addresses_leads_below_dev() {
    let (gateway, live, dev) = gateway(&[]).await;
    let person = Person::register(&gateway, "alice").await.unwrap();
    let client = &person.client;
    let port = gateway.port();
    let own = dev.address();
    let rows = [
        ("location", "/x?y#z".to_owned(), "/dev/x?y#z".to_owned()),
        ("location", "/dev/x".into(), "/dev/x".into()),
        ("location", "x".into(), "x".into()),
        ("location", "../../x".into(), "/dev/x".into()),
        (
            "location",
            format!("http://localhost:{port}/x"),
            format!("http://localhost:{port}/dev/x"),
        ),
        ("location", format!("http://{own}/x"), "/dev/x".into()),
        (
            "location",
            "https://example.org/x".into(),
            "https://example.org/x".into(),
        ),
        (
            "location",
            "//example.org/x".into(),
            "//example.org/x".into(),
        ),
        ("content-location", "/x".into(), "/dev/x".into()),
        ("sourcemap", "/x.map".into(), "/dev/x.map".into()),
        ("refresh", "5; URL='/x'".into(), "5; URL='/dev/x'".into()),
        ("refresh", "5".into(), "5".into()),
        (
            "link",
            "</a>; rel=preload, <b>, </dev/c>".into(),
            "</dev/a>; rel=preload, <b>, </dev/c>".into(),
        ),
        (
            "set-cookie",
            "a=1; Path=/; HttpOnly".into(),
            "a=1; Path=/dev/; HttpOnly".into(),
        ),
        ("set-cookie", "a=1;path=/x".into(), "a=1;path=/dev/x".into()),
        (
            "set-cookie",
            "a=1; Path=/dev/x".into(),
            "a=1; Path=/dev/x".into(),
        ),
        ("set-cookie", "a=1".into(), "a=1".into()),
        ("x-app", "/x".into(), "/x".into()),
    ];
    for (name, said, told) in rows {
        for status in [201, 302, 404] {
            let fields = [(name, &*said)];
            let response = client
                .get(&replying("/dev", status, &fields))
                .await
                .unwrap();
            assert_eq!(response.status, status);
            assert_eq!(
                response.header(name),
                Some(&*told),
                "dev says {name}: {said}"
            );
            let response = client.get(&replying("", status, &fields)).await.unwrap();
            assert_eq!(
                response.header(name),
                Some(&*said),
                "live says {name}: {said}"
            );
        }
    }
    let cookies = [
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "b=2"),
        ("set-cookie", "c=3; Path=/c"),
    ];
    let response = client.get(&replying("/dev", 200, &cookies)).await.unwrap();
    let told: Vec<_> = response.headers.get_all("set-cookie").iter().collect();
    assert_eq!(told, ["a=1; Path=/dev/", "b=2", "c=3; Path=/dev/c"]);
    drop(live);
}

#[tokio::test]
async fn an_app_below_dev_is_told_of_its_prefix_and_no_client_tells_it_another() {
    let (gateway, _live, _dev) = gateway(&[]).await;
    let person = Person::register(&gateway, "alice").await.unwrap();
    let client = &person.client;
    for (path, prefix) in [("/dev/x", vec![json!("/dev")]), ("/x", vec![])] {
        let request = client
            .request(Method::GET, path)
            .header("x-forwarded-prefix", "/evil");
        let seen: Value = request.send().await.unwrap().json().unwrap();
        let told: Vec<_> = seen["headers"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| line[0] == "x-forwarded-prefix")
            .map(|line| line[1].clone())
            .collect();
        assert_eq!(told, prefix, "{path}");
    }
}

#[tokio::test]
async fn dev_itself_is_sent_below_it_with_method_and_query() {
    let (gateway, _live, dev) = gateway(&[]).await;
    let person = Person::register(&gateway, "alice").await.unwrap();
    for (method, path, to) in [
        (Method::GET, "/dev", "/dev/"),
        (Method::POST, "/dev?a=/b", "/dev/?a=/b"),
    ] {
        let response = person.client.request(method, path).send().await.unwrap();
        assert_eq!(response.status, 308, "{path}");
        assert_eq!(response.header("location"), Some(to));
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
    assert_eq!(dev.seen("/"), 0);
    let stranger = gateway.client().navigate("/dev?a").await.unwrap();
    assert_eq!(stranger.header("location"), Some("/login?next=%2Fdev%3Fa"));
}

#[tokio::test]
async fn a_webdav_client_names_resources_below_dev() {
    let (gateway, _live, dev) = gateway(&[]).await;
    let person = Person::register(&gateway, "alice").await.unwrap();
    let host = format!("http://localhost:{}", gateway.port());
    let send = async |method: &str, destination: &str| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = person.client.request(method, "/dev/a");
        let tags = format!("<{host}/dev/a> (<urn:x> [\"/dev/b\"]) </dev/c> (Not <t>)");
        let request = request
            .header("destination", destination)
            .header("if", &tags);
        request.send().await.unwrap()
    };
    for method in ["COPY", "MOVE"] {
        for (given, told) in [
            (format!("{host}/dev/b"), format!("{host}/b")),
            ("/dev/b%20c".into(), "/b%20c".into()),
        ] {
            let seen: Value = send(method, &given).await.json().unwrap();
            let headers = seen["headers"].as_array().unwrap();
            let tags = format!("<{host}/a> (<urn:x> [\"/dev/b\"]) </c> (Not <t>)");
            assert!(headers.contains(&json!(["destination", told])), "{seen}");
            assert!(headers.contains(&json!(["if", tags])), "{seen}");
        }
        let before = dev.seen("/a");
        for elsewhere in ["/b", "https://example.org/dev/b", "/devices/b", "b"] {
            let refused = send(method, elsewhere).await;
            assert_eq!(refused.status, 502, "{elsewhere}");
            assert_eq!(
                refused.json::<Value>().unwrap()["error"],
                "foreign_destination"
            );
        }
        assert_eq!(dev.seen("/a"), before);
    }
    let seen: Value = send("POST", "/queue").await.json().unwrap();
    assert!(
        seen["headers"]
            .as_array()
            .unwrap()
            .contains(&json!(["destination", "/queue"]))
    );
}

#[tokio::test]
async fn with_a_prefix_every_other_path_is_the_apps() {
    let (gateway, live, dev) = gateway(&[("HYPERVISOR_GATEWAY_PREFIX", "/.choiros")]).await;
    // Its own health is asked below the prefix, and the apps' is theirs.
    let stranger = gateway.client();
    let health: Value = stranger
        .get("/.choiros/health")
        .await
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(health["service"], "choiros-hypervisor");
    assert_eq!(stranger.get("/health").await.unwrap().status, 401);
    let login = stranger.navigate("/login?x").await.unwrap();
    assert_eq!(
        login.header("location"),
        Some("/.choiros/login?next=%2Flogin%3Fx")
    );
    let account = stranger.navigate("/.choiros/auth/account").await.unwrap();
    let to = "/.choiros/login?next=%2F.choiros%2Fauth%2Faccount";
    assert_eq!(account.header("location"), Some(to));
    let unknown = stranger.get("/.choiros/nothing").await.unwrap();
    assert_eq!(unknown.status, 404);
    let invite = gateway.cli(&["invite"]).await.unwrap();
    let invite = String::from_utf8(invite.stdout).unwrap();
    assert!(invite.contains("/.choiros/register?invite="), "{invite}");
    let browser = Browser::launch().await;
    let page = browser.person().await;
    page.open(&at(&gateway, "/.choiros/register")).await;
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    page.click("@recovery-codes-continue").await;
    page.until(
        "live is there",
        "document.body.innerText.includes('\"target\":\"/\"')",
    )
    .await;
    for path in [
        "/health",
        "/metrics",
        "/login",
        "/admin/x",
        "/auth/me",
        "/register",
        "/recovery",
        "/account",
    ] {
        for (base, app) in [("", &live), ("/dev", &dev)] {
            let before = app.seen(path);
            page.open(&at(&gateway, &format!("{base}{path}"))).await;
            // Health is asked by the gateway, too.
            assert!(app.seen(path) > before, "{base}{path}");
        }
    }
    page.open(&at(&gateway, "/.choiros/auth/account")).await;
    page.see("@account-page").await;
    page.click("@logout-button").await;
    page.at("/.choiros/login").await;
    page.see("@auth-modal").await;
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    page.until(
        "live is there again",
        "document.body.innerText.includes('\"target\":\"/\"')",
    )
    .await;
    assert_eq!(
        live.seen("/.choiros/login") + live.seen("/.choiros/nothing"),
        0
    );
    let mut complaints = page.console();
    // What log-out has cleared is said there, too.
    complaints.retain(|line| !line.starts_with("Clear-Site-Data"));
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[tokio::test]
async fn a_service_worker_in_a_folder_is_the_apps_affair() {
    let (gateway, live, dev) = gateway(&[]).await;
    let person = Person::register(&gateway, "alice").await.unwrap();
    for (path, seen, status) in [
        ("/sw.js", 0, 403),
        ("/app%2Fsw.js", 0, 403),
        ("/login", 0, 403),
        ("/app/sw.js", 1, 200),
        ("/dev/sw.js", 1, 200),
    ] {
        let request = person.client.request(Method::GET, path);
        let request = request.header("service-worker", "script");
        let response = request.send().await.unwrap();
        assert_eq!(response.status, status, "{path}");
        let path = path.strip_prefix("/dev").unwrap_or(path);
        assert_eq!(live.seen(path) + dev.seen(path), seen, "{path}");
        if status == 403 {
            let error: Value = response.json().unwrap();
            assert_eq!(error["error"], "service_worker_scope");
        }
    }
}

#[tokio::test]
async fn no_service_worker_comes_between_a_person_and_the_log_in_page() {
    let (gateway, live, dev) = gateway(&[]).await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up_to(&page, &gateway).await;
    let script = |folder: &str| {
        replying(
            folder,
            200,
            &[
                ("content-type", "text/javascript"),
                ("service-worker-allowed", "/"),
            ],
        )
    };
    let register = async |path: &str, scope: &str| -> String {
        let call = format!(
            "navigator.serviceWorker.register({}, {{scope: {}}}).then((it) => it.scope, (error) => error.name)",
            json!(path),
            json!(scope)
        );
        page.eval(&call).await
    };
    let before = live.seen("/reply");
    for path in [
        "/reply",
        "/.//reply",
        "/x/../reply",
        "/x/%2e%2e/reply",
        "\\reply",
    ] {
        let path = script("").replacen("/reply", path, 1);
        assert_eq!(register(&path, "/").await, "TypeError", "{path}");
    }
    assert_eq!(
        live.seen("/reply"),
        before,
        "the sandbox was not asked for any"
    );
    let path = script("/dev");
    assert_eq!(register(&path, "/").await, "SecurityError", "dev, over all");
    assert!(dev.seen("/reply") > 0);
    page.open(&at(&gateway, "/auth/account")).await;
    page.click("@logout-button").await;
    page.see("@auth-modal").await;
    let controlled: bool = page
        .eval("navigator.serviceWorker.controller !== null")
        .await;
    assert!(!controlled);
}

#[tokio::test]
async fn an_app_with_a_log_in_of_its_own_does_not_send_people_round_for_ever() {
    let (lab, asked) = lab().await;
    let dev = Upstream::start().await.unwrap();
    let gateway = before(lab, dev.address(), &[]).await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up_to(&page, &gateway).await;
    page.open(&at(&gateway, "/lab?token")).await;
    page.read("@sent-again", "You are logged in").await;
    page.read("@sent-again", "gateway_prefix").await;
    assert_eq!(
        asked.load(Ordering::SeqCst),
        2,
        "once by the person, once led there"
    );
    page.click("@sent-again-link").await;
    // The page that says so is what it was before, too.
    let once_more = async || (asked.load(Ordering::SeqCst) == 3).then_some(());
    eventually("the app to be asked once more", once_more)
        .await
        .unwrap();
    page.read("@sent-again", "You are logged in").await;
    // Whoever comes to the log-in page by hand is led on, as ever.
    page.eval::<bool>("(sessionStorage.clear(), true)").await;
    page.open(&at(&gateway, "/login?next=/x")).await;
    page.at("/x").await;
}

#[tokio::test]
async fn a_websocket_and_a_redirect_of_an_app_below_dev_reach_it() {
    let (gateway, _live, dev) = gateway(&[]).await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up_to(&page, &gateway).await;
    page.open(&at(
        &gateway,
        &replying(
            "/dev",
            302,
            &[("location", "/app?x"), ("set-cookie", "seen=1; Path=/")],
        ),
    ))
    .await;
    page.at("/dev/app").await;
    let cookie: String = page.eval("document.cookie").await;
    assert_eq!(cookie, "seen=1");
    let said: String = page
        .eval("new Promise((done) => { const socket = new WebSocket(new URL('ws', location.href).href.replace('http', 'ws')); socket.onopen = () => socket.send('hi'); socket.onmessage = (it) => done(it.data); socket.onclose = () => done('closed'); })")
        .await;
    assert_eq!(said, "hi");
    assert_eq!(dev.seen("/ws"), 1);
    page.open(&at(&gateway, "/x")).await;
    let cookie: String = page.eval("document.cookie").await;
    assert_eq!(cookie, "", "live is not sent dev's");
}

/// An app that wants a log-in of its own for `/lab`, and counts who comes there.
async fn lab() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let to_login = async move || -> Response {
        count.fetch_add(1, Ordering::SeqCst);
        let location = [(http::header::LOCATION, "/login?next=%2Flab%3Ftoken")];
        (http::StatusCode::FOUND, location).into_response()
    };
    let router = Router::new()
        .route("/lab", get(to_login))
        .fallback(async || r#"{"target":"/"}"#);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, asked)
}

/// Signs up, and goes on to live.
async fn sign_up_to(page: &testkit::browser::Page, gateway: &Hypervisor) {
    page.open(&at(gateway, "/register")).await;
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    page.click("@recovery-codes-continue").await;
    page.until(
        "live is there",
        "document.body.innerText.includes('\"target\"')",
    )
    .await;
}
