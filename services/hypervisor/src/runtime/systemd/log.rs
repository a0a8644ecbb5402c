//! What a unit wrote to the journal, as the host tells it at a socket of its own: this program may
//! not read the journal itself.

use crate::runtime::line::{LONGEST_LINE, visible};
use crate::runtime::{LogLines, RuntimeError};
use futures_util::{StreamExt as _, stream};
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// How long it may take until the host has heard the question.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last lines of a sandbox, and with `follow` those to come. One who reads slowly holds up the
/// host's answer alone, never what writes.
pub(super) async fn read(
    socket: &Path,
    sandbox: &str,
    lines: usize,
    follow: bool,
) -> Result<LogLines, RuntimeError> {
    let asked = timeout(PATIENCE, ask(socket, sandbox, lines, follow)).await;
    let asked = asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let stream = asked.map_err(|error| RuntimeError::NoLog {
        sandbox: sandbox.to_owned(),
        cause: format!(
            "nothing tells it at {} ({error}); start what listens there, or set runtime.logs_socket to where it does",
            socket.display()
        ),
    })?;
    let lines = stream::unfold(BufReader::new(stream), async |mut stream| {
        let mut line = Vec::new();
        let mut part = (&mut stream).take(LONGEST_LINE);
        match part.read_until(b'\n', &mut line).await {
            Ok(1..) => Some((visible(&line), stream)),
            _ => None,
        }
    });
    Ok(lines.boxed())
}

async fn ask(socket: &Path, sandbox: &str, lines: usize, follow: bool) -> io::Result<UnixStream> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if sandbox.is_empty() || !sandbox.bytes().all(is_plain) {
        let said = "its name has more than letters, digits and hyphens";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, said));
    }
    let mut stream = UnixStream::connect(socket).await?;
    let until = if follow { "follow" } else { "once" };
    let order = format!("{sandbox} {lines} {until}\n");
    stream.write_all(order.as_bytes()).await?;
    Ok(stream)
}
