//! One end of a connection that sends exactly the bytes it is given, and shows what comes.

use crate::wait::DEADLINE;
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::path::Path;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::time::timeout;

/// One connection. Every read ends at [`DEADLINE`].
pub struct Raw {
    stream: Box<dyn Stream>,
    /// What was read and not yet taken.
    buffer: Vec<u8>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// How a connection ended, and all that came before.
#[derive(Debug)]
pub struct Ending {
    /// What came.
    pub bytes: Vec<u8>,
    /// Whether the far end closed it; a reset otherwise.
    pub clean: bool,
}

impl Raw {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens at `address`.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        Self::over(stream)
    }

    /// Connects to a Unix socket.
    ///
    /// # Errors
    /// If nobody listens at `path`.
    pub async fn connect_unix(path: &Path) -> Result<Self> {
        Ok(Self::on(UnixStream::connect(path).await?))
    }

    /// Is the other end of the next connection to `listener`.
    ///
    /// # Errors
    /// If none comes before the deadline.
    pub async fn accept(listener: &TcpListener) -> Result<Self> {
        let (stream, _) = timeout(DEADLINE, listener.accept()).await??;
        Self::over(stream)
    }

    fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self::on(stream))
    }

    /// Has this connection, such as one after its TLS handshake.
    pub fn on(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            buffer: Vec::new(),
        }
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        timeout(DEADLINE, self.stream.write_all(bytes.as_ref())).await??;
        Ok(())
    }

    /// Reads up to and with `marker`.
    ///
    /// # Errors
    /// If the connection ends or the deadline comes before it; the message shows what came.
    pub async fn read_until(&mut self, marker: impl AsRef<[u8]>) -> Result<String> {
        let bytes = self.read_bytes_until(marker.as_ref()).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn read_bytes_until(&mut self, marker: &[u8]) -> Result<Vec<u8>> {
        loop {
            let found = self
                .buffer
                .windows(marker.len())
                .position(|it| it == marker);
            if let Some(start) = found {
                return Ok(self.buffer.drain(..start + marker.len()).collect());
            }
            let so_far = || String::from_utf8_lossy(&self.buffer).into_owned();
            let mut chunk = [0; 4096];
            let read = timeout(DEADLINE, self.stream.read(&mut chunk));
            match read.await.with_context(so_far)?.with_context(so_far)? {
                0 => bail!("closed after {:?}", so_far()),
                count => self.buffer.extend_from_slice(&chunk[..count]),
            }
        }
    }

    /// Says that nothing more will be sent; reading goes on.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn finish(&mut self) -> Result<()> {
        Ok(self.stream.shutdown().await?)
    }

    /// Reads the head of a request or response.
    ///
    /// # Errors
    /// As for [`Raw::read_until`].
    pub async fn read_head(&mut self) -> Result<String> {
        self.read_until(b"\r\n\r\n").await
    }

    /// The same, byte for byte.
    ///
    /// # Errors
    /// As for [`Raw::read_until`].
    pub async fn read_head_bytes(&mut self) -> Result<Vec<u8>> {
        self.read_bytes_until(b"\r\n\r\n").await
    }

    /// Reads until the far end closes.
    ///
    /// # Errors
    /// If it does not before the deadline.
    pub async fn read_to_end(mut self) -> Result<Ending> {
        let mut bytes = std::mem::take(&mut self.buffer);
        let read = timeout(DEADLINE, self.stream.read_to_end(&mut bytes)).await;
        let clean = read.context("the connection stays open")?.is_ok();
        Ok(Ending { bytes, clean })
    }
}

/// Sends `bytes` on a new connection and reads until the far end closes it.
///
/// # Errors
/// If it cannot be reached, or does not close.
pub async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Result<Ending> {
    let mut raw = Raw::connect(address).await?;
    // A server may refuse, answer and close before it has read everything.
    let _ = raw.send(bytes).await;
    raw.read_to_end().await
}

/// The status of a response's first line.
pub fn status(response: impl AsRef<[u8]>) -> Option<u16> {
    let line = response.as_ref().split(|byte| *byte == b'\r').next()?;
    let line = str::from_utf8(line).ok()?;
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}
