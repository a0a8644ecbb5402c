//! The records: one thread writes, and many at once in one transaction; another one reads.

use super::super::record::{Key, Stored};
use super::files::Files;
use super::{check, schema};
use anyhow::{Context, Result, anyhow};
use rusqlite::{Connection, OptionalExtension};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use tokio::sync::{oneshot, watch};

/// So many at once, at most.
const MOST: usize = 512;

/// What became of a record that came.
pub(super) enum Written {
    /// It is there, now or since before.
    Stored(Stored),
    /// The one before it is not there.
    Gap,
}

struct Write {
    key: Key,
    text: String,
    reply: oneshot::Sender<Result<Written>>,
}

type Read = Box<dyn FnOnce(&Connection) + Send>;

pub(super) struct Store {
    folder: PathBuf,
    schema: u32,
    writes: mpsc::Sender<Write>,
    reads: mpsc::Sender<Read>,
    /// The newest record's sequence.
    pub(super) newest: watch::Receiver<u64>,
}

impl Store {
    /// Opens, migrates and checks what is there, all of it or what takes no time.
    pub(super) fn open(folder: &Path, schema: u32, check_all: bool) -> Result<Self> {
        let mut connection = schema::open(folder)?;
        schema::migrate(&mut connection, schema)?;
        let files = Files::of(folder);
        let check = if check_all {
            check::whole
        } else {
            check::quick
        };
        check(&connection, &files, schema)?;
        let newest = "SELECT coalesce(max(sequence), 0) FROM record";
        let newest: u64 = connection.query_row(newest, [], |row| row.get(0))?;
        let (tell, newest) = watch::channel(newest);
        let reader = schema::open(folder)?;
        let (writes, jobs) = mpsc::channel();
        let writer = Writer {
            connection,
            files,
            insert: insert(schema),
        };
        thread::spawn(move || writer.run(&jobs, &tell));
        let (reads, questions) = mpsc::channel::<Read>();
        thread::spawn(move || questions.iter().for_each(|question| question(&reader)));
        Ok(Self {
            folder: folder.into(),
            schema,
            writes,
            reads,
            newest,
        })
    }

    /// Resolves when the record is committed.
    pub(super) async fn write(&self, key: Key, text: String) -> Result<Written> {
        let (reply, written) = oneshot::channel();
        let gone = |_| anyhow!("the writer is gone");
        self.writes.send(Write { key, text, reply }).map_err(gone)?;
        written.await?
    }

    /// The lines of the records that `filter` names, in their order.
    pub(super) async fn lines(&self, filter: &'static str, of: (u64, u64)) -> Result<String> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT client, number, sequence, arrivals, text FROM record WHERE {filter}"
            );
            let mut rows = connection.prepare_cached(&sql)?;
            let mut lines = String::new();
            let mut rows = rows.query(of)?;
            while let Some(row) = rows.next()? {
                let stored = Stored {
                    key: check::key(row)?,
                    sequence: row.get(2)?,
                    arrivals: row.get(3)?,
                };
                lines.push_str(&stored.line(row.get_ref(4)?.as_str()?));
            }
            Ok(lines)
        })
        .await
    }

    /// The numbers of a client's files that are right.
    pub(super) async fn files(&self, client: u32) -> Result<Vec<u64>> {
        let files = Files::of(&self.folder);
        self.read(move |_| {
            let mut numbers = files.of_client(client)?;
            numbers.retain(|&number| files.has(Key { client, number }));
            Ok(numbers)
        })
        .await
    }

    /// Whether all is whole.
    pub(super) async fn check(&self) -> Result<()> {
        let (files, schema) = (Files::of(&self.folder), self.schema);
        self.read(move |connection| check::whole(connection, &files, schema))
            .await
    }

    /// Spoils what there is, as a release does whose migration is wrong.
    pub(super) async fn spoil(&self) -> Result<()> {
        let files = Files::of(&self.folder);
        self.read(move |connection| {
            connection.execute_batch(
                "DELETE FROM record WHERE number % 2 = 0; UPDATE record SET text = 'spoilt';
                 PRAGMA wal_checkpoint(TRUNCATE);",
            )?;
            Ok(files.spoil()?)
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            let _ = reply.send(question(connection)); // Who asked may be gone.
        });
        self.reads
            .send(read)
            .map_err(|_| anyhow!("the reader is gone"))?;
        answer.await?
    }
}

fn insert(schema: u32) -> String {
    format!(
        "INSERT INTO record (client, number, text, v{schema}) VALUES (?1, ?2, ?3, ?2)
            ON CONFLICT (client, number) DO UPDATE SET arrivals = arrivals + 1
            RETURNING sequence, arrivals"
    )
}

struct Writer {
    connection: Connection,
    files: Files,
    insert: String,
}

impl Writer {
    fn run(mut self, jobs: &mpsc::Receiver<Write>, newest: &watch::Sender<u64>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = vec![first];
            batch.extend(jobs.try_iter().take(MOST));
            let done = self.commit(&batch);
            let sequences = done.iter().flatten().filter_map(|written| match written {
                Written::Stored(stored) => Some(stored.sequence),
                Written::Gap => None,
            });
            if let Some(last) = sequences.max() {
                newest
                    .send_if_modified(|newest| last > std::mem::replace(newest, last.max(*newest)));
            }
            let mut done = done.map(Vec::into_iter);
            for write in batch {
                let reply = match &mut done {
                    Ok(written) => written.next().context("a reply for each"),
                    Err(error) => Err(anyhow!("{error:#}")),
                };
                let _ = write.reply.send(reply); // Who asked may be gone.
            }
        }
    }

    fn commit(&mut self, batch: &[Write]) -> Result<Vec<Written>> {
        let transaction = self.connection.transaction()?;
        let mut done = Vec::with_capacity(batch.len());
        for write in batch {
            done.push(put(&transaction, &self.insert, write)?);
            if write.key.has_file() {
                self.files.write(write.key)?;
            }
        }
        transaction.commit()?;
        Ok(done)
    }
}

fn put(connection: &Connection, insert: &str, write: &Write) -> Result<Written> {
    let Key { client, number } = write.key;
    if number > 1 {
        let before = "SELECT 1 FROM record WHERE client = ?1 AND number = ?2";
        let mut before = connection.prepare_cached(before)?;
        let there = before
            .query_row((client, number - 1), |_| Ok(()))
            .optional()?;
        if there.is_none() {
            return Ok(Written::Gap);
        }
    }
    let mut insert = connection.prepare_cached(insert)?;
    let (sequence, arrivals) = insert.query_row((client, number, &write.text), |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(Written::Stored(Stored {
        key: write.key,
        sequence,
        arrivals,
    }))
}
