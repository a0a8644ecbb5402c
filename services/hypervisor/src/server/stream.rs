//! A client's connection: over TCP, or over a Unix socket, at whose other end is a proxy.

use rustix::net::{RecvFlags, recv};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};
use tokio::io::{Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};
use tokio_util::either::Either;

/// A client's connection.
pub type Stream = Either<TcpStream, UnixStream>;

/// Its half that reads.
pub(crate) type ReadHalf<'a> = Either<tcp::ReadHalf<'a>, unix::ReadHalf<'a>>;

/// Its half that writes.
pub(crate) type WriteHalf<'a> = Either<tcp::WriteHalf<'a>, unix::WriteHalf<'a>>;

/// Both halves of a connection.
pub(crate) fn split(stream: &mut Stream) -> (ReadHalf<'_>, WriteHalf<'_>) {
    match stream {
        Either::Left(tcp) => {
            let (read, write) = tcp.split();
            (Either::Left(read), Either::Left(write))
        }
        Either::Right(unix) => {
            let (read, write) = unix.split();
            (Either::Right(read), Either::Right(write))
        }
    }
}

/// Reads what has come, without waiting.
pub(crate) fn try_read(stream: &Stream, bytes: &mut [u8]) -> io::Result<usize> {
    match stream {
        Either::Left(tcp) => tcp.try_read(bytes),
        Either::Right(unix) => unix.try_read(bytes),
    }
}

/// Writes what there is room for, without waiting.
pub(super) fn try_write(stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
    match stream {
        Either::Left(tcp) => tcp.try_write(bytes),
        Either::Right(unix) => unix.try_write(bytes),
    }
}

/// Ready when something has come, which stays there to be read, or with 0 when nothing more will.
pub(crate) fn poll_peek(from: &mut ReadHalf<'_>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let mut byte = [0];
    let unix = match from {
        Either::Left(tcp) => return tcp.poll_peek(cx, &mut ReadBuf::new(&mut byte)),
        Either::Right(unix) => (*unix).as_ref(),
    };
    loop {
        ready!(unix.poll_read_ready(cx))?;
        let peek = || Ok(recv(unix, &mut byte, RecvFlags::PEEK)?.0);
        match unix.try_io(Interest::READABLE, peek) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            peeked => return Poll::Ready(peeked),
        }
    }
}

/// A connection on no runtime, on its way from one to another.
pub struct Detached(Either<std::net::TcpStream, std::os::unix::net::UnixStream>);

impl Detached {
    /// Takes a connection off its runtime.
    pub(super) fn new(stream: Stream) -> io::Result<Self> {
        Ok(Self(match stream {
            Either::Left(tcp) => Either::Left(tcp.into_std()?),
            Either::Right(unix) => Either::Right(unix.into_std()?),
        }))
    }

    /// Puts it on the current runtime.
    ///
    /// # Errors
    /// Out of file descriptors for the poller.
    pub fn attach(self) -> io::Result<Stream> {
        Ok(match self.0 {
            Either::Left(tcp) => Either::Left(TcpStream::from_std(tcp)?),
            Either::Right(unix) => Either::Right(UnixStream::from_std(unix)?),
        })
    }
}

/// The far end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An address and port.
    Tcp(SocketAddr),
    /// Whoever may open our Unix socket. That is a proxy, whose word counts: the socket's
    /// permissions say who else can be it.
    Unix,
}

impl Source {
    /// Its address; a Unix socket's far end has none.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(socket) => Some(socket.ip().to_canonical()),
            Self::Unix => None,
        }
    }
}

impl From<SocketAddr> for Source {
    fn from(socket: SocketAddr) -> Self {
        Self::Tcp(socket)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(socket) => socket.fmt(f),
            Self::Unix => f.write_str("a Unix socket"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn tcp() -> (Stream, Stream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await;
        let (far, _) = listener.accept().await.unwrap();
        (Either::Left(near.unwrap()), Either::Left(far))
    }

    fn unix() -> (Stream, Stream) {
        let (near, far) = UnixStream::pair().unwrap();
        (Either::Right(near), Either::Right(far))
    }

    #[tokio::test]
    async fn a_look_takes_nothing_and_sees_the_end() {
        for (mut near, mut far) in [tcp().await, unix()] {
            let (mut reading, _) = split(&mut near);
            let seen = poll_fn(|cx| Poll::Ready(poll_peek(&mut reading, cx).is_pending()));
            assert!(seen.await, "nothing has come");
            far.write_all(b"ab").await.unwrap();
            for _ in 0..2 {
                let seen = poll_fn(|cx| poll_peek(&mut reading, cx)).await;
                assert_eq!(seen.unwrap(), 1);
            }
            let mut bytes = [0; 2];
            reading.read_exact(&mut bytes).await.unwrap();
            assert_eq!(&bytes, b"ab");
            drop(far);
            let seen = poll_fn(|cx| poll_peek(&mut reading, cx)).await;
            assert_eq!(seen.unwrap(), 0);
        }
    }
}
