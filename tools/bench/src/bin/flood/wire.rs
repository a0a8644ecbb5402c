//! Just enough HTTP/1.1 to ask and to answer cheaply.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection, and what was read of it beyond the last head.
pub struct Wire {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

/// The head of a request or an answer.
pub struct Head {
    first: String,
    /// The length of its body.
    pub length: usize,
}

impl Head {
    /// The method and the path of a request, the version and the status of an answer.
    pub fn words(&self) -> (&str, &str) {
        let mut words = self.first.split(' ');
        (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        )
    }
}

impl Wire {
    pub fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(1024),
        })
    }

    /// Sends a bodyless request and reads the whole answer; gives its status.
    pub async fn ask(&mut self, request: &str) -> Result<u16> {
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    /// Reads a whole answer; gives its status.
    pub async fn answer(&mut self) -> Result<u16> {
        let head = self.head().await?.context("closed before the answer")?;
        self.skip(head.length).await?;
        Ok(head.words().1.parse()?)
    }

    /// Reads a head; none if the connection ended before it.
    pub async fn head(&mut self) -> Result<Option<Head>> {
        loop {
            let end = self.buffer.windows(4).position(|it| it == b"\r\n\r\n");
            if let Some(end) = end {
                let text: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return Ok(Some(parse(&String::from_utf8_lossy(&text))?));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads a body and forgets it.
    pub async fn skip(&mut self, length: usize) -> Result<()> {
        let early = self.buffer.len().min(length);
        self.buffer.drain(..early);
        let mut left = length - early;
        let mut scratch = vec![0; left.min(64 * 1024)];
        while left > 0 {
            let most = left.min(scratch.len());
            match self.stream.read(&mut scratch[..most]).await? {
                0 => bail!("closed within a body"),
                count => left -= count,
            }
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<Head> {
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("a body without a length");
        }
    }
    Ok(Head { first, length })
}
