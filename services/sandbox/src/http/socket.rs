//! The event log as a WebSocket: one text message an event.

use super::HttpError;
use super::events::{Window, window};
use crate::log::{Event, LogError};
use crate::service::Service;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Query, State};
use axum::response::Response;
use futures_util::{Stream, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, interval_at, timeout};
use tokio_util::sync::CancellationToken;

/// How often a ping asks whether the client is still there.
const PING: Duration = Duration::from_secs(20);

/// How long one message may take, and how long a client may stay silent on pings.
const TIMEOUT: Duration = Duration::from_mins(1);

/// How long a client may take to answer a close.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a client sends is read for pings and closes alone, so it need not be long.
const MAX_INCOMING: usize = 4096;

/// Why a socket is closed.
type Reason = (u16, &'static str);

/// GET with an upgrade: every event after the id `after`, then each new one.
pub(super) async fn open(
    State(service): State<Arc<Service>>,
    query: Result<Query<Window>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, HttpError> {
    let window = window(query)?;
    let upgrade = upgrade.map_err(|rejection| {
        let message = format!("{}; connect with a WebSocket", rejection.body_text());
        HttpError::new(rejection.status(), "websocket_required", message)
    })?;
    let events = service.log.follow(window.after);
    let shutdown = service.shutdown.clone();
    let counted = service.sockets.token();
    let upgrade = upgrade.max_message_size(MAX_INCOMING);
    Ok(upgrade.on_upgrade(async move |socket| {
        serve(socket, events, &shutdown).await;
        drop(counted);
    }))
}

async fn serve(
    mut socket: WebSocket,
    events: impl Stream<Item = Result<Event, LogError>>,
    shutdown: &CancellationToken,
) {
    let reason = tokio::select! {
        () = shutdown.cancelled() => Some((close_code::AWAY, "this sandbox is stopping")),
        reason = talk(&mut socket, events) => reason,
    };
    let Some((code, sentence)) = reason else {
        return;
    };
    let reason = sentence.into();
    let farewell = async {
        let frame = CloseFrame { code, reason };
        socket.send(Message::Close(Some(frame))).await?;
        while socket.next().await.transpose()?.is_some() {}
        Ok::<_, axum::Error>(())
    };
    // A client that does not answer is left.
    let _ = timeout(FAREWELL, farewell).await;
}

/// Sends events and pings until there is a reason to close, or nobody left to close for.
async fn talk(
    socket: &mut WebSocket,
    events: impl Stream<Item = Result<Event, LogError>>,
) -> Option<Reason> {
    let mut events = std::pin::pin!(events);
    let mut ping = interval_at(Instant::now() + PING, PING);
    let mut heard = Instant::now();
    loop {
        let message = tokio::select! {
            incoming = socket.next() => match incoming {
                // The library answers pings and closes by itself.
                Some(Ok(_)) => {
                    heard = Instant::now();
                    continue;
                }
                Some(Err(_)) | None => return None,
            },
            _ = ping.tick() => {
                if heard.elapsed() > TIMEOUT {
                    return Some((close_code::POLICY, "no answer to pings"));
                }
                Message::Ping(Vec::new().into())
            }
            event = events.next() => match event.and_then(|event| text(event).ok()) {
                Some(text) => Message::text(text),
                None => return Some((close_code::ERROR, "the event log cannot be read")),
            },
        };
        if !matches!(timeout(TIMEOUT, socket.send(message)).await, Ok(Ok(()))) {
            return None;
        }
    }
}

fn text(event: Result<Event, LogError>) -> Result<String, axum::BoxError> {
    Ok(serde_json::to_string(&event?)?)
}
