//! `adopt`: sandboxes that something else runs. They are never started or stopped from here;
//! they are running while they answer as themselves, and failed with a sentence while not.

use super::commands::{Reply, send_reply};
use super::health::FAILURE_THRESHOLD;
use super::state::SandboxState;
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
    Add(Arc<SandboxState>),
    /// A request needs it.
    Ask(Arc<SandboxState>, Reply),
    /// The hypervisor ends.
    End,
}

impl Watch {
    pub(super) fn new() -> Self {
        let task = OnceLock::new();
        Self { task }
    }

    /// Watches one more. Needs a Tokio runtime.
    pub(super) fn add(&self, state: &Arc<SandboxState>) {
        state.show(Status::Starting, likeliest(state), None);
        self.tell(Message::Add(Arc::clone(state)));
    }

    /// Resolves when it runs, or with what is wrong now: no probe counts that had begun before.
    pub(super) async fn ask(&self, state: &Arc<SandboxState>) -> Result<(), RuntimeError> {
        let (reply, outcome) = oneshot::channel();
        self.tell(Message::Ask(Arc::clone(state), reply));
        let ended = |_| RuntimeError::ShuttingDown {
            sandbox: state.spec.name.clone(),
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
pub(super) fn not_ours(state: &SandboxState) -> RuntimeError {
    RuntimeError::CannotStop {
        sandbox: state.spec.name.clone(),
        cause: "something else runs it (runtime.kind is `adopt`); stop it there".to_owned(),
    }
}

#[derive(Default)]
struct Watcher {
    due: DelayQueue<Due>,
    probing: JoinSet<(Arc<SandboxState>, Result<(), RuntimeError>)>,
    /// The probes under way, by their sandbox.
    probes: HashMap<String, Probe>,
    /// How many of them were due.
    regular: usize,
}

/// A sandbox that waits for its next probe.
struct Due {
    state: Arc<SandboxState>,
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
                    Some(Message::Add(state)) => self.add(state),
                    Some(Message::Ask(state, reply)) => self.ask(state, reply),
                    Some(Message::End) | None => return,
                },
                Some(due) = self.due.next(), if self.regular < PROBES => {
                    self.in_time(due.into_inner());
                }
                Some(Ok((state, outcome))) = self.probing.join_next() => {
                    self.settle(state, &outcome);
                }
            }
        }
    }

    fn add(&mut self, state: Arc<SandboxState>) {
        let pause = part_of(state.probe_pause(), &state.spec.name);
        self.due.insert(Due { state, pause }, Duration::ZERO);
    }

    fn in_time(&mut self, Due { state, pause }: Due) {
        let again = Due {
            state: Arc::clone(&state),
            pause: state.probe_pause(),
        };
        self.due.insert(again, pause);
        if !self.probes.contains_key(&state.spec.name) {
            self.probe(state, true, Vec::new());
        }
    }

    fn ask(&mut self, state: Arc<SandboxState>, reply: Reply) {
        if state.is_open() {
            send_reply(reply, Ok(()));
        } else if let Some(probe) = self.probes.get_mut(&state.spec.name) {
            probe.late.push(reply);
        } else {
            self.probe(state, false, vec![reply]);
        }
    }

    fn probe(&mut self, state: Arc<SandboxState>, regular: bool, asked: Vec<Reply>) {
        self.regular += usize::from(regular);
        let probe = Probe {
            regular,
            asked,
            late: Vec::new(),
        };
        self.probes.insert(state.spec.name.clone(), probe);
        self.probing.spawn(async move {
            let outcome = look(&state).await;
            (state, outcome)
        });
    }

    fn settle(&mut self, state: Arc<SandboxState>, outcome: &Result<(), RuntimeError>) {
        let Some(probe) = self.probes.remove(&state.spec.name) else {
            return;
        };
        self.regular -= usize::from(probe.regular);
        for reply in probe.asked {
            send_reply(reply, outcome.clone());
        }
        if state.is_open() {
            probe.late.into_iter().for_each(|it| send_reply(it, Ok(())));
        } else if !probe.late.is_empty() {
            self.probe(state, false, probe.late);
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
async fn look(state: &SandboxState) -> Result<(), RuntimeError> {
    let Some(address) = state.spec.declared.listens() else {
        return Err(mark_failed(
            state,
            "the config gives it no address".to_owned(),
        ));
    };
    // One that runs stays where it was found; another family's response would be another's.
    let known = state.run.load().as_ref().map(|it| it.address);
    let found = match known {
        Some(place) => state.probe(place).await.map(|()| place),
        None => state.find(&address).await,
    };
    let error = match found {
        Ok(address) => {
            state.failed.store(0, Ordering::Relaxed);
            if !state.is_open() {
                info!(sandbox = state.spec.name, %address, "running");
                state.open(address, Instant::now());
            }
            return Ok(());
        }
        Err(error) => error,
    };
    let failed = state.failed.fetch_add(1, Ordering::Relaxed) + 1;
    // One that stays away is not news for ever.
    if failed <= FAILURE_THRESHOLD {
        warn!(sandbox = state.spec.name, failed, %error, "probe failed");
    }
    // One that ran may be slow for once, but one that is another will not become the right one.
    if state.is_open() && failed < FAILURE_THRESHOLD && !error.is_impostor() {
        return Ok(());
    }
    Err(mark_failed(state, error.to_string()))
}

fn likeliest(state: &SandboxState) -> Option<SocketAddr> {
    state.spec.declared.listens().map(|address| address.first())
}

fn mark_failed(state: &SandboxState, cause: String) -> RuntimeError {
    if state.is_open() {
        error!(sandbox = state.spec.name, cause, "failed");
    }
    state.close();
    state.show(Status::Failed, likeliest(state), Some(cause.clone()));
    RuntimeError::Lost {
        sandbox: state.spec.name.clone(),
        cause,
    }
}
