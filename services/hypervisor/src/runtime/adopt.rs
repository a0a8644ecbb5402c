//! `adopt`: sandboxes that something else runs. They are never started or stopped from here;
//! they are running while they answer as themselves, and failed with a sentence while not.

use super::board::Board;
use super::health::PATIENCE;
use super::orders::{Reply, answer};
use super::{RuntimeError, Status};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::time::DelayQueue;
use tracing::{error, info, warn};

/// Sandboxes that are probed at a time, beside those that requests wait for: enough that some
/// that hang do not hold up the others.
const PROBES: usize = 128;

/// Watches all adopted sandboxes: each every `runtime.probe_secs`, and one that is failed also
/// at a request.
///
/// It is one task, however many they are: a sandbox that is well costs a place in its queue.
pub(super) struct Watch {
    task: OnceLock<mpsc::UnboundedSender<Message>>,
}

enum Message {
    /// Watch this one from now on.
    Add(Arc<Board>),
    /// A request needs it.
    Ask(Arc<Board>, Reply),
    /// The hypervisor ends.
    End,
}

impl Watch {
    pub(super) fn new() -> Self {
        let task = OnceLock::new();
        Self { task }
    }

    /// Watches one more. Needs a Tokio runtime.
    pub(super) fn add(&self, board: &Arc<Board>) {
        board.show(Status::Starting, likeliest(board), None);
        self.tell(Message::Add(Arc::clone(board)));
    }

    /// Resolves when it runs, or with what is wrong now: no probe counts that had begun before.
    pub(super) async fn ask(&self, board: &Arc<Board>) -> Result<(), RuntimeError> {
        let (reply, outcome) = oneshot::channel();
        self.tell(Message::Ask(Arc::clone(board), reply));
        let ended = |_| RuntimeError::ShuttingDown {
            sandbox: board.spec.name.clone(),
        };
        outcome.await.map_err(ended)?
    }

    /// Watches none any more.
    pub(super) fn end(&self) {
        self.tell(Message::End);
    }

    fn tell(&self, message: Message) {
        let task = self.task.get_or_init(|| {
            let (sender, messages) = mpsc::unbounded_channel();
            tokio::spawn(Watcher::default().run(messages));
            sender
        });
        // After the end nobody listens, which whoever waits for a reply sees.
        let _ = task.send(message);
    }
}

/// Why a sandbox cannot be stopped.
pub(super) fn not_ours(board: &Board) -> RuntimeError {
    RuntimeError::CannotStop {
        sandbox: board.spec.name.clone(),
        cause: "something else runs it (runtime.kind is `adopt`); stop it there".to_owned(),
    }
}

#[derive(Default)]
struct Watcher {
    due: DelayQueue<Due>,
    probing: JoinSet<(Arc<Board>, Result<(), RuntimeError>)>,
    /// The probes under way, by their sandbox.
    probes: HashMap<String, Probe>,
    /// How many of them were due.
    regular: usize,
}

/// A sandbox that waits for its next probe.
struct Due {
    board: Arc<Board>,
    /// The time from that one to the one after it.
    pause: Duration,
}

/// A probe under way.
struct Probe {
    regular: bool,
    /// Who waits for it.
    asked: Vec<Reply>,
    /// Who asked since it began, when the sandbox may have been another.
    late: Vec<Reply>,
}

impl Watcher {
    async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        loop {
            tokio::select! {
                message = messages.recv() => match message {
                    Some(Message::Add(board)) => self.add(board),
                    Some(Message::Ask(board, reply)) => self.ask(board, reply),
                    Some(Message::End) | None => return,
                },
                Some(due) = self.due.next(), if self.regular < PROBES => {
                    self.in_time(due.into_inner());
                }
                Some(Ok((board, outcome))) = self.probing.join_next() => {
                    self.settle(board, &outcome);
                }
            }
        }
    }

    fn add(&mut self, board: Arc<Board>) {
        let pause = part_of(board.probe_pause(), &board.spec.name);
        self.due.insert(Due { board, pause }, Duration::ZERO);
    }

    fn in_time(&mut self, Due { board, pause }: Due) {
        let again = Due {
            board: Arc::clone(&board),
            pause: board.probe_pause(),
        };
        self.due.insert(again, pause);
        if !self.probes.contains_key(&board.spec.name) {
            self.probe(board, true, Vec::new());
        }
    }

    fn ask(&mut self, board: Arc<Board>, reply: Reply) {
        if board.is_open() {
            answer(reply, Ok(()));
        } else if let Some(probe) = self.probes.get_mut(&board.spec.name) {
            probe.late.push(reply);
        } else {
            self.probe(board, false, vec![reply]);
        }
    }

    fn probe(&mut self, board: Arc<Board>, regular: bool, asked: Vec<Reply>) {
        self.regular += usize::from(regular);
        let probe = Probe {
            regular,
            asked,
            late: Vec::new(),
        };
        self.probes.insert(board.spec.name.clone(), probe);
        self.probing.spawn(async move {
            let outcome = look(&board).await;
            (board, outcome)
        });
    }

    fn settle(&mut self, board: Arc<Board>, outcome: &Result<(), RuntimeError>) {
        let Some(probe) = self.probes.remove(&board.spec.name) else {
            return;
        };
        self.regular -= usize::from(probe.regular);
        for reply in probe.asked {
            answer(reply, outcome.clone());
        }
        if board.is_open() {
            probe.late.into_iter().for_each(|it| answer(it, Ok(())));
        } else if !probe.late.is_empty() {
            self.probe(board, false, probe.late);
        }
    }
}

/// A part of the pause that this sandbox alone begins with, so that later probes of many are
/// spread over the time.
fn part_of(pause: Duration, name: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    pause * u32::from(hasher.finish().to_le_bytes()[0]) / 256
}

/// Probes it, and shows what was found.
async fn look(board: &Board) -> Result<(), RuntimeError> {
    let Some(address) = board.spec.address else {
        return Err(lose(board, "the config gives it no address".to_owned()));
    };
    // One that runs stays where it was found; another family's answer would be another's.
    let known = board.instance.load().as_ref().map(|it| it.address);
    let found = match known {
        Some(place) => board.probe(place).await.map(|()| place),
        None => board.find(&address).await,
    };
    let error = match found {
        Ok(address) => {
            board.failed.store(0, Ordering::Relaxed);
            if !board.is_open() {
                info!(sandbox = board.spec.name, %address, "running");
                board.open(address, Instant::now());
            }
            return Ok(());
        }
        Err(error) => error,
    };
    let failed = board.failed.fetch_add(1, Ordering::Relaxed) + 1;
    // One that stays away is not news for ever.
    if failed <= PATIENCE {
        warn!(sandbox = board.spec.name, failed, %error, "probe failed");
    }
    // One that ran may be slow for once, but one that is another will not become the right one.
    if board.is_open() && failed < PATIENCE && !error.is_foreign() {
        return Ok(());
    }
    Err(lose(board, error.to_string()))
}

fn likeliest(board: &Board) -> Option<SocketAddr> {
    board.spec.address.map(|address| address.first())
}

fn lose(board: &Board, cause: String) -> RuntimeError {
    if board.is_open() {
        error!(sandbox = board.spec.name, cause, "failed");
    }
    board.close();
    board.show(Status::Failed, likeliest(board), Some(cause.clone()));
    RuntimeError::Lost {
        sandbox: board.spec.name.clone(),
        cause,
    }
}
