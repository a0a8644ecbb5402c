//! A body's size is nothing to the proxy's memory. In a process of its own, to be measured.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

#[path = "proxy/gateway.rs"]
#[allow(unused_macros, unused_imports, reason = "this file uses a part of it")]
#[expect(dead_code, reason = "shared with the other tests of the proxy")]
mod gateway;

use futures_util::stream;
use gateway::{Gateway, client, json};
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::json;
use testkit::upstream::Upstream;
use testkit::upstream::pattern::{self, Tally};

const GIB: u64 = 1024 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;

/// A field of `/proc/self/status`, in bytes.
fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    let kib = line.split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

async fn upload(gateway: &Gateway, length: u64) {
    let pieces = stream::unfold(0, move |offset| async move {
        let piece = pattern::piece(offset, length - offset);
        let next = offset + piece.len() as u64;
        (!piece.is_empty()).then_some((Ok(Frame::data(piece)), next))
    });
    let body = StreamBody::new(pieces).boxed_unsync();
    let request = Request::post(gateway.url("/sink")).header("content-length", length);
    let request = request.body(body).unwrap();
    let tally = json(client().request(request).await.unwrap()).await;
    assert_eq!(tally, json!({"bytes": length, "intact": true}));
}

async fn download(gateway: &Gateway, length: u64) {
    let url = gateway.url(&format!("/source/{length}"));
    let response = client().get(url.parse().unwrap()).await.unwrap();
    let mut body = response.into_body();
    let mut tally = Tally::default();
    while let Some(frame) = body.frame().await {
        tally.add(&frame.unwrap().into_data().unwrap());
    }
    assert_eq!(tally, Tally::of(length));
}

/// Client, proxy and upstream all live in this process, and all of them are measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gibibyte_each_way_takes_no_memory() {
    let upstream = Upstream::start().await.unwrap();
    let gateway = Gateway::before(upstream.address()).await;
    upload(&gateway, MIB).await;
    download(&gateway, MIB).await;
    let before = memory("VmRSS:");
    upload(&gateway, GIB).await;
    download(&gateway, GIB).await;
    // The highest that it ever was, since the process began.
    let growth = memory("VmHWM:").saturating_sub(before);
    assert!(growth < 64 * MIB, "grew by {} MiB", growth / MIB);
}
