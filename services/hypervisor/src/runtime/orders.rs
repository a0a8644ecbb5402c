//! What the handles of a sandbox ask of its supervisor, and who waits for the outcome.

use super::RuntimeError;
// Tokio's takes a kilobyte while it is empty, and every sandbox that is watched has one.
use futures_channel::mpsc;
use futures_util::StreamExt;
use tokio::sync::oneshot;

/// How an order went; the asker may have left without hearing it.
pub(super) type Reply = oneshot::Sender<Result<(), RuntimeError>>;

pub(super) enum Order {
    /// Have it running. By hand, recent failures do not stand in the way.
    Start { by_hand: bool, reply: Reply },
    /// Have it stopped, once those who hold it are done (within bounds).
    Stop(Reply),
    /// The hypervisor ends: stop it now, and start it no more.
    End(Reply),
}

/// The supervisor's end: orders to come, and whoever waits for the sandbox to run.
pub(super) struct Orders {
    queue: mpsc::UnboundedReceiver<Order>,
    waiting: Vec<Reply>,
}

/// An order that ends what the supervisor is doing.
pub(super) struct Halt {
    pub(super) reply: Reply,
    /// Whether the hypervisor ends.
    pub(super) last: bool,
}

impl Orders {
    pub(super) fn channel() -> (mpsc::UnboundedSender<Order>, Self) {
        let (sender, queue) = mpsc::unbounded();
        let waiting = Vec::new();
        (sender, Self { queue, waiting })
    }

    /// The next order. Once every handle is gone, that is to end.
    pub(super) async fn next(&mut self) -> Order {
        let gone = || Order::End(oneshot::channel().0);
        self.queue.next().await.unwrap_or_else(gone)
    }

    /// Lets everyone who asks for a start wait, until someone orders a stop. Loses no order
    /// when dropped half-way.
    pub(super) async fn halt(&mut self) -> Halt {
        loop {
            match self.next().await {
                Order::Start { reply, .. } => self.wait(reply),
                Order::Stop(reply) => return Halt { reply, last: false },
                Order::End(reply) => return Halt { reply, last: true },
            }
        }
    }

    /// As [`Orders::halt`] while the sandbox runs: whoever asks for a start has it.
    pub(super) async fn halt_running(&mut self) -> Halt {
        loop {
            match self.next().await {
                Order::Start { reply, .. } => answer(reply, Ok(())),
                Order::Stop(reply) => return Halt { reply, last: false },
                Order::End(reply) => return Halt { reply, last: true },
            }
        }
    }

    pub(super) fn wait(&mut self, reply: Reply) {
        self.waiting.push(reply);
    }

    /// Tells everyone who waited how it went.
    pub(super) fn settle(&mut self, outcome: &Result<(), RuntimeError>) {
        for reply in self.waiting.drain(..) {
            answer(reply, outcome.clone());
        }
    }
}

/// Tells an asker how it went.
pub(super) fn answer(reply: Reply, outcome: Result<(), RuntimeError>) {
    // An asker who no longer listens was cancelled, which is theirs alone.
    let _ = reply.send(outcome);
}
