//! A request on its way to the sandbox.

use super::super::buffer::Buffer;
use super::super::idle_timeout::IdleTimeout;
use super::wire;
use crate::server::ReadHalf;
use std::io;
use std::time::Duration;
use tokio::net::tcp::WriteHalf;

/// Why a request did not get there whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The client sent nothing for too long.
    Stalled,
    /// The client is gone.
    Gone,
    /// The sandbox took nothing for too long.
    Untaken,
    /// The sandbox closed its side; what it said before may lie there to be read.
    Refused,
}

/// Sends a head, and the `left` bytes of its body, of which some are in the `inbox` already.
pub(super) async fn send(
    head: &[u8],
    mut left: u64,
    inbox: &mut Buffer,
    client: &mut ReadHalf<'_>,
    sandbox: &mut WriteHalf<'_>,
    patience: Duration,
) -> Result<(), Fault> {
    let mut taken = IdleTimeout::new(patience);
    let here = most(left).min(inbox.bytes().len());
    let sent = wire::write(sandbox, &[head, &inbox.bytes()[..here]], &mut taken).await;
    inbox.consume(here);
    left -= here as u64;
    sent.map_err(|error| fault(&error))?;
    if left == 0 {
        return Ok(());
    }
    let mut sent = IdleTimeout::new(patience);
    let mut buffer = Buffer::default();
    while left > 0 {
        let count = wire::read(client, &mut buffer, most(left), &mut sent).await;
        let count = count.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Fault::Stalled,
            _ => Fault::Gone,
        })?;
        if count == 0 {
            return Err(Fault::Gone);
        }
        let written = wire::write(sandbox, &[buffer.bytes()], &mut taken).await;
        written.map_err(|error| fault(&error))?;
        buffer.consume(count);
        left -= count as u64;
    }
    Ok(())
}

fn most(left: u64) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX)
}

fn fault(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::TimedOut => Fault::Untaken,
        _ => Fault::Refused,
    }
}
