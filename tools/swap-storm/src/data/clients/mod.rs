//! The clients of a storm with data: those that write and read, and those that follow.

mod follower;
mod writer;

pub(super) use follower::follow;
pub(super) use writer::{note, write};

use super::account::Account;
use super::ledger::{Kind, Ledger};
use crate::caller::Caller;
use crate::origins::Site;
use crate::types::{Moment, Run};
use crate::wire::{Head, Wire};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use testkit::wait::DEADLINE;
use tokio::time::{sleep, timeout};

/// After a failure nobody comes back at once.
const PAUSE: Duration = Duration::from_millis(30);

/// What the clients share.
pub(super) struct Field {
    pub(super) ledger: Ledger,
    /// The hypervisor's.
    pub(super) address: SocketAddr,
    /// Who calls the hypervisor itself.
    pub(super) caller: Caller,
    /// Where live is found.
    pub(super) site: Site,
    /// What each client has written.
    pub(super) accounts: Vec<Account>,
    /// How many follow over WebSockets, and as many as events.
    pub(super) sockets: u64,
    /// While this is set nobody writes,
    pub(super) rest: AtomicBool,
    /// and so many have come to rest.
    pub(super) resting: AtomicUsize,
    /// How often records went by order, and up to which sequence they then are there.
    pub(super) era: AtomicU64,
    pub(super) floor: AtomicU64,
    /// Set when no more is to be written.
    pub(super) over: AtomicBool,
    /// The last sequence that followers have to see, once that is known.
    pub(super) last: AtomicU64,
}

/// A connection's user.
pub(super) struct Connection {
    pub(super) field: Arc<Field>,
    kind: Kind,
    /// The connection that is kept.
    wire: Option<Wire>,
    /// The run that answered last.
    run: Option<u64>,
}

/// An answer that is what it should be, so far.
struct Answer {
    wire: Wire,
    head: Head,
    run: Run,
}

impl Connection {
    pub(super) fn new(field: &Arc<Field>, kind: Kind) -> Self {
        Self {
            field: field.clone(),
            kind,
            wire: None,
            run: None,
        }
    }

    /// Sends a request and waits for its whole answer. What is not as it should be is written
    /// down, and there is no answer.
    pub(super) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Option<(String, Run)> {
        let begun = self.field.ledger.now();
        let mut answer = self.open(begun, method, path, body, 200).await?;
        let rest = timeout(DEADLINE, answer.wire.rest(&mut answer.head.body)).await;
        let text = rest
            .map_err(|_| "its rest did not come".to_owned())
            .and_then(|rest| {
                let bytes = rest.map_err(|error| format!("cut: {error}"))?;
                String::from_utf8(bytes).map_err(|error| error.to_string())
            });
        match text {
            Ok(text) => {
                let run = answer.run;
                if !answer.head.close {
                    self.wire = Some(answer.wire);
                }
                self.answered(begun, run);
                Some((text, run))
            }
            Err(cause) => {
                self.fail(begun, cause).await;
                None
            }
        }
    }

    fn answered(&mut self, begun: Moment, run: Run) {
        self.field
            .ledger
            .answer(self.kind, begun, run, &mut self.run);
    }

    async fn fail(&self, begun: Moment, cause: impl Into<String>) {
        self.field.ledger.fail(self.kind, begun, cause);
        sleep(PAUSE).await;
    }

    /// The same up to the answer's head, which must have this status.
    async fn open(
        &mut self,
        begun: Moment,
        method: &str,
        path: &str,
        body: &str,
        due: u16,
    ) -> Option<Answer> {
        let more = match method {
            "POST" => format!("Content-Length: {}\r\n", body.len()),
            _ => body.to_owned(),
        };
        let head = self.field.site.head(method, path, &more);
        let request = if method == "POST" { head + body } else { head };
        let exchanged = timeout(DEADLINE, self.exchange(&request)).await;
        let late = || Err(format!("nothing within {DEADLINE:?}"));
        let (mut wire, mut head) = match exchanged.unwrap_or_else(|_| late()) {
            Ok(answer) => answer,
            Err(cause) => {
                self.fail(begun, cause).await;
                return None;
            }
        };
        if let (true, Some(run)) = (head.status == due, head.run) {
            return Some(Answer { wire, head, run });
        }
        let page = timeout(DEADLINE, wire.rest(&mut head.body)).await;
        let page = page.ok().and_then(Result::ok).unwrap_or_default();
        let page = String::from_utf8_lossy(&page);
        self.fail(begun, format!("{} {page}", head.status)).await;
        None
    }

    /// On the kept connection if there is one; a request that changes nothing once more on a new
    /// one if that proved dead (RFC 9110, 9.2.2).
    async fn exchange(&mut self, request: &str) -> Result<(Wire, Head), String> {
        if let Some(mut wire) = self.wire.take().filter(Wire::is_quiet) {
            let _ = wire.send(request.as_bytes()).await; // What is read tells.
            match wire.head().await {
                Ok(head) => return Ok((wire, head)),
                Err(died) if died.silent && self.kind != Kind::Write => {
                    self.field.ledger.retry(self.kind);
                }
                Err(died) => return Err(format!("on a kept connection: {}", died.cause)),
            }
        }
        let connected = Wire::connect(self.field.address).await;
        let mut wire = connected.map_err(|error| format!("no connection: {error}"))?;
        let _ = wire.send(request.as_bytes()).await;
        let head = wire.head().await;
        let head = head.map_err(|died| format!("on a new connection: {}", died.cause))?;
        Ok((wire, head))
    }
}

impl Field {
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}
