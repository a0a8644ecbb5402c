//! The handle that everyone else has on a sandbox.

use super::adopt;
use super::backend::Backend;
use super::board::Board;
use super::care::Care;
use super::orders::{Order, Orders, Reply};
use super::supervisor::Supervisor;
use super::{Hold, ProbeError, RuntimeError, Spec, Status};
use futures_channel::mpsc;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::oneshot;

/// A sandbox, whether it runs or not.
pub struct Sandbox {
    board: Arc<Board>,
    care: Arc<Care>,
    /// To its supervisor, once there is one.
    orders: OnceLock<mpsc::UnboundedSender<Order>>,
    /// How many drains wait for those who hold it.
    drains: AtomicUsize,
}

/// How a sandbox is at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// How it is.
    pub status: Status,
    /// Where it listens, while that is known.
    pub address: Option<SocketAddr>,
    /// The port of `address`, or the one that it is to have.
    pub port: Option<u16>,
    /// Seconds since a request last held it; 0 while one does, and while it does not run.
    pub idle_secs: u64,
    /// What went wrong last, if it is not well.
    pub cause: Option<String>,
    /// Seconds since it was started (`adopt`: first found healthy), while it runs.
    pub age_secs: Option<u64>,
}

impl Sandbox {
    /// One that is looked after from its first order on; at once, if it may run without one.
    /// Needs a Tokio runtime.
    pub(super) fn new(board: Board, care: Arc<Care>) -> Self {
        let sandbox = Self {
            board: Arc::new(board),
            care,
            orders: OnceLock::new(),
            drains: AtomicUsize::new(0),
        };
        match &*sandbox.care {
            Care::Watch(watch) => watch.add(&sandbox.board),
            Care::Supervise(backend) if backend.outlives() => {
                sandbox.orders(backend);
            }
            Care::Supervise(_) => {}
        }
        sandbox
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.board.spec.name
    }

    /// How many hold it, those included who entered before it failed or was stopped.
    pub fn holds(&self) -> usize {
        self.board.holds()
    }

    /// What it is.
    pub fn spec(&self) -> &Spec {
        &self.board.spec
    }

    /// A hold, if it runs; takes no lock. A caller that gets none asks for [`Sandbox::ready`]
    /// and tries again: an idle stop may come between the two, and then that start follows it.
    pub fn enter(&self) -> Option<Hold> {
        self.board.instance.load().as_ref()?.hold()
    }

    /// Resolves when it runs, for a request: starts it if it is stopped, once for however many
    /// wait. A sandbox that has just failed is not tried again for every request, but only once
    /// the [`RuntimeError::Failed::retry`] time is over; an adopted one is probed anew.
    ///
    /// # Errors
    /// Why it does not run, after `runtime.start_secs` at most.
    pub async fn ready(&self) -> Result<(), RuntimeError> {
        self.run(false).await
    }

    /// Resolves when it runs, for a person: as [`Sandbox::ready`], but tries a failed one at
    /// once and forgets its crashes.
    ///
    /// # Errors
    /// As [`Sandbox::ready`].
    pub async fn start(&self) -> Result<(), RuntimeError> {
        self.run(true).await
    }

    async fn run(&self, by_hand: bool) -> Result<(), RuntimeError> {
        if self.board.is_open() {
            return Ok(());
        }
        // The supervisor, who knows more, speaks first if the start itself is what takes long.
        let limit = self.board.start_limit() + Duration::from_secs(1);
        let outcome = async {
            match &*self.care {
                Care::Watch(watch) => watch.ask(&self.board).await,
                Care::Supervise(backend) => {
                    let order = |reply| Order::Start { by_hand, reply };
                    self.order(backend, order).await
                }
            }
        };
        tokio::time::timeout(limit, outcome)
            .await
            .unwrap_or_else(|_| Err(self.timed_out()))
    }

