//! What clients connect to: TCP sockets, and Unix sockets for proxies.

use super::limits;
use super::stream::Stream;
use crate::peer::Source;
use std::fmt;
use std::io;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use tokio_util::either::Either;

/// A socket that listens, on no runtime.
#[derive(Debug)]
pub enum Listener {
    /// For anyone who reaches it.
    Tcp(std::net::TcpListener),
    /// For a proxy, whose forwarding headers count.
    Unix(std::os::unix::net::UnixListener),
}

/// The same on a worker's runtime.
pub(super) type Open = Either<tokio::net::TcpListener, tokio::net::UnixListener>;

impl Listener {
    /// Whether it is the Unix socket of this path.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let Self::Unix(unix) = self else {
            return false;
        };
        let address = unix.local_addr().ok();
        address.is_some_and(|address| address.as_pathname() == Some(path))
    }

    /// Sets what accepted connections have from their listener.
    pub(super) fn tune(&self) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => limits::tune(tcp),
            Self::Unix(_) => Ok(()),
        }
    }

    /// Another descriptor of the same socket: whoever has time accepts from it.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(tcp) => Self::Tcp(tcp.try_clone()?),
            Self::Unix(unix) => Self::Unix(unix.try_clone()?),
        })
    }

    /// Puts it on the current runtime.
    pub(super) fn open(self) -> io::Result<Open> {
        Ok(match self {
            Self::Tcp(tcp) => {
                tcp.set_nonblocking(true)?;
                Either::Left(tokio::net::TcpListener::from_std(tcp)?)
            }
            Self::Unix(unix) => {
                unix.set_nonblocking(true)?;
                Either::Right(tokio::net::UnixListener::from_std(unix)?)
            }
        })
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(tcp) => match tcp.local_addr() {
                Ok(address) => address.fmt(f),
                Err(_) => f.write_str("a TCP socket"),
            },
            Self::Unix(unix) => {
                let address = unix.local_addr().ok();
                match address.as_ref().and_then(SocketAddr::as_pathname) {
                    Some(path) => path.display().fmt(f),
                    None => f.write_str("a Unix socket"),
                }
            }
        }
    }
}

/// The next connection.
pub(super) async fn accept(listener: &Open) -> io::Result<(Stream, Source)> {
    match listener {
        Either::Left(tcp) => {
            let (stream, socket) = tcp.accept().await?;
            Ok((Either::Left(stream), Source::Tcp(socket)))
        }
        Either::Right(unix) => {
            let (stream, _) = unix.accept().await?;
            Ok((Either::Right(stream), Source::Unix))
        }
    }
}
