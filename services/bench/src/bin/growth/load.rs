//! Keep-alive clients that each go round a share of the sessions.

use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What a round of load found.
#[derive(Debug)]
pub struct Round {
    /// Requests a second.
    pub rate: f64,
    /// Requests in all.
    pub requests: usize,
    /// How long each took, in microseconds, sorted.
    times: Vec<u32>,
}

impl Round {
    /// The time within which this share of the requests was answered, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index within a Vec"
        )]
        let index = (self.times.len() as f64 * share) as usize;
        let time = self.times.get(index).or(self.times.last());
        f64::from(time.copied().unwrap_or_default()) / 1000.0
    }
}

/// A client's request with this cookie.
pub fn request(address: SocketAddr, cookie: &str) -> Vec<u8> {
    let port = address.port();
    format!("GET /small HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n").into()
}

/// Sends each of these requests once, and with `lasting` again and again for so long.
///
/// # Errors
/// A connection failed, or an answer was not 200.
pub async fn load(
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
    clients: usize,
    lasting: Option<Duration>,
) -> Result<Round> {
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for first in 0..clients {
        let requests = Arc::clone(requests);
        all.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut times = Vec::new();
            let mut index = first;
            while lasting.map_or(index < requests.len(), |limit| begun.elapsed() < limit) {
                let sent = Instant::now();
                client.ask(&requests[index % requests.len()]).await?;
                times.push(u32::try_from(sent.elapsed().as_micros())?);
                index += clients;
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = all.join_next().await {
        times.extend(ended??);
    }
    let took = begun.elapsed();
    times.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(Round {
        rate: times.len() as f64 / took.as_secs_f64(),
        requests: times.len(),
        times,
    })
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

    /// Sends a request and reads its answer, which must be 200.
    ///
    /// # Errors
    /// It is not, or the connection ended.
    pub async fn ask(&mut self, request: &[u8]) -> Result<()> {
        let answer = self.exchange(request).await?;
        ensure!(answer.starts_with(b"HTTP/1.1 200"), "{}", text(answer));
        Ok(())
    }

    /// Sends a request and reads its answer, whatever it is.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<&[u8]> {
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
        Ok(&self.buffer)
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
