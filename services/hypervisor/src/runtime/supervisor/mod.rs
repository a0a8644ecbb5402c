//! Keeps one sandbox as it should be: down until it is wanted, then up until it is stopped.
//!
//! One task a sandbox owns all of its transitions, so that none of them can race. It waits in
//! one of four places (at rest, coming up, serving, pausing after a crash) and hears commands in
//! each.

mod end;

use super::backend::{Backend, Instance};
use super::commands::{Command, Commands, StopRequest, send_reply};
use super::health::{healthy, hung};
use super::run::Run;
use super::state::SandboxState;
use super::{RuntimeError, Status};
use end::{After, Down, with_lines};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

/// The pause after the first crash; each further one in a row doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause, and how long a failed sandbox stays failed to requests.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Having run so long, a sandbox that crashes is at its first crash again.
const STEADY: Duration = Duration::from_secs(30);

/// The task behind a sandbox that a [`Backend`] runs.
pub(super) struct Supervisor {
    state: Arc<SandboxState>,
    backend: Arc<dyn Backend>,
    commands: Commands,
    /// Crashes in a row.
    crashes: u32,
    /// Why requests are refused, and since when.
    failure: Option<(Instant, RuntimeError)>,
    /// When a request came that it is being started for.
    wanted_since: Option<Instant>,
}

impl Supervisor {
    pub(super) fn new(
        state: Arc<SandboxState>,
        backend: Arc<dyn Backend>,
        commands: Commands,
    ) -> Self {
        Self {
            state,
            backend,
            commands,
            crashes: 0,
            failure: None,
            wanted_since: None,
        }
    }

    /// Ends when the hypervisor does.
    pub(super) async fn run(mut self) {
        while self.wanted().await && self.keep_up().await {
            self.wanted_since = None;
        }
    }

    /// At rest until someone wants it, or has started it elsewhere; `false` if the hypervisor
    /// ends.
    async fn wanted(&mut self) -> bool {
        loop {
            let command = tokio::select! {
                biased;
                command = self.commands.next() => command,
                () = self.backend.appeared(&self.state.spec) => {
                    self.failure = None;
                    if let Some(it) = self.state.stopped_by.swap(None) {
                        info!(
                            sandbox = self.name(), stopped_by = it.by,
                            "started by something else; requests are let in again"
                        );
                    }
                    return true;
                }
            };
            match command {
                Command::Start { by_hand, reply } => {
                    let Some(refusal) = self.refusal(by_hand) else {
                        self.wanted_since = (!by_hand).then(Instant::now);
                        self.commands.wait(reply);
                        return true;
                    };
                    send_reply(reply, Err(refusal));
                }
                Command::Stop(reply) => {
                    let outcome = self.halt().await;
                    send_reply(reply, outcome);
                }
                Command::End(reply) => {
                    send_reply(reply, Ok(()));
                    return false;
                }
            }
        }
    }

    /// None is started without the seal, or by a request after a person stopped it. A failed sandbox is tried again by hand, or once each
    /// [`LONGEST_PAUSE`] by a request.
    fn refusal(&mut self, by_hand: bool) -> Option<RuntimeError> {
        if let Some(cause) = self.state.seal.broken() {
            let sandbox = self.name().to_owned();
            return Some(RuntimeError::Unsealed { sandbox, cause });
        }
        if !by_hand && let Some(refusal) = self.state.kept_at_rest() {
            return Some(refusal);
        }
        let (since, failure) = self.failure.as_ref()?;
        if by_hand {
            self.forget_crashes();
            return None;
        }
        if since.elapsed() < LONGEST_PAUSE {
            return Some(failure.clone());
        }
        // One crash more, and it has failed again.
        self.crashes = self.crashes.saturating_sub(1);
        self.failure = None;
        None
    }

    fn forget_crashes(&mut self) {
        self.crashes = 0;
        self.failure = None;
    }

