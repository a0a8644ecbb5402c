//! A sandbox that does as little as possible, on a thread of its own.

use crate::wire::Wire;
use anyhow::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// The answer to `/big`.
pub const BIG: usize = 1_000_000;
const SMALL: usize = 100;
/// How long `/wait` takes.
pub const WAIT: Duration = Duration::from_millis(200);

/// Where it listens, and how many asked for `/big`.
#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    pub big: Arc<AtomicUsize>,
}

impl Upstream {
    /// Starts it; it ends with this program.
    pub fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let upstream = Self {
            address: listener.local_addr()?,
            big: Arc::default(),
        };
        let big = upstream.big.clone();
        std::thread::spawn(move || crate::runtime()?.block_on(accept(listener, big)));
        Ok(upstream)
    }
}

async fn accept(listener: std::net::TcpListener, big: Arc<AtomicUsize>) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, big.clone()));
    }
}

async fn serve(stream: TcpStream, big: Arc<AtomicUsize>) -> Result<()> {
    let mut wire = Wire::new(stream)?;
    while let Some(head) = wire.head().await? {
        wire.skip(head.length).await?;
        let size = match head.words().1 {
            "/big" => {
                big.fetch_add(1, Ordering::Relaxed);
                BIG
            }
            "/wait" => {
                tokio::time::sleep(WAIT).await;
                SMALL
            }
            _ => SMALL,
        };
        let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").into_bytes();
        answer.resize(answer.len() + size, b'x');
        wire.stream.write_all(&answer).await?;
    }
    Ok(())
}
