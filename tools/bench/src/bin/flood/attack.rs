//! Those who would keep the gateway from everyone else. They are cheap, since they share the
//! machine with what is measured: each sleeps between what it sends, and comes back when cut off.

use crate::{http2, slow};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How one that was cut off waits.
const PAUSE: Duration = Duration::from_millis(100);

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A thousand slow heads, a thousand slow readers, and eight who send large bodies.
    Slow,
    /// HTTP/2 frames without an end.
    Frames(http2::Flood),
}

/// Whom to attack, and how.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    /// What a logged-in request has of headers.
    pub headers: String,
    /// The cookie among them.
    pub cookie: String,
    /// HTTP/2 frames a second of all attackers together.
    pub frames: u32,
}

/// All of a kind at once.
pub struct Attack {
    cut: Arc<AtomicUsize>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<()>>,
}

/// How many of them have begun.
pub type Begun = Arc<AtomicUsize>;

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Slow,
        Self::Frames(http2::Flood::WindowUpdate),
        Self::Frames(http2::Flood::Unknown),
        Self::Frames(http2::Flood::Ping),
        Self::Frames(http2::Flood::Settings),
        Self::Frames(http2::Flood::RapidReset),
        Self::Frames(http2::Flood::EmptyData),
        Self::Frames(http2::Flood::Continuation),
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow heads, slow readers, bodies",
            Self::Frames(flood) => flood.name(),
        }
    }

    const fn attackers(self) -> usize {
        match self {
            Self::Slow => slow::ATTACKERS,
            Self::Frames(_) => http2::ATTACKERS as usize,
        }
    }

    async fn once(self, number: usize, target: &Target, begun: &Begun) -> Result<()> {
        match self {
            Self::Slow => slow::attack(number, target, begun).await,
            Self::Frames(flood) => http2::attack(flood, target, begun).await,
        }
    }
}

impl Attack {
    /// Begins, on a thread of its own, and waits until all of them are at it.
    pub async fn begin(kind: Kind, target: &Target) -> Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (begun, cut) = (Begun::default(), Arc::<AtomicUsize>::default());
        let (at_it, was_cut, target) = (begun.clone(), cut.clone(), target.clone());
        let thread = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                for number in 0..kind.attackers() {
                    let (at_it, was_cut) = (at_it.clone(), was_cut.clone());
                    let target = target.clone();
                    tokio::spawn(async move {
                        while kind.once(number, &target, &at_it).await.is_err() {
                            was_cut.fetch_add(1, Ordering::Relaxed);
                            sleep(PAUSE).await;
                        }
                    });
                }
                let _ = stopped.await;
            });
            Ok(())
        });
        testkit::wait::eventually("all attackers", async || {
            (begun.load(Ordering::Relaxed) >= kind.attackers()).then_some(())
        })
        .await?;
        Ok(Self { cut, stop, thread })
    }

    /// Ends; their connections are closed when this returns. Says how often one was cut off.
    pub fn end(self) -> Result<usize> {
        drop(self.stop);
        let ended = self.thread.join();
        ended.ok().context("an attacker panicked")??;
        Ok(self.cut.load(Ordering::Relaxed))
    }
}
