//! The storm's clients: each does one kind of request again and again, and tells the ledger.

mod bodies;
mod events;
mod websocket;

use super::caller::Caller;
use super::ledger::{Cause, Ledger, Receipt};
use super::origins::Site;
use super::types::{Kind, Role};
use super::wire::{Body, Died, Head, Wire};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::wait::DEADLINE;
use tokio::time::{sleep, timeout};

/// What the clients share.
pub(super) struct Field {
    pub(super) ledger: Ledger,
    /// The hypervisor's.
    pub(super) address: SocketAddr,
    /// Who calls the hypervisor itself.
    pub(super) caller: Caller,
    /// Where the sandboxes are found, live first.
    pub(super) sites: [Site; 2],
    /// Set when no more requests are to be made.
    pub(super) over: AtomicBool,
}

impl Field {
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

/// After a failure nobody comes back at once.
const PAUSE: Duration = Duration::from_millis(50);
/// One request in so many goes to dev.
const DEV: usize = 8;

/// Runs client number `index` until the storm is over.
pub(super) async fn run(field: Arc<Field>, index: usize) {
    let mut client = Client {
        kind: Kind::of_client(index),
        field,
        turn: index,
        wire: None,
    };
    while !client.field.is_over() {
        let went_well = match client.kind {
            Kind::Get | Kind::Visit | Kind::Slow => client.download().await,
            Kind::Post | Kind::Chunked => client.upload().await,
            Kind::Events => client.events().await,
            Kind::WebSocket => client.websocket().await,
        };
        if went_well.is_none() {
            client.wire = None;
            sleep(PAUSE).await;
        }
    }
}

struct Client {
    field: Arc<Field>,
    kind: Kind,
    turn: usize,
    /// The connection that is kept.
    wire: Option<Wire>,
}

/// A request, as it goes over the wire.
struct Request {
    head: String,
    /// Pieces of a body, framed, and the pause before each.
    body: Vec<Vec<u8>>,
    pause: Duration,
}

/// An answer that began as it should, and the rest of it.
struct Answer {
    receipt: Receipt,
    wire: Wire,
    body: Body,
    close: bool,
}

impl Client {
    /// The role that is asked now: mostly live.
    fn role(&mut self) -> Role {
        self.turn += 1;
        if self.turn.is_multiple_of(DEV) {
            Role::Dev
        } else {
            Role::Live
        }
    }

    /// A request's line and headers, up to the empty line.
    fn head(&self, method: &str, role: Role, path: &str, more: &str) -> String {
        self.field.sites[role as usize].head(method, path, more)
    }

    /// Sends a request and waits for its answer's head. What is not as it should be is written
    /// down, and there is no answer.
    async fn ask(&mut self, role: Role, request: &Request, due: u16) -> Option<Answer> {
        let field = self.field.clone();
        let begun = field.ledger.begin(self.kind, role);
        let exchanged = timeout(DEADLINE, self.exchange(request)).await;
        let late = || Err(format!("nothing within {DEADLINE:?}"));
        let (mut wire, mut head) = match exchanged.unwrap_or_else(|_| late()) {
            Ok(answer) => answer,
            Err(cause) => {
                field.ledger.fail(begun, None, Cause::NoAnswer(cause));
                return None;
            }
        };
        if let (true, Some(from)) = (head.status == due, head.from) {
            return Some(Answer {
                receipt: field.ledger.answer(begun, from),
                wire,
                body: head.body,
                close: head.close,
            });
        }
        // The hypervisor's own answer names the sandbox that it is about.
        let page = timeout(DEADLINE, wire.rest(&mut head.body)).await;
        let page = page.ok().and_then(Result::ok).unwrap_or_default();
        let page: serde_json::Value = serde_json::from_slice(&page).unwrap_or_default();
        let sandbox = page["sandbox"].as_str().and_then(Role::of_sandbox);
        let sandbox = sandbox.or(head.from.map(|from| from.sandbox));
        let cause = Cause::Status(head.status);
        field.ledger.fail(begun, sandbox, cause);
        None
    }

    /// On the kept connection if there is one, and once more on a new one if that proved dead
    /// and the request may be repeated.
    async fn exchange(&mut self, request: &Request) -> Result<(Wire, Head), String> {
        let kept = self.wire.take().filter(Wire::is_quiet);
        if let Some(mut wire) = kept {
            match request.over(&mut wire).await {
                Ok(head) => return Ok((wire, head)),
                Err(died) if died.silent && self.kind.is_idempotent() => {
                    let count = self.field.ledger.count(self.kind);
                    count.retried.fetch_add(1, Ordering::Relaxed);
                }
                Err(died) => return Err(format!("on a kept connection: {}", died.cause)),
            }
        }
        let connected = Wire::connect(self.field.address).await;
        let mut wire = connected.map_err(|error| format!("no connection: {error}"))?;
        match request.over(&mut wire).await {
            Ok(head) => Ok((wire, head)),
            Err(died) => Err(format!("on a new connection: {}", died.cause)),
        }
    }

    /// An answer has come to its end; the connection is kept if it may be.
    fn done(&mut self, answer: Answer) {
        self.field.ledger.finish(answer.receipt.from);
        if !answer.close && self.kind != Kind::Visit {
            self.wire = Some(answer.wire);
        }
    }

    /// An answer that did not come to its end, or not to the right one.
    fn failed(&self, answer: &Answer, cause: Cause) {
        let Receipt { begun, from, .. } = answer.receipt;
        self.field.ledger.fail(begun, Some(from.sandbox), cause);
    }
}

impl Request {
    fn get(head: String) -> Self {
        Self {
            head,
            body: Vec::new(),
            pause: Duration::ZERO,
        }
    }

    /// Sends it over `wire`, and waits for the answer's head.
    async fn over(&self, wire: &mut Wire) -> Result<Head, Died> {
        // Whoever refuses a body may answer and close while it is still being sent, so the
        // answer counts, and not what became of the writes.
        if wire.send(self.head.as_bytes()).await.is_ok() {
            for piece in &self.body {
                if !self.pause.is_zero() {
                    sleep(self.pause).await;
                }
                if wire.send(piece).await.is_err() {
                    break;
                }
            }
        }
        wire.head().await
    }
}
