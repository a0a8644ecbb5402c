//! A client of HTTP/1.1 that does as little as one can, over plain TCP or TLS: for what the load
//! generators don't do, and to see what a server says before it is measured.

use crate::target::Target;
use anyhow::{Context, Result, ensure};
use std::pin::Pin;
use std::sync::Arc;
use std::task;
use std::{io, net::SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, HandshakeKind};

const END: &[u8] = b"\r\n\r\n";

/// The bytes of a connection.
#[derive(Debug)]
pub enum Stream {
    /// Without TLS.
    Plain(TcpStream),
    /// With it.
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection, and what was read of it beyond the last response.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    buffer: Vec<u8>,
}

/// A response, as far as anybody here looks at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// The bytes of its body.
    pub length: usize,
}

impl Stream {
    /// Connects. A TLS handshake is a full one.
    ///
    /// # Errors
    /// The system's, or TLS's.
    pub async fn connect(address: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let Some(config) = tls else {
            return Ok(Self::Plain(stream));
        };
        let name = ServerName::try_from("localhost")?;
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name, stream).await?;
        let kind = stream.get_ref().1.handshake_kind();
        ensure!(
            kind == Some(HandshakeKind::Full),
            "no full handshake: {kind:?}"
        );
        Ok(Self::Tls(Box::new(stream)))
    }
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// The system's, or TLS's.
    pub async fn connect(address: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Result<Self> {
        Ok(Self::over(Stream::connect(address, tls).await?))
    }

    /// Goes on where this connection is.
    pub fn over(stream: Stream) -> Self {
        Self {
            stream,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Sends a request and reads its whole response.
    ///
    /// # Errors
    /// The connection ended before, or the response has no length.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Response> {
        self.send(request).await?;
        self.response().await
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// Reads a whole response.
    ///
    /// # Errors
    /// The connection ended before, or the response has no length.
    pub async fn response(&mut self) -> Result<Response> {
        let head = loop {
            let end = self.buffer.windows(END.len()).position(|it| it == END);
            if let Some(end) = end {
                break self.buffer.drain(..end + END.len()).collect::<Vec<_>>();
            }
            self.read().await?;
        };
        let response = parse(&String::from_utf8_lossy(&head))?;
        let mut left = response.length;
        while left > 0 {
            if self.buffer.is_empty() {
                self.read().await?;
            }
            let taken = self.buffer.len().min(left);
            self.buffer.drain(..taken);
            left -= taken;
        }
        Ok(response)
    }

    /// The connection itself.
    pub fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    async fn read(&mut self) -> Result<()> {
        let count = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(count > 0, "the connection ended before the response did");
        Ok(())
    }
}

/// A GET of this path with the target's cookie, or a POST with a body of so many bytes.
pub fn request(target: &Target, path: &str, body: Option<usize>, headers: &str) -> Vec<u8> {
    let (method, length) = match body {
        Some(size) => ("POST", format!("Content-Length: {size}\r\n")),
        None => ("GET", String::new()),
    };
    let host = target.host();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}{headers}\r\n");
    let mut bytes = head.into_bytes();
    bytes.resize(bytes.len() + body.unwrap_or_default(), b'x');
    bytes
}

fn parse(head: &str) -> Result<Response> {
    let status = head.split(' ').nth(1).context("a status")?.parse()?;
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.trim().parse())
        .next_back();
    let length = match status {
        204 | 304 => 0,
        _ => length.with_context(|| format!("a response without a length: {head}"))??,
    };
    Ok(Response { status, length })
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> task::Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
        buf: &[u8],
    ) -> task::Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> task::Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
