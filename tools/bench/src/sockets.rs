//! WebSocket load: each socket sends a message, waits for it to come back, and sends the next.

use crate::client::Stream;
use crate::echo::read_head;
use crate::frames;
use crate::stats::percentile;
use crate::target::Target;
use crate::threads::Threads;
use anyhow::{Context, Result, bail, ensure};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// The size of a message.
pub const MESSAGE: usize = 64;
/// How many sockets are opened at once.
const OPENING: usize = 64;
/// How long one may take to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// Open sockets that wait for the sign to begin.
#[derive(Debug)]
pub struct Sockets {
    _threads: Threads,
    tasks: JoinSet<Result<Vec<u32>>>,
    window: watch::Sender<Option<Window>>,
}

/// What is measured: the messages that are sent and come back in this time.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Its beginning.
    pub from: Instant,
    /// Its end.
    pub until: Instant,
}

/// What was measured.
#[derive(Debug)]
pub struct Echoes {
    /// How many messages came back.
    pub messages: usize,
    /// The median time that one took.
    pub p50_us: Option<u32>,
    /// The time that one in a hundred exceeds.
    pub p99_us: Option<u32>,
}

impl Sockets {
    /// Opens this many.
    ///
    /// # Errors
    /// One of them could not be opened.
    pub async fn open(target: &Target, count: usize) -> Result<Self> {
        let threads = Threads::new("sockets", 1)?;
        let (window, sign) = watch::channel(None);
        let opening = Arc::new(Semaphore::new(OPENING));
        let request: Arc<str> = request(target).into();
        let (opened, mut open) = tokio::sync::mpsc::channel::<()>(count);
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let (opening, request) = (Arc::clone(&opening), Arc::clone(&request));
            let (mut sign, opened, target) = (sign.clone(), opened.clone(), target.clone());
            let task = async move {
                let turn = opening.acquire().await?;
                let mut stream = target.connect().await?;
                shake_hands(&mut stream, &request).await?;
                drop((turn, opened.send(()).await));
                let window = *sign.wait_for(Option::is_some).await?;
                ask(stream, window.context("a window")?).await
            };
            tasks.spawn_on(task, threads.handle());
        }
        let mut sockets = Self {
            _threads: threads,
            tasks,
            window,
        };
        for _ in 0..count {
            tokio::select! {
                _ = open.recv() => {}
                ended = sockets.tasks.join_next() => match ended {
                    Some(Ok(Err(error))) => return Err(error.context("open a socket")),
                    _ => bail!("a socket ended early"),
                },
                () = tokio::time::sleep(OPEN_TIMEOUT) => bail!("sockets don't open"),
            }
        }
        Ok(sockets)
    }

    /// Has them begin now; [`Sockets::finish`] says what came of it.
    pub fn begin(&self, window: Window) {
        self.window.send_replace(Some(window));
    }

    /// Waits for the end of the window.
    ///
    /// # Errors
    /// A socket was closed, or a message came back changed.
    pub async fn finish(mut self) -> Result<Echoes> {
        let mut latencies = Vec::new();
        while let Some(task) = self.tasks.join_next().await {
            latencies.extend(task?.context("a socket")?);
        }
        Ok(Echoes {
            messages: latencies.len(),
            p50_us: percentile(&mut latencies, 0.50),
            p99_us: percentile(&mut latencies, 0.99),
        })
    }
}

fn request(target: &Target) -> String {
    let (host, cookie, origin) = (target.host(), &target.cookie, target.url(""));
    format!(
        "GET /echo HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nCookie: {cookie}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

async fn shake_hands(stream: &mut Stream, request: &str) -> Result<()> {
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let head = read_head(stream).await?;
    let first = head.lines().next().unwrap_or_default();
    ensure!(first.starts_with("HTTP/1.1 101"), "{first}");
    Ok(())
}

/// Sends and receives until the window ends; the microseconds of each message inside it.
async fn ask(mut stream: Stream, window: Window) -> Result<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut input = Vec::with_capacity(1024);
    let mut output = Vec::with_capacity(1024);
    let mut number = 0_u64;
    loop {
        let sent = Instant::now();
        if sent >= window.until {
            return Ok(latencies);
        }
        number += 1;
        let mut message = [0; MESSAGE];
        message[..8].copy_from_slice(&number.to_le_bytes());
        output.clear();
        frames::push_masked(&mut output, &message)?;
        stream.write_all(&output).await?;
        stream.flush().await?;
        receive(&mut stream, &mut input, &message).await?;
        let came = Instant::now();
        if sent >= window.from && came <= window.until {
            let took = came - sent;
            latencies.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
    }
}

/// Waits for this message, whole and unchanged.
async fn receive(stream: &mut Stream, input: &mut Vec<u8>, message: &[u8]) -> Result<()> {
    loop {
        if let Some(frame) = frames::parse(input)? {
            let same = frame.message.as_deref() == Some(message);
            ensure!(same, "a message came back changed");
            input.drain(..frame.size);
            return Ok(());
        }
        ensure!(stream.read_buf(input).await? > 0, "closed");
    }
}

#[cfg(test)]
mod tests {
    use super::{Sockets, Window};
    use crate::echo::Echo;
    use std::time::{Duration, Instant};

    #[tokio::test]
    async fn messages_come_back_and_are_counted() {
        let echo = Echo::start().unwrap();
        let target = echo.target();
        // Longer and longer, for a machine that is busy.
        for secs in [0.1, 1.0, 10.0, 30.0] {
            let sockets = Sockets::open(&target, 3).await.unwrap();
            let from = Instant::now();
            let until = from + Duration::from_secs_f64(secs);
            sockets.begin(Window { from, until });
            let echoes = sockets.finish().await.unwrap();
            assert!(echoes.p50_us <= echoes.p99_us);
            if echoes.messages > 0 {
                return;
            }
        }
        panic!("no message came back");
    }
}
