//! A WebSocket that echoes text and binary messages. On demand it
//!
//! - closes: the text `close 4001 reason`,
//! - sends pings: `ping payload`,
//! - sends one message in so many fragments of 64 KiB, with a ping between each: `fragments 3`.

use super::{Body, empty};
use super::{Connection, pattern};
use futures_util::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    UPGRADE,
};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

type Error = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn accept(
    mut request: Request<Incoming>,
    connection: Arc<Connection>,
) -> Result<Response<Body>, Error> {
    let headers = request.headers();
    let key = headers.get(SEC_WEBSOCKET_KEY).ok_or("no WebSocket key")?;
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let received = response.headers_mut();
    received.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    received.insert(UPGRADE, HeaderValue::from_static("websocket"));
    received.insert("x-upstream", HeaderValue::from_static("was here"));
    let accept = derive_accept_key(key.as_bytes());
    received.insert(SEC_WEBSOCKET_ACCEPT, accept.parse()?);
    if let Some(offered) = headers.get(SEC_WEBSOCKET_PROTOCOL) {
        let last = offered.to_str()?.rsplit(',').next().unwrap_or_default();
        received.insert(SEC_WEBSOCKET_PROTOCOL, last.trim().parse()?);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let state = connection.state.clone();
    state.spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            let io = TokioIo::new(upgraded);
            let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
            // A client that goes away is part of many a test.
            let _ = talk(socket).await;
        }
        drop(connection);
    });
    Ok(response)
}

async fn talk(mut socket: WebSocketStream<TokioIo<Upgraded>>) -> Result<(), Error> {
    while let Some(message) = socket.next().await {
        let message = message?;
        let order = match &message {
            Message::Text(text) => text.split_once(' ').unwrap_or((text, "")),
            Message::Binary(_) => ("", ""),
            _ => continue,
        };
        match order {
            ("close", how) => socket.close(Some(close_frame(how)?)).await?,
            ("ping", payload) => {
                let payload = payload.to_owned();
                socket.send(Message::Ping(payload.into())).await?;
            }
            ("fragments", count) => fragments(&mut socket, count.parse()?).await?,
            _ => socket.send(message).await?,
        }
    }
    Ok(())
}

fn close_frame(how: &str) -> Result<CloseFrame, Error> {
    let (code, reason) = how.split_once(' ').unwrap_or((how, ""));
    Ok(CloseFrame {
        code: code.parse::<u16>()?.into(),
        reason: reason.into(),
    })
}

async fn fragments(
    socket: &mut WebSocketStream<TokioIo<Upgraded>>,
    count: u64,
) -> Result<(), Error> {
    for index in 0..count {
        let length = pattern::PIECE as u64;
        let opcode = if index == 0 {
            Data::Binary
        } else {
            Data::Continue
        };
        let last = index + 1 == count;
        let piece = pattern::piece(index * length, length);
        let frame = Frame::message(piece, OpCode::Data(opcode), last);
        socket.send(Message::Frame(frame)).await?;
        if !last {
            socket.send(Message::Ping("between".into())).await?;
        }
    }
    Ok(())
}
