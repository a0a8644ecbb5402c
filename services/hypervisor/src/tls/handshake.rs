//! What comes before the first byte of HTTP on a TLS connection.

use super::Tls;
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection after its handshake.
pub type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// What a connection turned out to be.
pub enum Handshake {
    /// TLS, and the handshake is done.
    Done(Box<TlsStream>),
    /// HTTP without TLS, and it has been logged so. What the client still sends is to be read before
    /// the end, or it might lose the response.
    PlainHttp(TcpStream),
}

/// For who came to the right port with the wrong scheme.
const USE_HTTPS: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 59\r\n\
    Connection: close\r\n\r\n\
    This port speaks HTTPS: begin the address with https://...\n";

impl Tls {
    /// Has the handshake on a new connection, which may take so long.
    ///
    /// # Errors
    /// The client went away, took too long, or has nothing in common with us.
    pub async fn handshake(&self, stream: TcpStream, limit: Duration) -> io::Result<Handshake> {
        let handshake = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // TLS begins with a record type, which is no letter, and HTTP with a method.
            if first[0].is_ascii_uppercase() {
                let mut stream = stream;
                stream.write_all(USE_HTTPS).await?;
                return Ok(Handshake::PlainHttp(stream));
            }
            let stream = self.acceptor.accept(stream).await?;
            Ok(Handshake::Done(Box::new(stream)))
        };
        timeout(limit, handshake).await.unwrap_or_else(|_| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the TLS handshake took too long",
            ))
        })
    }
}
