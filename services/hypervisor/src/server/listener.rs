//! What clients connect to: TCP sockets, and Unix sockets for proxies.

use super::handler::Entrance;
use super::limits;
use super::stream::Stream;
use crate::forwarding::Forwarding;
use crate::peer::Source;
use crate::tls::Tls;
use std::fmt;
use std::io;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio_util::either::Either;

/// What the kinds are called, as the names of systemd's sockets, too (`FileDescriptorName=`).
pub(crate) const HTTP: &str = "http";
pub(crate) const HTTPS: &str = "https";
pub(crate) const REDIRECT: &str = "http-redirect";
pub(crate) const GATEWAY: &str = "gateway";

/// A socket that listens, on no runtime, and what is spoken there.
pub struct Listener {
    socket: Socket,
    kind: Kind,
}

/// A socket that listens, on no runtime.
#[derive(Debug)]
pub enum Socket {
    /// For anyone who reaches it.
    Tcp(std::net::TcpListener),
    /// For a proxy, whose forwarding headers count.
    Unix(std::os::unix::net::UnixListener),
}

/// What is spoken at a socket.
#[derive(Clone)]
pub enum Kind {
    /// Plain HTTP: to a proxy in front of us, or a laptop's browser.
    Http,
    /// HTTP over TLS, with this certificate.
    Https(Arc<Tls>),
    /// HTTP over TLS, from the gateways of other machines.
    Gateway(Arc<Forwarding>),
    /// Plain HTTP at the edge, which is there to send people to TLS.
    Redirect,
}

/// A [`Listener`] on a worker's runtime.
pub(super) struct Open {
    socket: Either<tokio::net::TcpListener, tokio::net::UnixListener>,
    pub(super) kind: Kind,
}

impl Kind {
    /// What the requests of its connections came in by.
    pub(super) fn entrance(&self) -> Entrance {
        match self {
            Self::Http => Entrance::Http,
            Self::Https(_) => Entrance::Https,
            Self::Gateway(_) => Entrance::Gateway,
            Self::Redirect => Entrance::Redirect,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => HTTP,
            Self::Https(_) => HTTPS,
            Self::Gateway(_) => GATEWAY,
            Self::Redirect => REDIRECT,
        })
    }
}

impl Listener {
    /// Has `kind` spoken at `socket`.
    pub fn new(socket: Socket, kind: Kind) -> Self {
        Self { socket, kind }
    }

    /// Whether it is the Unix socket of this path.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let Socket::Unix(unix) = &self.socket else {
            return false;
        };
        let address = unix.local_addr().ok();
        address.is_some_and(|address| address.as_pathname() == Some(path))
    }

    /// What is spoken there.
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Sets what accepted connections have from their listener.
    pub(super) fn tune(&self) -> io::Result<()> {
        match &self.socket {
            Socket::Tcp(tcp) => limits::tune(tcp),
            Socket::Unix(_) => Ok(()),
        }
    }

    /// Another descriptor of the same socket: whoever has time accepts from it.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        let socket = match &self.socket {
            Socket::Tcp(tcp) => Socket::Tcp(tcp.try_clone()?),
            Socket::Unix(unix) => Socket::Unix(unix.try_clone()?),
        };
        Ok(Self::new(socket, self.kind.clone()))
    }

    /// Puts it on the current runtime.
    pub(super) fn open(self) -> io::Result<Open> {
        let socket = match self.socket {
            Socket::Tcp(tcp) => {
                tcp.set_nonblocking(true)?;
                Either::Left(tokio::net::TcpListener::from_std(tcp)?)
            }
            Socket::Unix(unix) => {
                unix.set_nonblocking(true)?;
                Either::Right(tokio::net::UnixListener::from_std(unix)?)
            }
        };
        let kind = self.kind;
        Ok(Open { socket, kind })
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Socket::Tcp(tcp) => match tcp.local_addr() {
                Ok(address) => address.fmt(f),
                Err(_) => f.write_str("a TCP socket"),
            },
            Socket::Unix(unix) => {
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
    match &listener.socket {
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