    /// Has it up, again after each crash, until it is stopped or has failed; `false` if the
    /// hypervisor ends.
    async fn keep_up(&mut self) -> bool {
        self.state.show(Status::Starting, None, None);
        loop {
            let cause = match self.one_run().await {
                After::Rest => return true,
                After::End => return false,
                After::Again(cause) => cause,
            };
            self.crashes += 1;
            self.state.crashed.fetch_add(1, Ordering::Relaxed);
            if self.crashes >= self.state.most_crashes() {
                self.fail(cause);
                return true;
            }
            let pause = pause_after(self.crashes);
            let crashes = self.crashes;
            warn!(sandbox = self.name(), crashes, ?pause, cause, "crashed");
            self.state.show(Status::Starting, None, Some(cause));
            tokio::select! {
                () = sleep(pause) => {}
                stop_request = self.commands.stop_request() => {
                    self.forget_crashes();
                    self.state.show(Status::Stopped, None, None);
                    return matches!(self.stop_requested(stop_request, Ok(())), After::Rest);
                }
            }
            if let Some(cause) = self.state.seal.broken() {
                self.fail(cause);
                return true;
            }
        }
    }

    /// One run, from its start until it is gone.
    async fn one_run(&mut self) -> After {
        let started = Instant::now();
        let mut instance = match self.start().await {
            Ok(instance) => instance,
            Err(cause) => return After::Again(cause),
        };
        let down = match self.come_up(instance.as_mut()).await {
            Ok(address) => self.serve(instance.as_mut(), address, started).await,
            Err(down) => down,
        };
        self.take_down(instance.as_mut(), down).await
    }

    async fn start(&self) -> Result<Box<dyn Instance>, String> {
        let _starting = self.state.starts.lock().await;
        let release = self.state.release();
        self.backend.start(&self.state.spec, release).await
    }

    /// Started, not healthy yet; says where it then is.
    async fn come_up(&mut self, instance: &mut dyn Instance) -> Result<SocketAddr, Down> {
        let address = instance.address();
        let named = instance.names_itself();
        self.state.names_itself.store(named, Ordering::Release);
        let earlier = self.state.snapshot.load().cause.clone();
        self.state
            .show(Status::Starting, Some(address.first()), earlier);
        let started = tokio::select! {
            biased;
            stop_request = self.commands.stop_request() => return Err(Down::StopRequested(stop_request)),
            started = instance.started() => started,
        };
        started.map_err(Down::Unstarted)?;
        let late = tokio::select! {
            biased;
            stop_request = self.commands.stop_request() => return Err(Down::StopRequested(stop_request)),
            () = instance.ending() => return Err(Down::Gone),
            outcome = healthy(&self.state, &address) => outcome,
        };
        late.map_err(|cause| {
            // It is tried again, but whoever has waited so long is told now.
            let told = RuntimeError::TimedOut {
                sandbox: self.name().to_owned(),
                cause: with_lines(&cause, instance),
            };
            self.commands.settle(&Err(told));
            Down::Hung(cause)
        })
    }

    /// Healthy, and open to requests.
    async fn serve(
        &mut self,
        instance: &mut dyn Instance,
        address: SocketAddr,
        started: Instant,
    ) -> Down {
        let took = started.elapsed();
        info!(sandbox = self.name(), %address, ?took, "running");
        let run = self.state.open(address, started);
        self.commands.settle(&Ok(()));
        if let Some(since) = self.wanted_since.take() {
            self.state.cold_starts.observe(since.elapsed());
        }
        let down = tokio::select! {
            biased;
            stop_request = self.commands.stop_request_while_running() => Down::StopRequested(stop_request),
            () = instance.ending() => Down::Gone,
            cause = hung(&self.state, address) => Down::Hung(cause),
            () = self.state.idle(&run) => Down::Idle,
        };
        self.state.close();
        if let Down::StopRequested(StopRequest { last: false, .. }) = down {
            self.drain(&run).await;
        }
        if started.elapsed() >= STEADY {
            self.crashes = 0;
        }
        down
    }

    /// Lets those who hold it finish, for `runtime.stop_secs` at most.
    async fn drain(&self, run: &Run) {
        self.state.show(Status::Draining, Some(run.address), None);
        let done = timeout(self.state.stop_limit(), run.gate.empty()).await;
        if done.is_err() {
            let held = run.gate.inside();
            warn!(
                sandbox = self.name(),
                held, "stopping under requests that do not end"
            );
        }
    }

    fn name(&self) -> &str {
        &self.state.spec.name
    }
}

fn pause_after(crashes: u32) -> Duration {
    let doublings = crashes.saturating_sub(1).min(16);
    LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(doublings))
}
