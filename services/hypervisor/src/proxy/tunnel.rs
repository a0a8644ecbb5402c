//! Bytes both ways after an upgrade, and the end of a WebSocket whose sandbox lost its role, or
//! whose caller was logged out.

use super::direction::Direction;
use super::frames::{SERVICE_RESTART, close};
use super::in_flight::InFlight;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, split};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// For how long a WebSocket's ends may take over saying goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The same for one whose caller was logged out: all is over within a second.
const LOG_OUT_TIMEOUT: Duration = Duration::from_millis(500);

/// How bytes are carried between two upgraded connections.
pub(super) struct Tunnel {
    /// Whether the protocol is WebSocket.
    pub(super) websocket: bool,
    /// Cancelled when the sandbox's drain is over.
    pub(super) drain_deadline: CancellationToken,
    /// The request that asked for it.
    pub(super) in_flight: InFlight,
}

impl Tunnel {
    /// Carries bytes until both ends are done, one breaks, the drain is over, or the caller is
    /// logged out.
    pub(super) async fn forward(self, client: Upgraded, upstream: Upgraded) {
        let (from_client, to_client) = split(TokioIo::new(client));
        let (from_upstream, to_upstream) = split(TokioIo::new(upstream));
        let mut up = Direction::new(from_client, to_upstream, self.websocket);
        let mut down = Direction::new(from_upstream, to_client, self.websocket);
        tokio::select! {
            biased;
            () = self.in_flight.over() => {}
            () = self.carry(&mut up, &mut down) => return,
        }
        if self.websocket {
            // An end that says nothing is cut off.
            let _ = timeout(LOG_OUT_TIMEOUT, log_out(&mut up, &mut down)).await;
        }
    }

    async fn carry(&self, up: &mut Direction, down: &mut Direction) {
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
        let up = pin!(up.copy());
        let down = pin!(self.down(down));
        tokio::select! {
            () = over => {}
            () = either_then_other(up, down, after_end) => {}
        }
    }

    async fn down(&self, down: &mut Direction) -> io::Result<()> {
        if self.websocket {
            copy_frames(down, &self.drain_deadline).await
        } else {
            down.copy().await
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

/// Copies a sandbox's frames until the end, or until `drain_deadline` and the end of a frame: then
/// the client is told that the service restarts.
async fn copy_frames(down: &mut Direction, drain_deadline: &CancellationToken) -> io::Result<()> {
    let mut cut_off = pin!(drain_deadline.cancelled());
    while !down.frames.closed() {
        let count = tokio::select! {
            biased;
            () = &mut cut_off, if down.frames.between() => return say_goodbye(down).await,
            count = down.buffer.fill(&mut down.from) => count?,
        };
        if count == 0 {
            return down.to.shutdown().await;
        }
        if drain_deadline.is_cancelled() {
            down.write_to_end_of_frame().await?;
        } else {
            down.write().await?;
        }
    }
    // The ends are closing by themselves.
    down.copy().await
}

/// Writes the Close frame, and then drops what the sandbox still says: after a Close the client
/// may not be sent anything. Its own Close reaches the sandbox the other way, which ends it.
async fn say_goodbye(down: &mut Direction) -> io::Result<()> {
    let close = close(SERVICE_RESTART, "the sandbox is being replaced");
    down.to.write_all(&close).await?;
    down.to.flush().await?;
    tokio::io::copy(&mut down.from, &mut tokio::io::sink()).await?;
    down.to.shutdown().await
}

/// Closes both ends as RFC 6455 says, with nothing more from one to the other than the rest of a
/// frame that the client has a part of: what comes from it was not sent by anybody known.
async fn log_out(up: &mut Direction, down: &mut Direction) {
    // Where one end is gone, the other is closed all the same.
    let _ = tokio::join!(up.close_sandbox(), down.close_client());
    let _ = tokio::join!(up.heed_close(), down.heed_close());
    let _ = tokio::join!(up.to.shutdown(), down.to.shutdown());
}
