//! A network link that can be cut, one way or both.

use crate::port::{Port, listen_again};
use anyhow::Result;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Where a link leads.
#[derive(Debug, Clone)]
pub enum End {
    /// A port of 127.0.0.1.
    Tcp(u16),
    /// A Unix socket.
    Unix(PathBuf),
}

/// What passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// Everything.
    Both = 0,
    /// What is sent to the far end, but not what it answers.
    There = 1,
    /// What the far end sends, but nothing to it.
    Back = 2,
    /// Nothing: whoever sends hears nothing, and nobody is told.
    Neither = 3,
}

/// A port of 127.0.0.1 from which connections lead elsewhere.
#[derive(Debug)]
pub struct Link {
    port: Port,
    passes: Arc<AtomicU8>,
    serving: JoinHandle<()>,
}

impl Link {
    /// One that passes everything.
    ///
    /// # Errors
    /// No port is free.
    pub async fn to(end: End) -> Result<Self> {
        let port = Port::reserve()?;
        let passes = Arc::new(AtomicU8::new(Passes::Both as u8));
        let listener = listen_again((Ipv4Addr::LOCALHOST, port.number()).into()).await?;
        let state = passes.clone();
        let serving = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let _ = near.set_nodelay(true);
                tokio::spawn(pass(near, end.clone(), state.clone()));
            }
        });
        Ok(Self {
            port,
            passes,
            serving,
        })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// What passes from now on, on connections that are there, too.
    pub fn set(&self, passes: Passes) {
        self.passes.store(passes as u8, Ordering::Relaxed);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(near: TcpStream, end: End, state: Arc<AtomicU8>) {
    match end {
        End::Tcp(port) => {
            if let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                let _ = far.set_nodelay(true);
                both(near, far, &state).await;
            }
        }
        End::Unix(path) => {
            if let Ok(far) = UnixStream::connect(path).await {
                both(near, far, &state).await;
            }
        }
    }
}

async fn both<N, F>(near: N, far: F, state: &AtomicU8)
where
    N: AsyncRead + AsyncWrite,
    F: AsyncRead + AsyncWrite,
{
    let (near_out, near_in) = split(near);
    let (far_out, far_in) = split(far);
    tokio::select! {
        () = one_way(near_out, far_in, state, Passes::There) => {}
        () = one_way(far_out, near_in, state, Passes::Back) => {}
    }
}

/// What is cut waits, as packets that are sent again do.
async fn one_way<R, W>(mut from: R, mut to: W, state: &AtomicU8, way: Passes)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let is_cut = || {
            let now = state.load(Ordering::Relaxed);
            now != Passes::Both as u8 && now != way as u8
        };
        while is_cut() {
            sleep(Duration::from_millis(5)).await;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
