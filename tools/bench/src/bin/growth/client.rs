//! A client that does as little as one can.

use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A client's request with this cookie.
pub fn request(address: SocketAddr, cookie: &str) -> Vec<u8> {
    let port = address.port();
    format!("GET /small HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n").into()
}

/// One keep-alive connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// The system's.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// Sends a request and reads its answer, which must have this status.
    ///
    /// # Errors
    /// It has not, or the connection ended.
    pub async fn ask(&mut self, request: &[u8], status: &str) -> Result<()> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut whole = None;
        while whole.is_none_or(|whole| self.buffer.len() < whole) {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the connection ended: {}", text(&self.buffer));
            if whole.is_none() {
                whole = length(&self.buffer)?;
            }
        }
        let fits = self.buffer[9..].starts_with(status.as_bytes());
        ensure!(fits, "{}", text(&self.buffer));
        Ok(())
    }
}

/// How long the answer is, once its head is there.
fn length(answer: &[u8]) -> Result<Option<usize>> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = text(&answer[..head]).to_ascii_lowercase();
    let body = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let body: usize = body.context("an answer without a length")?.trim().parse()?;
    Ok(Some(head + 4 + body))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
