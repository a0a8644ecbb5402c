//! A sandbox that says on every answer who it is, and can be told to go wrong.

use super::answers;
use super::types::Role;
use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use testkit::port::{self, Port};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What a sandbox can be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens any more, and every connection is cut.
    Crash,
    /// Connections are accepted, and nothing is answered.
    Hang,
    /// Nobody listens any more; the connections that there are go on.
    Refuse,
    /// As at a SIGTERM: what was begun is finished, then it begins anew.
    Restart,
    /// It says that it is not healthy, and works.
    Sick,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Crash,
        Self::Hang,
        Self::Refuse,
        Self::Restart,
        Self::Sick,
    ];

    /// Whether it ends what is under way, however well it went until then.
    pub(super) fn cuts(self) -> bool {
        matches!(self, Self::Crash | Self::Restart)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Crash => "crash",
            Self::Hang => "hang",
            Self::Refuse => "refuse",
            Self::Restart => "restart",
            Self::Sick => "sick",
        })
    }
}

/// How long a sandbox that restarts waits for what was begun.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// One sandbox. It keeps its address whatever happens to it.
pub(super) struct Sandbox {
    port: Port,
    state: Arc<State>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

/// What its connections share.
pub(super) struct State {
    /// The role that it was born with, which names it.
    pub(super) born: Role,
    pub(super) mode: watch::Sender<Mode>,
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mode {
    pub(super) hangs: bool,
    pub(super) sick: bool,
    /// Grows when its connections are to finish.
    era: u64,
}

impl Sandbox {
    pub(super) async fn start(born: Role) -> Result<Self> {
        let sandbox = Self {
            port: Port::reserve()?,
            state: Arc::new(State {
                born,
                mode: watch::Sender::default(),
                tasks: Mutex::default(),
            }),
            listening: Mutex::default(),
        };
        sandbox.listen().await?;
        Ok(sandbox)
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.number()).into()
    }

    /// Goes wrong. A restart is over when this returns, all else at [`Sandbox::recover`].
    pub(super) async fn suffer(&self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Crash => {
                self.close().await;
                self.state.cut().await;
            }
            Fault::Hang => self.state.mode.send_modify(|mode| mode.hangs = true),
            Fault::Sick => self.state.mode.send_modify(|mode| mode.sick = true),
            Fault::Refuse => self.close().await,
            Fault::Restart => {
                self.close().await;
                self.state.mode.send_modify(|mode| mode.era += 1);
                // What does not end by itself is cut, as a service manager would.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.state.finished()).await;
                self.state.cut().await;
                self.listen().await?;
            }
        }
        Ok(())
    }

    /// Is well again.
    pub(super) async fn recover(&self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Crash | Fault::Refuse => self.listen().await?,
            Fault::Hang => self.state.mode.send_modify(|mode| mode.hangs = false),
            Fault::Sick => self.state.mode.send_modify(|mode| mode.sick = false),
            Fault::Restart => {}
        }
        Ok(())
    }

    async fn listen(&self) -> Result<()> {
        let listener = port::listen_again(self.address()).await;
        let listener = listener.with_context(|| format!("listen at {}", self.address()))?;
        let accepting = tokio::spawn(accept(listener, self.state.clone()));
        *lock(&self.listening) = Some(accepting);
        Ok(())
    }

    async fn close(&self) {
        let listening = lock(&self.listening).take();
        if let Some(accepting) = listening {
            accepting.abort();
            // The listener is closed when the task has been dropped, and not before.
            let _ = accepting.await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(accepting) = lock(&self.listening).take() {
            accepting.abort();
        }
        lock(&self.state.tasks).abort_all();
    }
}

impl State {
    /// Runs something that ends when the sandbox is cut off.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Resolves while it does not hang.
    pub(super) async fn awake(&self) {
        if self.mode.borrow().hangs {
            // The sender lives in here, so this does not fail.
            let _ = self.mode.subscribe().wait_for(|mode| !mode.hangs).await;
        }
    }

    async fn cut(&self) {
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        tasks.shutdown().await;
    }

    async fn finished(&self) {
        loop {
            {
                let mut tasks = lock(&self.tasks);
                while tasks.try_join_next().is_some() {}
                if tasks.is_empty() {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        // Without a free descriptor there is nothing to do but to try again.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        state.spawn(serve(stream, state.clone()));
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let mut mode = state.mode.subscribe();
    let era = mode.borrow().era;
    let service = service_fn(|request| answers::answer(request, state.clone()));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served.with_upgrades());
    // A gateway that goes away is part of the storm.
    tokio::select! {
        _ = &mut served => return,
        _ = mode.wait_for(|mode| mode.era > era) => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
