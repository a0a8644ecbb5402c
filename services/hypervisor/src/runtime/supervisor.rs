//! Keeps one sandbox as it should be: down until it is wanted, then up until it is stopped.
//!
//! One task a sandbox owns all of its transitions, so that none of them can race. It waits in
//! one of four places (at rest, coming up, serving, pausing after a crash) and hears orders in
//! each.

use super::backend::{Backend, End, Unit};
use super::board::Board;
use super::health::{healthy, hung};
use super::instance::Instance;
use super::orders::{Halt, Order, Orders, answer};
use super::{RuntimeError, Status};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

/// The pause after the first crash; each further one in a row doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause, and how long a failed sandbox stays failed to requests.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Having run so long, a sandbox that crashes is at its first crash again.
const STEADY: Duration = Duration::from_secs(30);

/// The task behind a sandbox that a [`Backend`] runs.
pub(super) struct Supervisor {
    board: Arc<Board>,
    backend: Arc<dyn Backend>,
    orders: Orders,
    /// Crashes in a row.
    crashes: u32,
    /// Why requests are refused, and since when.
    failure: Option<(Instant, RuntimeError)>,
}

/// How a run came to its end.
enum Down {
    /// By an order, which is still owed its answer.
    Halted(Halt),
    /// For want of requests.
    Idle,
    /// Its start came to nothing.
    Unstarted(String),
    /// Not by our doing.
    Gone,
    /// It lives, and does not answer.
    Hung(String),
}

/// What comes after a run.
enum After {
    Rest,
    /// Another run, after a crash for this reason.
    Again(String),
    /// Nothing: the hypervisor ends.
    End,
}

impl Supervisor {
    pub(super) fn new(board: Arc<Board>, backend: Arc<dyn Backend>, orders: Orders) -> Self {
        Self {
            board,
            backend,
            orders,
            crashes: 0,
            failure: None,
        }
    }

    /// Ends when the hypervisor does.
    pub(super) async fn run(mut self) {
        while self.wanted().await && self.keep_up().await {}
    }

    /// At rest until someone wants it, or has started it elsewhere; `false` if the hypervisor
    /// ends.
    async fn wanted(&mut self) -> bool {
        loop {
            let order = tokio::select! {
                biased;
                order = self.orders.next() => order,
                () = self.backend.appeared(&self.board.spec) => {
                    self.failure = None;
                    return true;
                }
            };
            match order {
                Order::Start { by_hand, reply } => {
                    let Some(refusal) = self.refusal(by_hand) else {
                        self.orders.wait(reply);
                        return true;
                    };
                    answer(reply, Err(refusal));
                }
                Order::Stop(reply) => {
                    self.forget_crashes();
                    self.board.show(Status::Stopped, None, None);
                    answer(reply, Ok(()));
                }
                Order::End(reply) => {
                    answer(reply, Ok(()));
                    return false;
                }
            }
        }
    }

