//! The records as they are committed: as server-sent events, and over WebSockets. Who comes again
//! says after which one.

use super::Service;
use super::http::Body;
use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use http::header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Between two looks, so that many records come at once.
const PAUSE: Duration = Duration::from_millis(100);

/// The records after this one, as soon as there are some; none when the service ends.
async fn next(service: &Service, after: u64) -> Option<(String, u64)> {
    let (mut newest, mut ending) = (service.store.newest.clone(), service.ending.subscribe());
    tokio::select! {
        found = newest.wait_for(|&newest| newest > after) => drop(found.ok()?),
        _ = ending.wait_for(|ending| *ending) => return None,
    }
    let filter = "sequence > ?1 ORDER BY sequence LIMIT ?2";
    let lines = service.store.lines(filter, (after, 1000)).await.ok()?;
    let last = lines.lines().last()?.split(' ').next()?.parse().ok()?;
    Some((lines, last))
}

pub(super) fn events(service: &Arc<Service>, after: u64) -> Response<Body> {
    let events = stream::unfold((after, service.clone()), |(after, service)| async move {
        let (lines, last) = next(&service, after).await?;
        let data = format!("data: {}\n\n", lines.trim_end().replace('\n', "\ndata: "));
        tokio::time::sleep(PAUSE).await;
        let event = Bytes::from(data);
        Some((Ok(Frame::data(event)), (last, service)))
    });
    let mut response = Response::new(StreamBody::new(events).boxed_unsync());
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

pub(super) fn websocket(
    mut request: Request<Incoming>,
    service: &Arc<Service>,
    after: u64,
) -> Result<Response<Body>> {
    let key = request
        .headers()
        .get(SEC_WEBSOCKET_KEY)
        .context("no WebSocket key")?;
    let accept = derive_accept_key(key.as_bytes());
    let mut response = Response::new(Empty::new().boxed_unsync());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept.parse()?);
    let upgrade = hyper::upgrade::on(&mut request);
    let service = service.clone();
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
        let (mut out, mut heard) = socket.split();
        let tell = async {
            let mut after = after;
            while let Some((lines, last)) = next(&service, after).await {
                after = last;
                if out.send(Message::text(lines)).await.is_err() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
            let _ = out.send(Message::Close(None)).await;
        };
        // What is heard is a close, or nothing.
        let listen = async { while let Some(Ok(_)) = heard.next().await {} };
        tokio::select! {
            () = tell => {}
            () = listen => {}
        }
    });
    Ok(response)
}
