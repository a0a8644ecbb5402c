//! The handle that everyone else has on a sandbox.

use super::adopt;
use super::backend::{Backend, StartLock};
use super::commands::{Command, Commands, Reply};
use super::state::SandboxState;
use super::supervision::Supervision;
use super::supervisor::Supervisor;
use super::{Hold, ProbeError, RuntimeError, Spec, Status, StoppedBy};
use crate::role::Role;
use futures_channel::mpsc;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::oneshot;
use utoipa::ToSchema;

/// A sandbox, whether it runs or not.
pub struct Sandbox {
    state: Arc<SandboxState>,
    supervision: Arc<Supervision>,
    /// To its supervisor, once there is one.
    commands: OnceLock<mpsc::UnboundedSender<Command>>,
    /// How many drains wait for those who hold it.
    drains: AtomicUsize,
}

/// How a sandbox is at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct View {
    /// How it is.
    pub status: Status,
    /// Where it listens, while that is known.
    #[schema(value_type = Option<String>)]
    pub address: Option<SocketAddr>,
    /// The port of `address`.
    pub port: Option<u16>,
    /// Seconds since a request last held it; 0 while one does, and while it does not run.
    pub idle_secs: u64,
    /// What went wrong last, if it is not well.
    pub cause: Option<String>,
    /// Seconds since it was started (`adopt`: first found healthy), while it runs.
    pub age_secs: Option<u64>,
}

impl Sandbox {
    /// One that is looked after from its first command on; at once, if it may run without one.
    /// Needs a Tokio runtime.
    pub(super) fn new(state: SandboxState, supervision: Arc<Supervision>) -> Self {
        let sandbox = Self {
            state: Arc::new(state),
            supervision,
            commands: OnceLock::new(),
            drains: AtomicUsize::new(0),
        };
        match &*sandbox.supervision {
            Supervision::Watch(watch) => watch.add(&sandbox.state),
            Supervision::Supervise(backend) if backend.survives_restart() => {
                sandbox.commands(backend);
            }
            Supervision::Supervise(_) => {}
        }
        sandbox
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.state.spec.name
    }

    /// The role that it was born with, whichever it has now.
    pub fn born(&self) -> Role {
        self.state.spec.instance_role
    }

    /// Which one it is.
    pub fn spec(&self) -> &Spec {
        &self.state.spec
    }

    pub(super) fn state(&self) -> &Arc<SandboxState> {
        &self.state
    }

    pub(super) fn supervision(&self) -> &Supervision {
        &self.supervision
    }

