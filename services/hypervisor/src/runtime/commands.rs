//! What the handles of a sandbox ask of its supervisor, and who waits for the outcome.

use super::RuntimeError;
// Tokio's takes a kilobyte while it is empty, and every sandbox that is watched has one.
use futures_channel::mpsc;
use futures_util::StreamExt;
use tokio::sync::oneshot;

/// How a command went; the asker may have left without hearing it.
pub(super) type Reply = oneshot::Sender<Result<(), RuntimeError>>;

pub(super) enum Command {
    /// Have it running. By hand, recent failures do not stand in the way.
    Start { by_hand: bool, reply: Reply },
    /// Have it stopped, once those who hold it are done (within bounds).
    Stop(Reply),
    /// The hypervisor ends: stop it now, and start it no more.
    End(Reply),
}

/// The supervisor's end: commands to come, and whoever waits for the sandbox to run.
pub(super) struct Commands {
    queue: mpsc::UnboundedReceiver<Command>,
    waiting: Vec<Reply>,
}

/// What ends what the supervisor is doing.
pub(super) struct StopRequest {
    pub(super) reply: Reply,
    /// Whether the hypervisor ends.
    pub(super) last: bool,
}

impl Commands {
    pub(super) fn channel() -> (mpsc::UnboundedSender<Command>, Self) {
        let (sender, queue) = mpsc::unbounded();
        let waiting = Vec::new();
        (sender, Self { queue, waiting })
    }

    /// The next command. Once every handle is gone, that is to end.
    pub(super) async fn next(&mut self) -> Command {
        let gone = || Command::End(oneshot::channel().0);
        self.queue.next().await.unwrap_or_else(gone)
    }

    /// Lets everyone who asks for a start wait, until someone asks for a stop. Loses no command
    /// when dropped half-way.
    pub(super) async fn stop_request(&mut self) -> StopRequest {
        loop {
            match self.next().await {
                Command::Start { reply, .. } => self.wait(reply),
                Command::Stop(reply) => return StopRequest { reply, last: false },
                Command::End(reply) => return StopRequest { reply, last: true },
            }
        }
    }

    /// As [`Commands::stop_request`] while the sandbox runs: whoever asks for a start has it.
    pub(super) async fn stop_request_while_running(&mut self) -> StopRequest {
        loop {
            match self.next().await {
                Command::Start { reply, .. } => send_reply(reply, Ok(())),
                Command::Stop(reply) => return StopRequest { reply, last: false },
                Command::End(reply) => return StopRequest { reply, last: true },
            }
        }
    }

    pub(super) fn wait(&mut self, reply: Reply) {
        self.waiting.push(reply);
    }

    /// Tells everyone who waited how it went.
    pub(super) fn settle(&mut self, outcome: &Result<(), RuntimeError>) {
        for reply in self.waiting.drain(..) {
            send_reply(reply, outcome.clone());
        }
    }
}

/// Tells an asker how it went.
pub(super) fn send_reply(reply: Reply, outcome: Result<(), RuntimeError>) {
    // An asker who no longer listens was cancelled, which is theirs alone.
    let _ = reply.send(outcome);
}
