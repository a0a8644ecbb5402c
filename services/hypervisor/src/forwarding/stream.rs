//! Bytes between two machines, both ways: what an order asks for, and then becomes.

use super::protocol::OPERATOR;
use super::{ForwardError, Forwarding};
use crate::Body;
use bytes::Bytes;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tracing::debug;

/// What such an order becomes.
pub const VOLUME: &str = "choiros-volume";

/// For so long neither side may say anything: longer than it takes to look through a large file.
const SILENCE: Duration = Duration::from_mins(5);

const BUFFER: usize = 256 * 1024;

impl Forwarding {
    /// The stream that another machine makes of an order; its answer if it makes none.
    ///
    /// # Errors
    /// It cannot be reached, or went away.
    pub async fn stream(
        &self,
        machine: &str,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Result<UnixStream, Response<Body>>, ForwardError> {
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static(VOLUME));
        let stream = self.connect(machine, OPERATOR).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection.with_upgrades());
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Err(response.map(Body::new)));
        }
        let upgraded = hyper::upgrade::on(response).await?;
        let (near, far) = UnixStream::pair()?;
        let far = passable(far)?;
        tokio::spawn(async move {
            if let Err(error) = pass(TokioIo::new(upgraded), far).await {
                debug!(%error, "a stream to another machine ended");
            }
        });
        Ok(Ok(near))
    }
}

/// One end of a pair, for [`pass`].
///
/// # Errors
/// The system's.
pub fn passable(end: UnixStream) -> io::Result<tokio::net::UnixStream> {
    end.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(end)
}

/// Passes bytes both ways until both sides have said all, or one is gone.
///
/// # Errors
/// One side's, or neither says anything for too long.
pub async fn pass(
    one: impl AsyncRead + AsyncWrite,
    other: impl AsyncRead + AsyncWrite,
) -> io::Result<()> {
    let (mut from_one, mut to_one) = tokio::io::split(one);
    let (mut from_other, mut to_other) = tokio::io::split(other);
    let last = Mutex::new(Instant::now());
    tokio::try_join!(
        copy(&mut from_one, &mut to_other, &last),
        copy(&mut from_other, &mut to_one, &last)
    )?;
    Ok(())
}

async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    last: &Mutex<Instant>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match timeout(SILENCE, from.read(&mut buffer)).await {
            Ok(read) => read?,
            // One may listen for as long as the other speaks.
            Err(_) if of(last).elapsed() < SILENCE => continue,
            Err(silence) => return Err(silence.into()),
        };
        if read == 0 {
            return to.shutdown().await;
        }
        *of(last) = Instant::now();
        let written = async {
            to.write_all(&buffer[..read]).await?;
            to.flush().await
        };
        timeout(SILENCE, written).await??;
        *of(last) = Instant::now();
    }
}

fn of(last: &Mutex<Instant>) -> MutexGuard<'_, Instant> {
    last.lock().unwrap_or_else(PoisonError::into_inner)
}
