//! Server-sent events, numbered, of which none may be missing.

use super::super::ledger::How;
use super::super::types::Moment;
use super::{Answer, Client, Request};
use std::io::{self, ErrorKind};
use std::sync::atomic::Ordering;
use testkit::wait::DEADLINE;
use tokio::time::timeout;

impl Client {
    /// Reads a stream to its end, or until the storm is over and this one need not end.
    pub(super) async fn events(&mut self) -> Option<()> {
        let role = self.role();
        let more = "Accept: text/event-stream\r\n";
        let request = Request::get(self.head("GET", role, "/events", more));
        let mut answer = self.ask(role, &request, 200).await?;
        let mut alive = answer.receipt.opened;
        let Some(how) = self.listen(&mut answer, &mut alive).await else {
            self.field.ledger.finish(answer.receipt.from);
            return None; // Closed by us, in mid-stream.
        };
        let told = how == How::Told;
        self.field.ledger.end(answer.receipt, alive, how);
        told.then(|| self.done(answer))
    }

    /// How the stream ended, unless that is up to us.
    async fn listen(&self, answer: &mut Answer, alive: &mut Moment) -> Option<How> {
        let ledger = &self.field.ledger;
        let generation = answer.receipt.from.generation;
        let mut reader = Reader::default();
        loop {
            if self.field.is_over() && !ledger.is_old(generation) {
                return None;
            }
            if ledger.has_outlived(generation) {
                return Some(How::Outlived);
            }
            let count = match timeout(DEADLINE, reader.next(answer)).await {
                Ok(Ok(Some(count))) => count,
                Ok(Ok(None)) => return Some(How::Told),
                Ok(Err(error)) if error.kind() == ErrorKind::InvalidData => {
                    return Some(How::Garbled(error.to_string()));
                }
                Ok(Err(error)) => return Some(How::Cut(error.to_string())),
                Err(_) => return Some(How::Cut(format!("silent for {DEADLINE:?}"))),
            };
            *alive = ledger.now();
            let pieces = &ledger.count(self.kind).pieces;
            pieces.fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// Finds the events in what comes.
#[derive(Default)]
struct Reader {
    text: Vec<u8>,
    number: u64,
}

impl Reader {
    /// How many events the next piece completes; nothing at the stream's clean end.
    async fn next(&mut self, answer: &mut Answer) -> io::Result<Option<u64>> {
        let Some(piece) = answer.wire.piece(&mut answer.body).await? else {
            return Ok(None);
        };
        self.text.extend(piece);
        let before = self.number;
        while let Some(end) = self.text.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = self.text.drain(..end + 2).collect();
            if event != format!("data: {}\n\n", self.number).as_bytes() {
                let event = String::from_utf8_lossy(&event).into_owned();
                let what = format!("event {} is {event:?}", self.number);
                return Err(io::Error::new(ErrorKind::InvalidData, what));
            }
            self.number += 1;
        }
        Ok(Some(self.number - before))
    }
}
