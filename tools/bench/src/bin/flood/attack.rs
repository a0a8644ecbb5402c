//! Those who would keep the gateway from everyone else. They are cheap, since they share the
//! machine with what is measured: most of them sleep.

use crate::upstream::Upstream;
use crate::wire::Wire;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::oneshot;
use tokio::time::{interval, sleep};

/// Clients that send a byte of their head each second.
pub const SLOW_HEADS: u32 = 1000;
/// Clients that take a kilobyte of their megabyte each second.
pub const SLOW_READERS: u32 = 1000;
/// Clients that send large bodies.
pub const UPLOADERS: u32 = 8;

const UPLOAD: usize = 256 * PIECE;
const PIECE: usize = 1_000_000 / 16;
const SECOND: Duration = Duration::from_secs(1);

/// Whom to attack, and how.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    /// What a logged-in request has of headers.
    pub headers: String,
    /// Megabytes a second of all bodies together.
    pub rate: u32,
    /// Bytes of its head that a slow one sends at once.
    pub head_bytes: usize,
}

/// What they did.
#[derive(Default)]
pub struct Deeds {
    heads: AtomicUsize,
    /// Bytes of bodies that were sent.
    pub uploaded: AtomicU64,
    cut: Mutex<Vec<String>>,
}

impl Deeds {
    fn was_cut(&self, kind: Kind, error: &anyhow::Error) {
        self.lock().push(format!("{kind:?}: {error:#}"));
    }

    /// Why connections of theirs ended.
    pub fn cut(&self) -> Vec<String> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All of them at once.
pub struct Attack {
    deeds: Arc<Deeds>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<()>>,
}

impl Attack {
    /// Begins, on a thread of its own, and waits until all of them are at it.
    pub async fn begin(target: &Target, upstream: &Upstream) -> Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let deeds = Arc::<Deeds>::default();
        let before = upstream.big.load(Ordering::Relaxed);
        let (doing, target) = (deeds.clone(), target.clone());
        let thread = std::thread::spawn(move || {
            crate::runtime()?.block_on(async {
                for (count, kind) in [
                    (SLOW_HEADS, Kind::SlowHead),
                    (SLOW_READERS, Kind::SlowReader),
                    (UPLOADERS, Kind::Uploader),
                ] {
                    for _ in 0..count {
                        tokio::spawn(again(kind, target.clone(), doing.clone()));
                    }
                }
                let _ = stopped.await;
            });
            Ok(())
        });
        testkit::wait::eventually("all attackers", async || {
            let readers = upstream.big.load(Ordering::Relaxed) - before;
            let heads = deeds.heads.load(Ordering::Relaxed);
            (readers >= SLOW_READERS as usize && heads >= SLOW_HEADS as usize).then_some(())
        })
        .await?;
        Ok(Self {
            deeds,
            stop,
            thread,
        })
    }

    /// Ends; their connections are closed when this returns.
    pub fn end(self) -> Result<Arc<Deeds>> {
        drop(self.stop);
        let ended = self.thread.join();
        ended.ok().context("an attacker panicked")??;
        Ok(self.deeds)
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    SlowHead,
    SlowReader,
    Uploader,
}

/// Whoever is cut off comes back.
async fn again(kind: Kind, target: Target, deeds: Arc<Deeds>) {
    loop {
        let over: Result<()> = match kind {
            Kind::SlowHead => slow_head(&target, &deeds).await,
            Kind::SlowReader => slow_reader(&target).await,
            Kind::Uploader => upload(&target, &deeds).await,
        };
        if let Err(error) = over {
            deeds.was_cut(kind, &error);
        }
        sleep(SECOND / 10).await;
    }
}

async fn slow_head(target: &Target, deeds: &Deeds) -> Result<()> {
    let mut stream = TcpSocket::new_v4()?.connect(target.address).await?;
    let padding = "x".repeat(target.head_bytes);
    let begin = format!("GET / HTTP/1.1\r\n{}X: {padding}", target.headers);
    stream.write_all(begin.as_bytes()).await?;
    deeds.heads.fetch_add(1, Ordering::Relaxed);
    loop {
        sleep(SECOND).await;
        stream.write_all(b"x").await?;
    }
}

async fn slow_reader(target: &Target) -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    // Or the kernel would take the whole answer for it.
    socket.set_recv_buffer_size(4096)?;
    let mut stream = socket.connect(target.address).await?;
    let request = format!("GET /big HTTP/1.1\r\n{}\r\n", target.headers);
    stream.write_all(request.as_bytes()).await?;
    let mut kilobyte = [0; 1024];
    loop {
        sleep(SECOND).await;
        let count = stream.read(&mut kilobyte).await?;
        anyhow::ensure!(count > 0, "closed");
    }
}

async fn upload(target: &Target, deeds: &Deeds) -> Result<()> {
    let stream = TcpSocket::new_v4()?.connect(target.address).await?;
    let mut wire = Wire::new(stream)?;
    let piece = vec![b'x'; PIECE];
    let mut pace = interval(SECOND / 16 * UPLOADERS / target.rate);
    loop {
        let head = format!(
            "POST /sink HTTP/1.1\r\n{}Content-Length: {UPLOAD}\r\n\r\n",
            target.headers
        );
        wire.stream.write_all(head.as_bytes()).await?;
        for _ in 0..UPLOAD / PIECE {
            pace.tick().await;
            wire.stream.write_all(&piece).await?;
            deeds.uploaded.fetch_add(PIECE as u64, Ordering::Relaxed);
        }
        anyhow::ensure!(wire.answer().await? == 200, "refused");
    }
}
