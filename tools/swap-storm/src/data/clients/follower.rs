//! Follows the records as they are committed. Whenever its stream ends it comes again, asks for
//! what comes after the last one, and may miss none.

use super::{Connection, Field, PAUSE};
use crate::data::ledger::Kind;
use crate::data::record::Stored;
use crate::types::Moment;
use futures_util::StreamExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::Role as Side;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Between two looks whether anything is different.
const LOOK: Duration = Duration::from_millis(200);

/// How a stream came to its end.
enum End {
    /// With a clean end, or close code 1012.
    Told,
    /// By us.
    Ours,
    Cut(String),
    /// Because something came that should not have.
    Wrong(String),
}

/// Follows as events, or over a WebSocket.
pub(in crate::data) async fn follow(field: Arc<Field>, kind: Kind) {
    let mut follower = Follower {
        connection: Connection::new(&field, kind),
        era: 0,
        last: 0,
    };
    while !follower.has_all() {
        follower.begin();
        let begun = field.ledger.now();
        let end = match kind {
            Kind::WebSocket => follower.socket(begun).await,
            _ => follower.events(begun).await,
        };
        match end {
            None | Some(End::Told | End::Ours) => {}
            Some(End::Cut(cause)) => field.ledger.fail(kind, begun, cause),
            Some(End::Wrong(what)) => {
                field.ledger.broken(format!("{kind}: {what}"));
                return;
            }
        }
        sleep(PAUSE).await;
    }
}

struct Follower {
    connection: Connection,
    era: u64,
    /// The last sequence that came.
    last: u64,
}

impl Follower {
    fn field(&self) -> &Field {
        &self.connection.field
    }

    /// Whether all has come that there is to come.
    fn has_all(&self) -> bool {
        self.field().is_over() && self.last >= self.field().last.load(Ordering::SeqCst)
    }

    /// Whether records have gone by order since it began.
    fn is_old(&self) -> bool {
        self.era != self.field().era.load(Ordering::SeqCst)
    }

    fn begin(&mut self) {
        if self.is_old() {
            self.era = self.field().era.load(Ordering::SeqCst);
            self.last = self.last.min(self.field().floor.load(Ordering::SeqCst));
        }
    }

    /// The records of these lines, which must be the next ones.
    fn take<'l>(&mut self, lines: impl Iterator<Item = &'l str>) -> Result<(), End> {
        for line in lines {
            if self.is_old() {
                return Err(End::Ours); // What comes may be of before or after.
            }
            match Stored::of(line) {
                Some(stored) if stored.sequence == self.last + 1 => self.last += 1,
                _ => return Err(End::Wrong(format!("after {} came {line:?}", self.last))),
            }
        }
        Ok(())
    }

    async fn events(&mut self, begun: Moment) -> Option<End> {
        let path = format!("/events?after={}", self.last);
        let accept = "Accept: text/event-stream\r\n";
        let mut answer = self
            .connection
            .open(begun, "GET", &path, accept, 200)
            .await?;
        self.connection.answered(begun, answer.run);
        let mut text = Vec::new();
        Some(loop {
            let piece = timeout(LOOK, answer.wire.piece(&mut answer.head.body)).await;
            match piece {
                Err(_) if self.is_old() || self.has_all() => break End::Ours,
                Err(_) => continue,
                Ok(Ok(None)) => break End::Told,
                Ok(Ok(Some(piece))) => text.extend(piece),
                Ok(Err(error)) => break End::Cut(format!("cut: {error}")),
            }
            let Some(end) = text.windows(2).rposition(|two| two == b"\n\n") else {
                continue;
            };
            let events: Vec<u8> = text.drain(..end + 2).collect();
            let events = String::from_utf8_lossy(&events);
            let lines = events
                .lines()
                .filter_map(|line| line.strip_prefix("data: "));
            if let Err(end) = self.take(lines) {
                break end;
            }
        })
    }

    async fn socket(&mut self, begun: Moment) -> Option<End> {
        let path = format!("/ws?after={}", self.last);
        let upgrade = format!(
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {}\r\n",
            generate_key()
        );
        let answer = self
            .connection
            .open(begun, "GET", &path, &upgrade, 101)
            .await?;
        self.connection.answered(begun, answer.run);
        let (stream, early) = answer.wire.into_parts();
        let socket = WebSocketStream::<TcpStream>::from_partially_read;
        let mut socket = socket(stream, early, Side::Client, None).await;
        Some(loop {
            match timeout(LOOK, socket.next()).await {
                Err(_) if self.is_old() || self.has_all() => {
                    let _ = timeout(LOOK, socket.close(None)).await;
                    break End::Ours;
                }
                Err(_) => {}
                Ok(Some(Ok(Message::Text(lines)))) => {
                    if let Err(end) = self.take(lines.lines()) {
                        break end;
                    }
                }
                Ok(heard) => break ending(heard),
            }
        })
    }
}

/// What it means that this came, and no record.
fn ending(heard: Option<Result<Message, Error>>) -> End {
    match heard {
        Some(Ok(Message::Close(Some(frame)))) if frame.code == CloseCode::Restart => End::Told,
        Some(Ok(Message::Close(frame))) => End::Cut(format!("closed with {frame:?}")),
        Some(Ok(other)) => End::Wrong(format!("{other:?} came")),
        Some(Err(error)) => End::Cut(error.to_string()),
        None => End::Cut("ended".into()),
    }
}
