//! The append-only event log.
//!
//! One thread writes, so that ids, times and commits have one order. A follower is nothing but
//! a cursor: it reads what is committed after the last id that it saw, and sleeps while that is
//! the newest. Replay and live are the same reading, so that nothing can be lost or doubled
//! between them, and a slow follower costs nobody else anything.

mod database;
mod writer;

use futures_util::stream::{self, Stream};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};
use writer::Command;

/// How many events one reading takes at most.
pub const PAGE: usize = 1000;

/// How many appends may wait for the writer before the next one waits at the door.
const QUEUE: usize = 1024;

/// Why the log did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened as an event log.
    #[error(
        "{}: {cause}; give its folder space, or move the file away to begin a new log",
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The event was not written.
    #[error("the event could not be written: {0}; see that the data dir has space and try again")]
    Write(String),
    /// Events could not be read.
    #[error("the events could not be read: {0}; see that the data dir is intact")]
    Read(String),
    /// The service is shutting down.
    #[error("the event log is closed because this sandbox is stopping; try again when it is back")]
    Closed,
}

/// Something that happened, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Grows from event to event, without gaps.
    pub id: i64,
    /// When it was written, RFC 3339 in UTC.
    pub at: String,
    /// What kind of event it is, such as `system.startup`.
    pub kind: String,
    /// Who sent it; nobody, if the sandbox did.
    pub user_id: Option<String>,
    /// Whatever belongs to it.
    pub payload: Option<Value>,
}

/// An event that is yet to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// See [`Event::kind`].
    pub kind: String,
    /// See [`Event::user_id`].
    pub user_id: Option<String>,
    /// See [`Event::payload`].
    pub payload: Option<Value>,
}

/// A handle on the log.
#[derive(Debug, Clone)]
pub struct EventLog {
    commands: mpsc::Sender<Command>,
    newest: watch::Receiver<i64>,
    reader: Arc<Mutex<Connection>>,
}

impl EventLog {
    /// Opens the log in this file, which is made if need be. Blocks.
    ///
    /// # Errors
    /// The file is no event log, or one of a newer version.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let failed = |cause: String| LogError::Open {
            path: path.into(),
            cause,
        };
        let connection = database::open(path).map_err(failed)?;
        let reader = database::open(path).map_err(failed)?;
        let newest = database::newest(&connection).map_err(|e| failed(e.to_string()))?;
        let (commands, queue) = mpsc::channel(QUEUE);
        let (told, newest) = watch::channel(newest);
        std::thread::Builder::new()
            .name("event-log".into())
            .spawn(move || writer::run(connection, queue, &told))
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            commands,
            newest,
            reader: Arc::new(Mutex::new(reader)),
        })
    }

    /// Appends an event. Once this returns, the event is on the disk.
    ///
    /// # Errors
    /// It was not written.
    pub async fn append(&self, draft: Draft) -> Result<Event, LogError> {
        let (reply, response) = oneshot::channel();
        let command = Command::Append(draft, reply);
        self.commands
            .send(command)
            .await
            .map_err(|_| LogError::Closed)?;
        response.await.map_err(|_| LogError::Closed)?
    }

    /// The id of the newest event; 0 if there is none.
    pub fn newest(&self) -> i64 {
        *self.newest.borrow()
    }

    /// The events after the id `after`, oldest first: `limit` at most, and fewer where they are
    /// large. None are left when this is empty.
    ///
    /// # Errors
    /// They could not be read.
    pub async fn after(&self, after: i64, limit: usize) -> Result<Vec<Event>, LogError> {
        let reader = Arc::clone(&self.reader);
        let read = move || {
            let connection = reader.lock().unwrap_or_else(PoisonError::into_inner);
            database::after(&connection, after, limit.min(PAGE))
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(events) => events.map_err(|error| LogError::Read(error.to_string())),
            Err(_) => Err(LogError::Closed),
        }
    }

    /// Every event after the id `after`, each once and in order, for ever.
    pub fn follow(&self, after: i64) -> impl Stream<Item = Result<Event, LogError>> + Send + use<> {
        let follower = Follower {
            log: self.clone(),
            cursor: after,
            read: VecDeque::new(),
        };
        stream::try_unfold(follower, |mut follower| async move {
            Ok(follower.next().await?.map(|event| (event, follower)))
        })
    }

    /// Writes what is queued, checkpoints and ends the log; it refuses events from then on.
    pub async fn close(&self) {
        let (reply, response) = oneshot::channel();
        if self.commands.send(Command::Close(reply)).await.is_ok() {
            // An error means that the writer is gone, so there is nothing left to wait for.
            let _ = response.await;
        }
    }
}

struct Follower {
    log: EventLog,
    cursor: i64,
    read: VecDeque<Event>,
}

impl Follower {
    async fn next(&mut self) -> Result<Option<Event>, LogError> {
        loop {
            if let Some(event) = self.read.pop_front() {
                self.cursor = event.id;
                return Ok(Some(event));
            }
            // Marked as seen before the reading: a commit during it wakes us once more.
            if self.cursor < *self.log.newest.borrow_and_update() {
                self.read = self.log.after(self.cursor, PAGE).await?.into();
                if !self.read.is_empty() {
                    continue;
                }
            }
            if self.log.newest.changed().await.is_err() {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests;