    /// None is started without the seal. A failed sandbox is tried again by hand, or once each
    /// [`LONGEST_PAUSE`] by a request.
    fn refusal(&mut self, by_hand: bool) -> Option<RuntimeError> {
        if let Some(cause) = self.board.seal.broken() {
            let sandbox = self.name().to_owned();
            return Some(RuntimeError::Unsealed { sandbox, cause });
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
        self.board.show(Status::Starting, None, None);
        loop {
            let cause = match self.one_run().await {
                After::Rest => return true,
                After::End => return false,
                After::Again(cause) => cause,
            };
            self.crashes += 1;
            if self.crashes >= self.board.config.max_restarts {
                self.fail(cause);
                return true;
            }
            let pause = pause_after(self.crashes);
            let crashes = self.crashes;
            warn!(sandbox = self.name(), crashes, ?pause, cause, "crashed");
            self.board.show(Status::Starting, None, Some(cause));
            tokio::select! {
                () = sleep(pause) => {}
                halt = self.orders.halt() => {
                    self.forget_crashes();
                    self.board.show(Status::Stopped, None, None);
                    return matches!(self.halted(halt, Ok(())), After::Rest);
                }
            }
            if let Some(cause) = self.board.seal.broken() {
                self.fail(cause);
                return true;
            }
        }
    }

    /// One run, from its start until it is gone.
    async fn one_run(&mut self) -> After {
        let started = Instant::now();
        let mut unit = match self.backend.start(&self.board.spec).await {
            Ok(unit) => unit,
            Err(cause) => return After::Again(cause),
        };
        let down = match self.come_up(unit.as_mut()).await {
            Ok(address) => self.serve(unit.as_mut(), address, started).await,
            Err(down) => down,
        };
        self.take_down(unit.as_mut(), down).await
    }

    /// Started, not healthy yet; says where it then is.
    async fn come_up(&mut self, unit: &mut dyn Unit) -> Result<SocketAddr, Down> {
        let address = unit.address();
        let earlier = self.board.state.load().cause.clone();
        self.board
            .show(Status::Starting, Some(address.first()), earlier);
        let started = tokio::select! {
            biased;
            halt = self.orders.halt() => return Err(Down::Halted(halt)),
            started = unit.started() => started,
        };
        started.map_err(Down::Unstarted)?;
        let late = tokio::select! {
            biased;
            halt = self.orders.halt() => return Err(Down::Halted(halt)),
            () = unit.ending() => return Err(Down::Gone),
            outcome = healthy(&self.board, &address) => outcome,
        };
        late.map_err(|cause| {
            // It is tried again, but whoever has waited so long is told now.
            let told = RuntimeError::TimedOut {
                sandbox: self.name().to_owned(),
                cause: with_lines(&cause, unit),
            };
            self.orders.settle(&Err(told));
            Down::Hung(cause)
        })
    }

    /// Healthy, and open to requests.
    async fn serve(&mut self, unit: &mut dyn Unit, address: SocketAddr, started: Instant) -> Down {
        let took = started.elapsed();
        info!(sandbox = self.name(), %address, ?took, "running");
        let instance = self.board.open(address, started);
        self.orders.settle(&Ok(()));
        let down = tokio::select! {
            biased;
            halt = self.orders.halt_running() => Down::Halted(halt),
            () = unit.ending() => Down::Gone,
            cause = hung(&self.board, address) => Down::Hung(cause),
            () = self.board.idle(&instance) => Down::Idle,
        };
        self.board.close();
        if let Down::Halted(Halt { last: false, .. }) = down {
            self.drain(&instance).await;
        }
        if started.elapsed() >= STEADY {
            self.crashes = 0;
        }
        down
    }

    /// Lets those who hold it finish, for `runtime.stop_secs` at most.
    async fn drain(&self, instance: &Instance) {
        self.board
            .show(Status::Draining, Some(instance.address), None);
        let done = timeout(self.board.stop_limit(), instance.gate.empty()).await;
        if done.is_err() {
            let held = instance.gate.inside();
            warn!(
                sandbox = self.name(),
                held, "stopping under requests that do not end"
            );
        }
    }

    /// Has what is left of a run ended, and says what comes then.
    async fn take_down(&mut self, unit: &mut dyn Unit, down: Down) -> After {
        match down {
            Down::Unstarted(cause) => After::Again(with_lines(&cause, unit)),
            Down::Gone => self.gone(unit).await,
            Down::Hung(cause) => {
                let address = Some(unit.address().first());
                self.board
                    .show(Status::Starting, address, Some(cause.clone()));
                match unit.stop().await {
                    Ok(()) => After::Again(with_lines(&cause, unit)),
                    Err(stuck) => {
                        self.fail(stuck);
                        After::Rest
                    }
                }
            }
            Down::Idle => {
                // A stop that fails is on the board, and nobody else waits to hear of it.
                let _ = self.stop(unit).await;
                After::Rest
            }
            Down::Halted(halt) if halt.last && self.backend.outlives() => self.halted(halt, Ok(())),
            Down::Halted(halt) => {
                let outcome = self.stop(unit).await;
                self.halted(halt, outcome)
            }
        }
    }

    /// Nothing of it is left to be ended, but it may not be over yet.
    async fn gone(&mut self, unit: &mut dyn Unit) -> After {
        let address = Some(unit.address().first());
        self.board.show(Status::Draining, address, None);
        match unit.ended().await {
            End::Crashed(cause) => After::Again(with_lines(&cause, unit)),
            End::Stopped => {
                info!(sandbox = self.name(), "stopped by something else");
                self.stopped();
                After::Rest
            }
        }
    }

    async fn stop(&mut self, unit: &mut dyn Unit) -> Result<(), RuntimeError> {
        let address = Some(unit.address().first());
        self.board.show(Status::Draining, address, None);
        if let Err(cause) = unit.stop().await {
            self.fail(cause.clone());
            let sandbox = self.name().to_owned();
            return Err(RuntimeError::CannotStop { sandbox, cause });
        }
        info!(sandbox = self.name(), "stopped");
        self.stopped();
        Ok(())
    }

    /// At rest again, and those who waited for its start are told so.
    fn stopped(&mut self) {
        self.forget_crashes();
        self.board.show(Status::Stopped, None, None);
        let sandbox = self.name().to_owned();
        self.orders.settle(&Err(RuntimeError::Stopped { sandbox }));
    }

    /// Tells the one who ordered it, and those whose start it ended.
    fn halted(&mut self, halt: Halt, outcome: Result<(), RuntimeError>) -> After {
        let sandbox = self.name().to_owned();
        self.orders.settle(&Err(RuntimeError::Stopped { sandbox }));
        answer(halt.reply, outcome);
        if halt.last { After::End } else { After::Rest }
    }

    fn fail(&mut self, cause: String) {
        error!(sandbox = self.name(), cause, "failed");
        let failure = RuntimeError::Failed {
            sandbox: self.name().to_owned(),
            cause: cause.clone(),
            retry: LONGEST_PAUSE,
        };
        self.board.show(Status::Failed, None, Some(cause));
        self.orders.settle(&Err(failure.clone()));
        self.failure = Some((Instant::now(), failure));
    }

    fn name(&self) -> &str {
        &self.board.spec.name
    }
}

fn pause_after(crashes: u32) -> Duration {
    let doublings = crashes.saturating_sub(1).min(16);
    LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(doublings))
}

/// A cause, and what the sandbox had to say about it.
fn with_lines(cause: &str, unit: &dyn Unit) -> String {
    let lines = unit.last_lines();
    if lines.is_empty() {
        return cause.to_owned();
    }
    format!("{cause}; its last lines were:\n{}", lines.join("\n"))
}
