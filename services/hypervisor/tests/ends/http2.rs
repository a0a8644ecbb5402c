//! The same on one connection of HTTP/2.

use crate::Site;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Request, header};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use std::convert::Infallible;
use testkit::wait::DEADLINE;
use tokio::time::timeout;

type AnyBody = http_body_util::combinators::BoxBody<Bytes, Infallible>;

async fn first(body: &mut Incoming) -> Bytes {
    let frame = timeout(DEADLINE, body.frame()).await.unwrap();
    frame.unwrap().unwrap().into_data().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_http2_end_at_log_out() {
    let site = Site::start(|it| it).await;
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http::<AnyBody>();
    let ask = |cookie: String, path: &str, body: AnyBody| {
        let uri = format!("http://localhost:{}{path}", site.gateway.port());
        let method = if path.starts_with("/upload") {
            "POST"
        } else {
            "GET"
        };
        let request = Request::builder()
            .uri(uri)
            .method(method)
            .header(header::COOKIE, cookie)
            .header(header::ORIGIN, site.gateway.base_url());
        tokio::spawn(client.request(request.body(body).unwrap()))
    };
    let (here, there) = (site.here.cookie(), site.there.cookie());
    let empty = || Empty::new().boxed();
    let mut events = ask(here.clone(), "/events/h2", empty())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first(events.body_mut()).await, "data: hello\n\n");
    let mut download = ask(here.clone(), "/download/h2", empty())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first(download.body_mut()).await, "hello");
    let poll = ask(here.clone(), "/poll/h2", empty());
    let hello = stream::iter([Ok(Frame::data(Bytes::from_static(b"hello")))]);
    let endless = StreamBody::new(hello.chain(stream::pending()));
    let upload = ask(here, "/upload/h2", BodyExt::boxed(endless));
    let mut other = ask(there, "/events/other", empty()).await.unwrap().unwrap();
    assert_eq!(first(other.body_mut()).await, "data: hello\n\n");
    site.sandbox.asked("/poll/h2").await;
    site.sandbox.asked("/upload/h2").await;

    let log_out = site.here.client.post_json("/auth/logout", &json!({})).await;
    assert_eq!(log_out.unwrap().status, 303);
    let rest = timeout(DEADLINE, events.into_body().collect())
        .await
        .unwrap();
    assert_eq!(rest.expect("a clean end").to_bytes(), "");
    let end = timeout(DEADLINE, download.body_mut().frame())
        .await
        .unwrap();
    assert!(end.unwrap().is_err(), "cut, or it would seem to be whole");
    for asked in [poll, upload] {
        let response = timeout(DEADLINE, asked).await.unwrap().unwrap().unwrap();
        assert_eq!(response.status(), 401);
    }
    for path in ["/events/h2", "/download/h2", "/poll/h2", "/upload/h2"] {
        site.sandbox.over(path).await;
    }
    site.sandbox.emit();
    assert_eq!(first(other.body_mut()).await, "data: more\n\n");
}
