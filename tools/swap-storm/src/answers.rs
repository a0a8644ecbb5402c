//! What a sandbox of the storm answers. Each answer says who gives it, in which role and
//! generation: as the request that reached it says, and not as anyone remembers.

use super::sandbox::State;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use testkit::upstream::pattern::{self, Tally};
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role as End;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Bytes of a small answer.
pub(super) const SMALL: u64 = 100;
/// Bytes of a large body, either way.
pub(super) const LARGE: u64 = 64 * 1024;
/// In so many pieces does a slow body come.
pub(super) const PIECES: u64 = 8;
/// The pause between two of them, and between two events.
pub(super) const PAUSE: Duration = Duration::from_millis(15);

pub(super) async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
) -> Result<Response<Body>, Error> {
    state.awake().await;
    let seen = request.headers().clone();
    let mut response = match request.uri().path() {
        "/health" => health(&state),
        "/slow" => slow(&state),
        "/sink" => sink(request).await?,
        "/events" => events(&state),
        "/ws" => websocket(request, &state)?,
        _ => Response::new(whole(pattern::piece(0, SMALL))),
    };
    sign(response.headers_mut(), &seen, &state);
    Ok(response)
}

/// Who answers, and what it was told that it is.
fn sign(headers: &mut HeaderMap, seen: &HeaderMap, state: &State) {
    headers.insert("x-sandbox", HeaderValue::from_static(state.born.sandbox()));
    for (told, shown) in [
        ("x-choiros-role", "x-role"),
        ("x-choiros-generation", "x-generation"),
    ] {
        if let Some(value) = seen.get(told) {
            headers.insert(shown, value.clone());
        }
    }
}

fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

fn health(state: &State) -> Response<Body> {
    if state.mode.borrow().sick {
        let mut response = Response::new(whole("told to be sick"));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return response;
    }
    let page = json!({
        "status": "healthy", "service": "choiros-sandbox", "version": "0",
        "name": state.born.sandbox(), "instance_role": state.born.as_str(), "hostname": "storm",
    });
    Response::new(whole(page.to_string()))
}

fn slow(state: &Arc<State>) -> Response<Body> {
    let state = state.clone();
    let pieces = stream::unfold((0, state), |(offset, state)| async move {
        if offset == LARGE {
            return None;
        }
        if offset > 0 {
            sleep(PAUSE).await;
        }
        state.awake().await;
        let piece = pattern::piece(offset, LARGE / PIECES);
        let next = offset + piece.len() as u64;
        Some((Ok(Frame::data(piece)), (next, state)))
    });
    let mut response = Response::new(StreamBody::new(pieces).boxed_unsync());
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(LARGE));
    response
}

/// What a whole and intact large body is answered with.
pub(super) fn received(tally: Tally) -> String {
    format!("{} bytes, intact: {}", tally.bytes, tally.intact)
}

async fn sink(request: Request<Incoming>) -> Result<Response<Body>, Error> {
    let mut body = request.into_body();
    let mut tally = Tally::default();
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            tally.add(data);
        }
    }
    Ok(Response::new(whole(received(tally))))
}

/// Counts without end.
fn events(state: &Arc<State>) -> Response<Body> {
    let events = stream::unfold((0_u64, state.clone()), |(number, state)| async move {
        if number > 0 {
            sleep(PAUSE).await;
        }
        state.awake().await;
        let event = Bytes::from(format!("data: {number}\n\n"));
        Some((Ok(Frame::data(event)), (number + 1, state)))
    });
    let mut response = Response::new(StreamBody::new(events).boxed_unsync());
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Says back what it hears.
fn websocket(mut request: Request<Incoming>, state: &Arc<State>) -> Result<Response<Body>, Error> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY);
    let accept = derive_accept_key(key.ok_or("no WebSocket key")?.as_bytes());
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept.parse()?);
    let upgrade = hyper::upgrade::on(&mut request);
    let awake = state.clone();
    state.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let io = TokioIo::new(upgraded);
        let mut socket = WebSocketStream::from_raw_socket(io, End::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            awake.awake().await;
            let echo = matches!(message, Message::Text(_) | Message::Binary(_));
            if echo && socket.send(message).await.is_err() {
                return;
            }
        }
    });
    Ok(response)
}
