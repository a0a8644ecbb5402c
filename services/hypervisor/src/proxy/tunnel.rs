//! Bytes both ways after an upgrade, and the end of a WebSocket whose sandbox lost its role.

use super::buffer::Buffer;
use super::frames::{self, Frames};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// For how long a WebSocket's ends may take over saying goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// RFC 6455 and its registry: «service restart», upon which clients come back.
const SERVICE_RESTART: u16 = 1012;

/// How bytes are carried between two upgraded connections.
pub(super) struct Tunnel {
    /// Whether the protocol is WebSocket.
    pub(super) websocket: bool,
    /// Cancelled when the sandbox's drain is over.
    pub(super) drain_deadline: CancellationToken,
}

impl Tunnel {
    /// Carries bytes until both ends are done, one breaks, or the drain is over.
    pub(super) async fn forward(self, client: Upgraded, upstream: Upgraded) {
        let (from_client, to_client) = split(TokioIo::new(client));
        let (from_upstream, to_upstream) = split(TokioIo::new(upstream));
        let (after_cut, after_end) = if self.websocket {
            // A WebSocket has no half-closed state: when one end is gone, so is the other soon.
            (CLOSE_TIMEOUT, CLOSE_TIMEOUT)
        } else {
            (Duration::ZERO, Duration::MAX)
        };
        let over = async {
            self.drain_deadline.cancelled().await;
            sleep(after_cut).await;
        };
        let up = pin!(copy(from_client, to_upstream));
        let down = pin!(self.down(from_upstream, to_client));
        tokio::select! {
            () = over => {}
            () = either_then_other(up, down, after_end) => {}
        }
    }

    async fn down(
        &self,
        from: impl AsyncRead + Unpin,
        to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        if self.websocket {
            copy_frames(from, to, &self.drain_deadline).await
        } else {
            copy(from, to).await
        }
    }
}

/// Waits for both; for the second only so long, and not at all once the first broke.
async fn either_then_other(
    mut one: impl Future<Output = io::Result<()>> + Unpin,
    mut other: impl Future<Output = io::Result<()>> + Unpin,
    limit: Duration,
) {
    tokio::select! {
        ended = &mut one => if ended.is_ok() { let _ = timeout(limit, other).await; },
        ended = &mut other => if ended.is_ok() { let _ = timeout(limit, one).await; },
    }
}

/// Copies until the end, and passes that on.
async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut buffer = Buffer::default();
    loop {
        let count = buffer.fill(&mut from).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(buffer.bytes()).await?;
        to.flush().await?;
        buffer.consume(count);
    }
}

/// Copies a sandbox's frames until the end, or until `cut` and the end of a frame: then the
/// client is told that the service restarts.
async fn copy_frames(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    drain_deadline: &CancellationToken,
) -> io::Result<()> {
    let mut frames = Frames::default();
    let mut buffer = Buffer::default();
    let mut cut_off = pin!(drain_deadline.cancelled());
    while !frames.closed() {
        let count = tokio::select! {
            biased;
            () = &mut cut_off, if frames.between() => return say_goodbye(from, to).await,
            count = buffer.fill(&mut from) => count?,
        };
        if count == 0 {
            return to.shutdown().await;
        }
        let bytes = buffer.bytes();
        let end = if drain_deadline.is_cancelled() {
            frames.next_end(bytes)
        } else {
            frames.pass(bytes);
            None
        };
        to.write_all(&bytes[..end.unwrap_or(count)]).await?;
        to.flush().await?;
        buffer.consume(count);
    }
    // The ends are closing by themselves.
    copy(from, to).await
}

/// Writes the Close frame, and then drops what the sandbox still says: after a Close the client
/// may not be sent anything. Its own Close reaches the sandbox the other way, which ends it.
async fn say_goodbye(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let close = frames::close(SERVICE_RESTART, "the sandbox is being replaced");
    to.write_all(&close).await?;
    to.flush().await?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    to.shutdown().await
}
