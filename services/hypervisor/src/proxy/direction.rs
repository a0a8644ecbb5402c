//! One direction of a tunnel, which may be left off at any moment and closed in order.

use super::buffer::Buffer;
use super::frames::{Frames, POLICY_VIOLATION, close, masked_close};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};

/// Why a WebSocket ends with its session.
const LOGGED_OUT: &str = "the session has ended";

type Stream = TokioIo<Upgraded>;

/// Bytes from one end of a tunnel to the other.
pub(super) struct Direction {
    pub(super) from: ReadHalf<Stream>,
    pub(super) to: WriteHalf<Stream>,
    /// What was read and not yet written.
    pub(super) buffer: Buffer,
    /// Where the bytes that were written stand.
    pub(super) frames: Frames,
    websocket: bool,
}

impl Direction {
    pub(super) fn new(from: ReadHalf<Stream>, to: WriteHalf<Stream>, websocket: bool) -> Self {
        Self {
            from,
            to,
            buffer: Buffer::default(),
            frames: Frames::default(),
            websocket,
        }
    }

    /// Copies until the end, and passes that on.
    pub(super) async fn copy(&mut self) -> io::Result<()> {
        while self.buffer.fill(&mut self.from).await? > 0 {
            self.write().await?;
        }
        self.to.shutdown().await
    }

    /// Writes all that was read.
    pub(super) async fn write(&mut self) -> io::Result<()> {
        self.write_first(self.buffer.bytes().len()).await
    }

    /// Writes what was read, up to the first end of a frame.
    pub(super) async fn write_to_end_of_frame(&mut self) -> io::Result<()> {
        let bytes = self.buffer.bytes();
        let end = self.frames.clone().next_end(bytes);
        self.write_first(end.unwrap_or(bytes.len())).await
    }

    /// Never forgets what it has written, wherever it is left off.
    async fn write_first(&mut self, mut count: usize) -> io::Result<()> {
        while count > 0 {
            let bytes = &self.buffer.bytes()[..count];
            let written = self.to.write(bytes).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            if self.websocket {
                self.frames.pass(&bytes[..written]);
            }
            self.buffer.consume(written);
            count -= written;
        }
        self.to.flush().await
    }

    /// Tells the sandbox, at the other end of this, that the client goes. Not within a frame: its
    /// rest is for nobody.
    pub(super) async fn close_sandbox(&mut self) -> io::Result<()> {
        if self.frames.closed() || !self.frames.between() {
            return Ok(());
        }
        let close = masked_close(POLICY_VIOLATION, LOGGED_OUT);
        self.to.write_all(&close).await?;
        self.to.flush().await
    }

    /// Tells the client, at the other end of this, that it was logged out, once it has the whole
    /// of the frame that was under way.
    pub(super) async fn close_client(&mut self) -> io::Result<()> {
        while !self.frames.between() {
            if self.buffer.bytes().is_empty() && self.buffer.fill(&mut self.from).await? == 0 {
                return Ok(());
            }
            self.write_to_end_of_frame().await?;
        }
        if self.frames.closed() {
            return Ok(());
        }
        self.to
            .write_all(&close(POLICY_VIOLATION, LOGGED_OUT))
            .await?;
        self.to.flush().await
    }

    /// Waits until the end that this comes from has closed, too, and drops what it says.
    pub(super) async fn heed_close(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.buffer.bytes();
            self.frames.pass(bytes);
            self.buffer.consume(bytes.len());
            if self.frames.closed() || self.buffer.fill(&mut self.from).await? == 0 {
                return Ok(());
            }
        }
    }
}