    fn timed_out(&self) -> RuntimeError {
        let cause = self.board.state.load().cause.clone();
        let secs = self.board.config.start_secs;
        RuntimeError::TimedOut {
            sandbox: self.name().to_owned(),
            cause: cause.unwrap_or_else(|| format!("not healthy within {secs} s")),
        }
    }

    /// Resolves when it is stopped. New requests are turned away at once; those that hold it
    /// have `runtime.stop_secs` to finish, and so has then the sandbox itself. A request that
    /// comes later starts it again.
    ///
    /// # Errors
    /// [`RuntimeError::CannotStop`] if something else runs it.
    pub async fn stop(&self) -> Result<(), RuntimeError> {
        match &*self.care {
            Care::Watch(_) => Err(adopt::not_ours(&self.board)),
            Care::Supervise(backend) => self.order(backend, Order::Stop).await,
        }
    }

    /// As [`Sandbox::stop`] for good, and without waiting for those who hold it.
    pub(super) async fn end(&self) {
        match &*self.care {
            Care::Watch(watch) => watch.end(),
            Care::Supervise(backend) => {
                // One that was never taken on does not run, and cannot from now on.
                self.orders.get_or_init(|| mpsc::unbounded().0);
                // It can only fail by having ended before.
                let _ = self.order(backend, Order::End).await;
            }
        }
    }

    /// Where orders go; the first has a supervisor look after it.
    fn orders(&self, backend: &Arc<dyn Backend>) -> &mpsc::UnboundedSender<Order> {
        self.orders.get_or_init(|| {
            let (sender, orders) = Orders::channel();
            let (board, backend) = (Arc::clone(&self.board), Arc::clone(backend));
            tokio::spawn(Supervisor::new(board, backend, orders).run());
            sender
        })
    }

    async fn order(
        &self,
        backend: &Arc<dyn Backend>,
        order: impl FnOnce(Reply) -> Order,
    ) -> Result<(), RuntimeError> {
        let ended = || RuntimeError::ShuttingDown {
            sandbox: self.name().to_owned(),
        };
        let (reply, outcome) = oneshot::channel();
        self.orders(backend)
            .unbounded_send(order(reply))
            .map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }

    /// Asks its health path, now: is it healthy, and the one that it should be?
    ///
    /// # Errors
    /// What was found instead.
    pub async fn probe(&self) -> Result<(), ProbeError> {
        let address = self.board.state.load().address;
        let address = address.ok_or_else(|| ProbeError::Stopped(self.name().to_owned()))?;
        self.board.probe(address).await
    }

    /// How it is.
    pub fn view(&self) -> View {
        let state = self.board.state.load();
        let instance = self.board.instance.load();
        let spec = &self.board.spec;
        let lost_role = self.drains.load(Ordering::Relaxed) > 0;
        let status = match state.status {
            Status::Running if lost_role => Status::Draining,
            status => status,
        };
        View {
            status,
            address: state.address,
            port: state
                .address
                .map(|address| address.port())
                .or_else(|| spec.address.map(|address| address.port())),
            idle_secs: instance.as_ref().map_or(0, |it| it.idle().as_secs()),
            cause: state.cause.clone(),
            age_secs: instance.as_ref().map(|it| it.started.elapsed().as_secs()),
        }
    }

    /// Whether it may be stopped when idle, from now on.
    pub fn rest_when_idle(&self, rests: bool) {
        self.board.rests.set(rests);
    }

    /// While the guard lives, the sandbox is shown as draining if it runs.
    pub fn drain_guard(self: &Arc<Self>) -> DrainGuard {
        self.drains.fetch_add(1, Ordering::Relaxed);
        DrainGuard(Arc::clone(self))
    }
}

/// Shows a sandbox as draining while it lives.
pub struct DrainGuard(Arc<Sandbox>);

impl Drop for DrainGuard {
    fn drop(&mut self) {
        self.0.drains.fetch_sub(1, Ordering::Relaxed);
    }
}
