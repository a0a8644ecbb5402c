//! What comes before the first byte of HTTP on a TLS connection.

use super::{Certificates, Tls};
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// A connection after its handshake.
pub type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// What a connection turned out to be.
pub enum Handshake {
    /// TLS, and the handshake is done.
    Done(Box<TlsStream>),
    /// HTTP without TLS, and it has been logged so. What the client still sends is to be read before
    /// the end, or it might lose the response.
    PlainHttp(TcpStream),
    /// An ACME server looked whether the name is ours, and has gone.
    Challenge,
}

/// For who came to the right port with the wrong scheme.
const USE_HTTPS: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 59\r\n\
    Connection: close\r\n\r\n\
    This port speaks HTTPS: begin the address with https://...\n";

impl Tls {
    /// Has the handshake on a new connection, which may take so long; whoever has to wait for a
    /// certificate that is being ordered may take longer.
    ///
    /// # Errors
    /// The client went away, took too long, or has nothing in common with us.
    pub async fn handshake(&self, stream: TcpStream, limit: Duration) -> io::Result<Handshake> {
        let by = Instant::now() + limit;
        let first = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(first[0])
        };
        // TLS begins with a record type, which is no letter, and HTTP with a method.
        if in_time(by, first).await?.is_ascii_uppercase() {
            let mut stream = stream;
            in_time(by, stream.write_all(USE_HTTPS)).await?;
            return Ok(Handshake::PlainHttp(stream));
        }
        let stream = match &self.certificates {
            Certificates::Files(files) => Some(in_time(by, files.acceptor.accept(stream)).await?),
            Certificates::Acme(acme) => acme.accept(stream, by, limit).await?,
        };
        Ok(stream.map_or(Handshake::Challenge, |stream| {
            Handshake::Done(Box::new(stream))
        }))
    }
}

/// What is done by then, or an error.
pub(super) async fn in_time<T>(
    by: Instant,
    done: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout_at(by, done).await.unwrap_or_else(|_| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the TLS handshake took too long",
        ))
    })
}
