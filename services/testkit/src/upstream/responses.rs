//! What the upstream answers, by path.

use super::pattern::{self, Tally};
use super::{Body, Connection, Error, empty, lock, ws};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::broadcast::error::RecvError;

/// An error has hyper close the connection.
type Reply = Result<Response<Body>, Error>;

pub(super) async fn respond(request: Request<Incoming>, connection: Arc<Connection>) -> Reply {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let earlier = connection.requests.fetch_add(1, Ordering::SeqCst);
    *lock(&connection.state.seen)
        .entry(path.clone())
        .or_default() += 1;
    match path.as_str() {
        "/health" => Ok(json(&json!({"status": "healthy"}))),
        "/sink" => sink(request).await,
        "/events" => Ok(events(&connection)),
        "/trailers" => trailers(request).await,
        "/reply" => reply(&query),
        "/refuse" => reply("status=413"),
        "/hang" => std::future::pending().await,
        "/die" => Err("told to die".into()),
        "/die/reused" if earlier > 0 => Err("told to die when reused".into()),
        "/die/mid-body" => Ok(die_mid_body(query == "length")),
        "/ws" => ws::accept(request, connection),
        "/ws/refuse" => reply("status=403&header=x-why:no%20upgrades"),
        path => match path.strip_prefix("/source/").map(str::parse) {
            Some(Ok(length)) => Ok(source(length, query != "chunked")),
            _ => Ok(json(&echo(&request))),
        },
    }
}

fn json(value: &Value) -> Response<Body> {
    let body = Full::from(value.to_string()).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn echo(request: &Request<Incoming>) -> Value {
    json!({
        "method": request.method().as_str(),
        "target": request.uri().to_string(),
        "version": format!("{:?}", request.version()),
        "headers": pairs(request.headers()),
    })
}

/// Header lines in their order, as pairs.
fn pairs(headers: &HeaderMap) -> Value {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        json!([name.as_str(), value])
    };
    headers.iter().map(pair).collect()
}

async fn sink(request: Request<Incoming>) -> Reply {
    let mut body = request.into_body();
    let mut tally = Tally::default();
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            tally.add(data);
        }
    }
    Ok(json(&json!({"bytes": tally.bytes, "intact": tally.intact})))
}

fn source(length: u64, sized: bool) -> Response<Body> {
    let pieces = stream::unfold(0, move |offset| async move {
        let piece = pattern::piece(offset, length - offset);
        let next = offset + piece.len() as u64;
        (!piece.is_empty()).then_some((Ok(Frame::data(piece)), next))
    });
    let mut response = Response::new(StreamBody::new(pieces).boxed_unsync());
    if sized {
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

fn events(connection: &Arc<Connection>) -> Response<Body> {
    let events = connection.state.events.subscribe();
    let events = stream::unfold(events, |mut events| async {
        match events.recv().await {
            Ok(event) => {
                let event = Bytes::from(format!("data: {event}\n\n"));
                Some((Ok(Frame::data(event)), events))
            }
            Err(RecvError::Lagged(_) | RecvError::Closed) => None,
        }
    });
    // A first event, so that a client knows that it is subscribed.
    let hello = stream::iter([Ok(Frame::data(Bytes::from_static(b"data: hello\n\n")))]);
    let mut response = Response::new(StreamBody::new(hello.chain(events)).boxed_unsync());
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

async fn trailers(request: Request<Incoming>) -> Reply {
    let came = request.into_body().collect().await?;
    let came = came.trailers().map_or(json!([]), pairs);
    let mut trailers = HeaderMap::new();
    trailers.insert("x-answer", HeaderValue::from_static("done"));
    let frames = [
        Ok(Frame::data(Bytes::from(came.to_string()))),
        Ok(Frame::trailers(trailers)),
    ];
    let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
    let mut response = Response::new(body);
    let names = HeaderValue::from_static("x-answer");
    response.headers_mut().insert("trailer", names);
    Ok(response)
}

fn reply(query: &str) -> Reply {
    let mut response = Response::new(empty());
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (key.as_ref(), value.split_once(':')) {
            ("status", _) => *response.status_mut() = StatusCode::from_bytes(value.as_bytes())?,
            ("header", Some((name, value))) => {
                let name = HeaderName::from_bytes(name.as_bytes())?;
                response.headers_mut().append(name, value.parse()?);
            }
            _ => return Err(format!("no such thing to reply with: {key}={value}").into()),
        }
    }
    Ok(response)
}

fn die_mid_body(sized: bool) -> Response<Body> {
    let piece = Ok(Frame::data(Bytes::from_static(b"half of it")));
    let death = Err(Error::from("told to die"));
    // Not at once, or hyper would find the error before it has sent the head.
    let pause = stream::once(async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    });
    let frames = stream::iter([piece]).chain(pause.map(|()| Ok(Frame::data(Bytes::new()))));
    let frames = frames.chain(stream::iter([death])).into_stream();
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    if sized {
        let length = HeaderValue::from_static("20");
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    response
}
