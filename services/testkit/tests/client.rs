//! The client, against a small server.
#![expect(clippy::unwrap_used, reason = "a test")]

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::routing::{any, get, post};
use futures_util::{SinkExt, StreamExt, stream};
use std::convert::Infallible;
use testkit::client::Client;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite;

async fn serve(router: Router) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Client::new(&format!("http://localhost:{port}"))
}

/// A header of the request, as the response.
fn heard(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| value.to_str().unwrap());
    value.unwrap_or("none").to_owned()
}

#[tokio::test]
async fn cookies_are_kept_sent_and_forgotten() {
    let router = Router::new()
        .route(
            "/in",
            get(|| async { [(header::SET_COOKIE, "choiros=secret; HttpOnly; Path=/")] }),
        )
        .route(
            "/out",
            get(|| async { [(header::SET_COOKIE, "choiros=; Max-Age=0")] }),
        )
        .route(
            "/",
            get(|headers: HeaderMap| async move { heard(&headers, "cookie") }),
        );
    let client = serve(router).await;
    assert_eq!(client.get("/").await.unwrap().text(), "none");
    client.get("/in").await.unwrap();
    assert_eq!(client.cookie("choiros").as_deref(), Some("secret"));
    assert_eq!(client.get("/").await.unwrap().text(), "choiros=secret");
    client.get("/out").await.unwrap();
    assert_eq!(client.get("/").await.unwrap().text(), "none");
}

#[tokio::test]
async fn a_client_of_another_host_has_cookies_of_its_own() {
    let shown = |headers: HeaderMap| async move {
        let said = ["host", "cookie"].map(|name| heard(&headers, name));
        said.join(" ")
    };
    let client = serve(Router::new().route("/", get(shown))).await;
    client.set_cookie("a", "1");
    let sandbox = client.at("sandbox.localhost").unwrap();
    sandbox.set_cookie("b", "2");
    sandbox.set_cookie("c", "3");
    let origin = client.origin().replace("localhost", "sandbox.localhost");
    assert_eq!(sandbox.origin(), origin);
    let host = origin.strip_prefix("http://").unwrap();
    assert_eq!(
        sandbox.get("/").await.unwrap().text(),
        format!("{host} b=2; c=3")
    );
    assert_eq!(
        (client.cookies(), sandbox.cookies()),
        ("a=1".into(), "b=2; c=3".into())
    );
}

#[tokio::test]
async fn requests_look_like_those_of_our_own_pages() {
    let response = |headers: HeaderMap| async move {
        ["host", "origin", "sec-fetch-site", "sec-fetch-mode"]
            .map(|name| heard(&headers, name))
            .join(" ")
    };
    let client = serve(Router::new().route("/", get(response).post(response))).await;
    let origin = client.origin();
    let host = origin.strip_prefix("http://").unwrap();
    let get = client.get("/").await.unwrap();
    assert_eq!(get.text(), format!("{host} none same-origin cors"));
    let post = client.post_json("/", &1).await.unwrap();
    assert_eq!(post.text(), format!("{host} {origin} same-origin cors"));
    let page = client.navigate("/").await.unwrap();
    assert_eq!(page.text(), format!("{host} none none navigate"));
    let foreign = client
        .request(axum::http::Method::POST, "/")
        .header("origin", "https://evil.example")
        .without("sec-fetch-site");
    let foreign = foreign.send().await.unwrap().text();
    assert_eq!(foreign, format!("{host} https://evil.example none cors"));
}

#[tokio::test]
async fn a_redirect_is_shown_and_not_followed() {
    let to = || async { (StatusCode::SEE_OTHER, [(header::LOCATION, "/login")]) };
    let client = serve(Router::new().route("/", post(to))).await;
    let response = client.post_json("/", &()).await.unwrap();
    assert_eq!(response.status, 303);
    assert_eq!(response.header("location"), Some("/login"));
}

#[tokio::test]
async fn events_are_read_one_by_one_and_to_their_end() {
    let events = |headers: HeaderMap| async move {
        let last = heard(&headers, "last-event-id");
        let events =
            ["a", "b"].map(|data| Ok::<_, Infallible>(Event::default().id(&last).data(data)));
        Sse::new(stream::iter(events))
    };
    let client = serve(Router::new().route("/", get(events))).await;
    let mut stream = client.events("/", Some("9")).await.unwrap();
    for data in ["a", "b"] {
        let event = stream.next().await.unwrap().unwrap();
        assert_eq!(
            (event.id.as_deref(), event.data.as_str()),
            (Some("9"), data)
        );
    }
    assert_eq!(stream.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_websocket_carries_cookies_and_origin() {
    let socket = |headers: HeaderMap, upgrade: WebSocketUpgrade| async move {
        let said = format!(
            "{} {}",
            heard(&headers, "cookie"),
            heard(&headers, "origin")
        );
        upgrade.on_upgrade(async move |mut socket| {
            socket.send(Message::from(said)).await.unwrap();
            socket.next().await;
        })
    };
    let client = serve(Router::new().route("/", any(socket))).await;
    client.set_cookie("a", "1");
    let mut socket = client.websocket("/").await.unwrap();
    let said = socket.next().await.unwrap().unwrap();
    assert_eq!(
        said.into_text().unwrap().as_str(),
        format!("a=1 {}", client.origin())
    );
    socket
        .send(tungstenite::Message::text("bye"))
        .await
        .unwrap();
}
