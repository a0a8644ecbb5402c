//! WebSockets that are talked to: every word must come back.

use super::super::answers::PAUSE;
use super::super::ledger::{How, Receipt};
use super::super::types::Moment;
use super::{Client, Request};
use futures_util::{SinkExt, StreamExt};
use std::sync::atomic::Ordering;
use std::time::Duration;
use testkit::wait::DEADLINE;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::Role as Side;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

/// One socket in so many is closed by its client, after [`FEW`] words.
const SHORT: usize = 4;
const FEW: u64 = 20;

type Socket = WebSocketStream<TcpStream>;

impl Client {
    /// Talks until the socket's end, or its client's.
    pub(super) async fn websocket(&mut self) -> Option<()> {
        let role = self.role();
        let more = format!(
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {}\r\n",
            generate_key()
        );
        let request = Request::get(self.head("GET", role, "/ws", &more));
        let answer = self.ask(role, &request, 101).await?;
        let receipt = answer.receipt;
        let (stream, early) = answer.wire.into_parts();
        let mut socket = Socket::from_partially_read(stream, early, Side::Client, None).await;
        let mut alive = receipt.opened;
        if let Some(how) = self.talk(&mut socket, receipt, &mut alive).await {
            self.field.ledger.end(receipt, alive, how);
        } else {
            // The far end's answer is a courtesy.
            let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
            self.field.ledger.finish(receipt.from);
        }
        Some(())
    }

    /// How the socket ended, unless that is up to us.
    async fn talk(&self, socket: &mut Socket, receipt: Receipt, alive: &mut Moment) -> Option<How> {
        let ledger = &self.field.ledger;
        let generation = receipt.from.generation;
        let words = if self.turn.is_multiple_of(SHORT) {
            FEW
        } else {
            u64::MAX
        };
        for word in 0..words {
            if self.field.is_over() && !ledger.is_old(generation) {
                return None;
            }
            if ledger.has_outlived(generation) {
                return Some(How::Outlived);
            }
            let word = word.to_string();
            // A Close may be on its way, and then this fails; what is read tells.
            let _ = socket.send(Message::text(word.as_str())).await;
            match timeout(DEADLINE, socket.next()).await {
                Ok(Some(Ok(Message::Text(said)))) if said.as_str() == word => {}
                Ok(heard) => return Some(ending(heard)),
                Err(_) => return Some(How::Cut(format!("silent for {DEADLINE:?}"))),
            }
            *alive = ledger.now();
            let pieces = &ledger.count(self.kind).pieces;
            pieces.fetch_add(1, Ordering::Relaxed);
            if let Ok(heard) = timeout(PAUSE, socket.next()).await {
                return Some(ending(heard));
            }
        }
        None
    }
}

/// What it means that this came, and no echo.
fn ending(heard: Option<Result<Message, Error>>) -> How {
    match heard {
        Some(Ok(Message::Close(Some(frame)))) if frame.code == CloseCode::Restart => How::Told,
        Some(Ok(Message::Close(frame))) => How::Cut(format!("closed with {frame:?}")),
        Some(Ok(other)) => How::Garbled(format!("{other:?} came")),
        Some(Err(error)) => How::Cut(error.to_string()),
        None => How::Cut("ended".into()),
    }
}
