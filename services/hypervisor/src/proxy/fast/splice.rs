//! The rest of a long body, from socket to socket without a copy: the kernel moves it through a
//! pipe.

use super::super::idle::Idle;
use super::download::Fault;
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// What is shorter is sooner copied.
pub(super) const WORTH: u64 = 128 * 1024;

/// Bytes of one call at most; as many as the pipe takes, rather.
const MOST: u64 = 1024 * 1024;

/// How many pipes a thread keeps for reuse.
const KEPT: usize = 16;

thread_local! {
    static FREE: RefCell<Vec<Pipe>> = const { RefCell::new(Vec::new()) };
}

/// An empty pipe.
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

fn take() -> io::Result<Pipe> {
    let kept = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten();
    if let Some(pipe) = kept {
        return Ok(pipe);
    }
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    Ok(Pipe { read, write })
}

/// Keeps a pipe that was emptied. One that was not is never used again: what is in it belongs to
/// somebody.
fn give(pipe: Pipe) {
    let _ = FREE.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.len() < KEPT {
            free.push(pipe);
        }
    });
}

/// Passes the next `left` bytes on, and counts them down. If there is no pipe to be had, or
/// `from` fails or ends, some are left: a plain read will do, or finds out why it cannot.
pub(super) async fn pass(
    from: &TcpStream,
    to: &TcpStream,
    left: &mut u64,
    quiet: &mut Idle,
    taken: &mut Idle,
) -> Result<(), Fault> {
    let Ok(pipe) = take() else { return Ok(()) };
    let mut held = 0;
    let outcome = poll_fn(|cx| {
        loop {
            // Only an empty pipe is filled: when it blocks, it is for want of bytes.
            if held == 0 {
                if *left == 0 {
                    return Poll::Ready(Ok(()));
                }
                let most = usize::try_from((*left).min(MOST)).unwrap_or(usize::MAX);
                match poll_move(from, Interest::READABLE, from, &pipe.write, most, cx) {
                    Poll::Ready(Ok(count @ 1..)) => {
                        quiet.moved();
                        *left -= count as u64;
                        held = count;
                    }
                    Poll::Ready(_) => return Poll::Ready(Ok(())),
                    Poll::Pending => {
                        ready!(quiet.poll_expired(cx));
                        let silent = "the sandbox sent nothing more for too long";
                        return Poll::Ready(Err(Fault::Broken(silent)));
                    }
                }
            }
            match poll_move(to, Interest::WRITABLE, &pipe.read, to, held, cx) {
                Poll::Ready(Ok(count @ 1..)) => {
                    taken.moved();
                    held -= count;
                }
                Poll::Ready(_) => return Poll::Ready(Err(Fault::Gone)),
                Poll::Pending => {
                    ready!(taken.poll_expired(cx));
                    return Poll::Ready(Err(Fault::Gone));
                }
            }
        }
    })
    .await;
    if outcome.is_ok() {
        give(pipe); // Nothing ends well with something in it.
    }
    outcome
}

/// Moves up to `most` bytes as soon as `socket`, one of the two ends, is ready.
fn poll_move(
    socket: &TcpStream,
    interest: Interest,
    from: &impl AsFd,
    to: &impl AsFd,
    most: usize,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    loop {
        if interest.is_readable() {
            ready!(socket.poll_read_ready(cx))?;
        } else {
            ready!(socket.poll_write_ready(cx))?;
        }
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let moved = socket.try_io(interest, || Ok(splice(from, None, to, None, most, flags)?));
        match moved {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            moved => return Poll::Ready(moved),
        }
    }
}
