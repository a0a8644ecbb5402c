//! The one thread that writes the event log.

use super::{Draft, Event, LogError, database};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

/// How many events share a commit, and so a wait for the disk, at most.
const BATCH: usize = 256;

/// Where the answer to an append goes.
type Reply = oneshot::Sender<Result<Event, LogError>>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Write this, and answer when it is on the disk.
    Append(Draft, Reply),
    /// Write what was ordered before, checkpoint, answer and end.
    Close(oneshot::Sender<()>),
}

/// Writes until it is told to close or nobody is left to order anything. Each commit's newest
/// id goes to `newest`, which is what wakes the followers.
pub(super) fn run(
    mut connection: Connection,
    mut commands: mpsc::Receiver<Command>,
    newest: &watch::Sender<i64>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut closed = Vec::new();
    while closed.is_empty() && commands.blocking_recv_many(&mut batch, BATCH) > 0 {
        let (mut drafts, mut replies) = (Vec::new(), Vec::new());
        for order in batch.drain(..) {
            match order {
                Command::Append(draft, reply) => {
                    drafts.push(draft);
                    replies.push(reply);
                }
                Command::Close(reply) => closed.push(reply),
            }
        }
        send_replies(commit(&mut connection, &drafts), replies, newest);
    }
    if let Err(error) = database::checkpoint(&connection) {
        // Nothing is lost: the next start reads the write-ahead log.
        tracing::warn!(%error, "no checkpoint of the event log");
    }
    drop(connection);
    for reply in closed {
        let _ = reply.send(());
    }
}

fn commit(connection: &mut Connection, drafts: &[Draft]) -> rusqlite::Result<Vec<Event>> {
    let transaction = connection.transaction()?;
    let events = drafts
        .iter()
        .map(|draft| database::insert(&transaction, draft))
        .collect::<Result<_, _>>()?;
    transaction.commit()?;
    Ok(events)
}

/// Wakes the followers and answers. Nobody to answer to means a caller that went away.
fn send_replies(
    written: rusqlite::Result<Vec<Event>>,
    replies: Vec<Reply>,
    newest: &watch::Sender<i64>,
) {
    match written {
        Ok(events) => {
            if let Some(event) = events.last() {
                newest.send_replace(event.id);
            }
            for (reply, event) in replies.into_iter().zip(events) {
                let _ = reply.send(Ok(event));
            }
        }
        Err(error) => {
            tracing::error!(%error, events = replies.len(), "events not written");
            for reply in replies {
                let _ = reply.send(Err(LogError::Write(error.to_string())));
            }
        }
    }
}