    /// Held while something is done to its volume. Whoever needs [`Sandbox::starts`] as well takes
    /// this one first.
    pub(super) fn volume(&self) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.state.volume)
    }

    pub(super) fn starts(&self) -> Arc<StartLock> {
        Arc::clone(&self.state.starts)
    }

    /// The release that its next start runs, whoever causes that: a request, a crash, a restart of
    /// the hypervisor. 0 is the newest, and with `adopt` whatever it is.
    pub fn release(&self) -> u64 {
        self.state.release()
    }

    /// Has its next start run this release. A run under way goes on as it is.
    pub fn set_release(&self, number: u64) {
        self.state.set_release(number);
    }

    /// Who stopped it for good, while nobody has started it since.
    pub fn stopped_by(&self) -> Option<StoppedBy> {
        self.state.stopped_by.load().as_deref().cloned()
    }

    /// Says that a person stopped it, before it is stopped: from now on no request starts it.
    /// `None` ends that. Something else that starts it, such as `systemctl start`, ends it too.
    pub fn set_stopped_by(&self, stopped_by: Option<StoppedBy>) {
        self.state.stopped_by.store(stopped_by.map(Arc::new));
    }

    /// Says whether it is being changed: no request starts it then.
    pub fn set_reserved(&self, reserved: bool) {
        self.state.reserved.store(reserved, Ordering::Release);
    }

    /// How often it crashed since this program looks after it.
    pub fn crashes(&self) -> u64 {
        self.state.crashed.load(Ordering::Relaxed)
    }

    /// How many hold it, those included who entered before it failed or was stopped.
    pub fn holds(&self) -> usize {
        self.state.holds()
    }

    /// A hold, if it runs; takes no lock. A caller that gets none asks for [`Sandbox::ready`]
    /// and tries again: an idle stop may come between the two, and then that start follows it.
    pub fn enter(&self) -> Option<Hold> {
        self.state.run.load().as_ref()?.hold()
    }

    /// Resolves when it runs, for a request: starts it if it is stopped, once for however many
    /// wait. A sandbox that has just failed is not tried again for every request, but only once
    /// the [`RuntimeError::Failed::retry`] time is over; an adopted one is probed anew.
    ///
    /// # Errors
    /// Why it does not run, after `runtime.start_secs` at most;
    /// [`RuntimeError::StoppedByHand`] at once.
    pub async fn ready(&self) -> Result<(), RuntimeError> {
        if let Some(refusal) = self.state.kept_at_rest() {
            return Err(refusal);
        }
        self.run(false).await
    }

    /// Resolves when it runs, for a person: as [`Sandbox::ready`], but tries a failed one at
    /// once and forgets its crashes, and asks nobody who stopped it.
    ///
    /// # Errors
    /// Why it does not run, after `runtime.start_secs` at most.
    pub async fn start(&self) -> Result<(), RuntimeError> {
        self.run(true).await
    }

    /// As [`Sandbox::start`], but of what may not run at all: given up soon, for others wait.
    ///
    /// # Errors
    /// As there.
    pub async fn try_start(&self) -> Result<(), RuntimeError> {
        let _trial = Trial::begin(&self.state);
        self.run(true).await
    }

    async fn run(&self, by_hand: bool) -> Result<(), RuntimeError> {
        if self.state.is_open() {
            return Ok(());
        }
        // The supervisor, who knows more, speaks first if the start itself is what takes long.
        let limit = self.state.start_limit() + Duration::from_secs(1);
        let outcome = async {
            match &*self.supervision {
                Supervision::Watch(watch) => watch.ask(&self.state).await,
                Supervision::Supervise(backend) => {
                    let command = |reply| Command::Start { by_hand, reply };
                    self.command(backend, command).await
                }
            }
        };
        tokio::time::timeout(limit, outcome)
            .await
            .unwrap_or_else(|_| Err(self.timed_out()))
    }

    fn timed_out(&self) -> RuntimeError {
        let cause = self.state.snapshot.load().cause.clone();
        let secs = self.state.config.start_secs;
        RuntimeError::TimedOut {
            sandbox: self.name().to_owned(),
            cause: cause.unwrap_or_else(|| format!("not healthy within {secs} s")),
        }
    }

    /// Resolves when it is stopped. New requests are turned away at once; those that hold it
    /// have `runtime.stop_secs` to finish, and so has then the sandbox itself. A request that
    /// comes later starts it again, unless [`Sandbox::set_stopped_by`] says who stopped it.
    ///
    /// # Errors
    /// [`RuntimeError::CannotStop`] if something else runs it.
    pub async fn stop(&self) -> Result<(), RuntimeError> {
        match &*self.supervision {
            Supervision::Watch(_) => Err(adopt::not_ours(&self.state)),
            Supervision::Supervise(backend) => self.command(backend, Command::Stop).await,
        }
    }

    /// As [`Sandbox::stop`] for good, and without waiting for those who hold it.
    pub(super) async fn end(&self) {
        match &*self.supervision {
            Supervision::Watch(watch) => watch.end(),
            Supervision::Supervise(backend) => {
                // One that was never taken on does not run, and cannot from now on.
                self.commands.get_or_init(|| mpsc::unbounded().0);
                // It can only fail by having ended before.
                let _ = self.command(backend, Command::End).await;
            }
        }
    }

    /// Has nobody look after it any longer, nor order anything of it: its name is another's soon.
    pub(super) async fn retire(&self) {
        self.set_reserved(true);
        if let Supervision::Supervise(_) = &*self.supervision {
            self.end().await;
        }
    }

    /// Where commands go; the first has a supervisor look after it.
    fn commands(&self, backend: &Arc<dyn Backend>) -> &mpsc::UnboundedSender<Command> {
        self.commands.get_or_init(|| {
            let (sender, commands) = Commands::channel();
            let (state, backend) = (Arc::clone(&self.state), Arc::clone(backend));
            tokio::spawn(Supervisor::new(state, backend, commands).run());
            sender
        })
    }

    async fn command(
        &self,
        backend: &Arc<dyn Backend>,
        command: impl FnOnce(Reply) -> Command,
    ) -> Result<(), RuntimeError> {
        let ended = || RuntimeError::ShuttingDown {
            sandbox: self.name().to_owned(),
        };
        let (reply, outcome) = oneshot::channel();
        self.commands(backend)
            .unbounded_send(command(reply))
            .map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }

    /// Asks its health path, now: is it healthy, and the one that it should be?
    ///
    /// # Errors
    /// What was found instead.
    pub async fn probe(&self) -> Result<(), ProbeError> {
        let address = self.state.snapshot.load().address;
        let address = address.ok_or_else(|| ProbeError::Stopped(self.name().to_owned()))?;
        self.state.probe(address).await
    }

    /// How it is.
    pub fn view(&self) -> View {
        let snapshot = self.state.snapshot.load();
        let run = self.state.run.load();
        let lost_role = self.drains.load(Ordering::Relaxed) > 0;
        let status = match snapshot.status {
            Status::Running if lost_role => Status::Draining,
            status => status,
        };
        View {
            status,
            address: snapshot.address,
            port: snapshot.address.map(|address| address.port()),
            idle_secs: run.as_ref().map_or(0, |it| it.idle().as_secs()),
            cause: snapshot.cause.clone(),
            age_secs: run.as_ref().map(|it| it.started.elapsed().as_secs()),
        }
    }

    /// Whether it may be stopped when idle, from now on.
    pub fn set_idle_stop(&self, enabled: bool) {
        self.state.set_idle_stop(enabled);
    }

    /// While the guard lives, the sandbox is shown as draining if it runs.
    pub fn drain_guard(self: &Arc<Self>) -> DrainGuard {
        self.drains.fetch_add(1, Ordering::Relaxed);
        DrainGuard(Arc::clone(self))
    }
}

/// A start that is given up soon, for as long as this lives.
struct Trial<'s>(&'s SandboxState);

impl<'s> Trial<'s> {
    fn begin(state: &'s SandboxState) -> Self {
        state.on_trial.store(true, Ordering::Release);
        Self(state)
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.0.on_trial.store(false, Ordering::Release);
    }
}

/// Shows a sandbox as draining while it lives.
pub struct DrainGuard(Arc<Sandbox>);

impl Drop for DrainGuard {
    fn drop(&mut self) {
        self.0.drains.fetch_sub(1, Ordering::Relaxed);
    }
}
