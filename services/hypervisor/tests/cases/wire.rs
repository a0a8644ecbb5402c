//! One end of a TCP connection, and HTTP/1 as it stands there: nothing is made good.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long something may take that will happen.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Names and values in their order, as they were written.
pub type Fields = Vec<(String, String)>;

/// One end of a connection.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    deadline: Duration,
}

/// The head of a message.
#[derive(Debug, Default, Clone)]
pub struct Head {
    pub first: String,
    pub fields: Fields,
    pub bytes: Vec<u8>,
}

/// What follows a head.
#[derive(Debug, Default, Clone)]
pub struct Content {
    pub body: Vec<u8>,
    /// The same with its frames.
    pub framed: Vec<u8>,
    pub trailers: Fields,
    /// Whether all of it came.
    pub whole: bool,
}

/// A response, or how there came to be none.
#[derive(Debug, Default, Clone)]
pub struct Reply {
    /// The 1xx before it.
    pub interim: Vec<(u16, Fields)>,
    /// 0 if there was none.
    pub status: u16,
    pub head: Head,
    pub content: Content,
    /// Why it is not whole.
    pub why: String,
}

#[derive(Debug, Clone, Copy)]
pub enum Length {
    Exactly(usize),
    Chunks,
    ToEnd,
}

type Read<T> = Result<T, String>;

impl Wire {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap(), DEADLINE)
    }

    /// Over this stream; each read may take so long.
    pub fn over(stream: TcpStream, deadline: Duration) -> Self {
        stream.set_nodelay(true).unwrap();
        let buffer = Vec::new();
        Self {
            stream,
            buffer,
            deadline,
        }
    }

    /// Sends; whether all was taken. A server may refuse and close before it has read everything.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let sent = timeout(DEADLINE, self.stream.write_all(bytes.as_ref())).await;
        matches!(sent, Ok(Ok(())))
    }

    /// Sends each byte by itself, as far as they are taken.
    pub async fn send_in_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref().chunks(1) {
            if !self.send(byte).await {
                return;
            }
            // Long enough for the other end to have read it.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Says that nothing more will be sent; reading goes on.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Waits for the other end's end, and says whether it was clean and nothing came before it.
    pub async fn ended(&mut self) -> Read<()> {
        match self.fill().await {
            Err(end) if end == "closed" => Ok(()),
            Err(end) => Err(end),
            Ok(()) => Err(format!("more came: {}", self.buffer.escape_ascii())),
        }
    }

    async fn fill(&mut self) -> Read<()> {
        let read = timeout(self.deadline, self.stream.read_buf(&mut self.buffer)).await;
        match read {
            Err(_) => Err("silence".into()),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(0)) => Err("closed".into()),
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// The bytes up to and with `marker`.
    pub async fn until(&mut self, marker: &[u8]) -> Read<Vec<u8>> {
        let mut looked = 0;
        loop {
            let from = &self.buffer[looked..];
            if let Some(at) = from.windows(marker.len()).position(|it| it == marker) {
                return Ok(self.buffer.drain(..looked + at + marker.len()).collect());
            }
            looked = (self.buffer.len() + 1).saturating_sub(marker.len());
            self.fill().await?;
        }
    }

    /// So many bytes, appended to `to`, or as many as came.
    pub async fn exactly(&mut self, count: usize, to: &mut Vec<u8>) -> Read<()> {
        let mut left = count;
        loop {
            let now = left.min(self.buffer.len());
            to.extend(self.buffer.drain(..now));
            left -= now;
            if left == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    pub async fn head(&mut self) -> Read<Head> {
        let bytes = self.until(b"\r\n\r\n").await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (first, fields) = text.split_once("\r\n").unwrap();
        Ok(Head {
            first: first.to_owned(),
            fields: parse(fields),
            bytes,
        })
    }

    /// Reads what follows a head, and puts it into `content` as far as it comes.
    pub async fn content(&mut self, length: Length, content: &mut Content) -> Read<()> {
        match length {
            Length::Exactly(count) => self.exactly(count, &mut content.body).await?,
            Length::Chunks => self.chunks(content).await?,
            Length::ToEnd => loop {
                content.body.append(&mut self.buffer);
                match self.fill().await {
                    Err(end) if end == "closed" => break,
                    end => end?,
                }
            },
        }
        content.whole = true;
        Ok(())
    }

    async fn chunks(&mut self, content: &mut Content) -> Read<()> {
        loop {
            let line = self.until(b"\r\n").await?;
            content.framed.extend_from_slice(&line);
            let size = String::from_utf8_lossy(&line[..line.len() - 2]).into_owned();
            let size = size.split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size, 16).map_err(|_| format!("size {size:?}"))?;
            if size == 0 {
                break;
            }
            let before = content.body.len();
            let read = self.exactly(size, &mut content.body).await;
            content.framed.extend_from_slice(&content.body[before..]);
            read?;
            let mut end = Vec::new();
            self.exactly(2, &mut end).await?;
            content.framed.extend_from_slice(&end);
            if end != b"\r\n" {
                return Err(format!("behind a chunk: {}", end.escape_ascii()));
            }
        }
        loop {
            let line = self.until(b"\r\n").await?;
            content.framed.extend_from_slice(&line);
            if line == b"\r\n" {
                return Ok(());
            }
            content
                .trailers
                .extend(parse(&String::from_utf8_lossy(&line)));
        }
    }

    /// The response to a request, which was HEAD or not.
    pub async fn reply(&mut self, to_head: bool) -> Reply {
        let mut reply = Reply::default();
        if let Err(why) = self.read_reply(to_head, &mut reply).await {
            reply.why = why;
        }
        reply
    }

    async fn read_reply(&mut self, to_head: bool, reply: &mut Reply) -> Read<()> {
        loop {
            let head = self.head().await?;
            let status = status(&head.first).ok_or_else(|| head.first.clone())?;
            if status >= 200 || status == 101 {
                reply.status = status;
                reply.head = head;
                break;
            }
            reply.interim.push((status, head.fields));
        }
        let nothing = to_head || matches!(reply.status, 101 | 204 | 304);
        let length = if nothing {
            Length::Exactly(0)
        } else {
            reply.head.length().unwrap_or(Length::ToEnd)
        };
        self.content(length, &mut reply.content).await
    }
}

impl Head {
    /// The values of a field, whatever its case.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let named = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        let fields = self.fields.iter().filter(named);
        fields.map(|field| field.1.as_str()).collect()
    }

    /// Whether a field that is a list has this member.
    pub fn lists(&self, name: &str, member: &str) -> bool {
        let values = self.values(name);
        let mut members = values.iter().flat_map(|value| value.split(','));
        members.any(|it| it.trim().eq_ignore_ascii_case(member))
    }

    /// How much follows, as far as the head says.
    pub fn length(&self) -> Option<Length> {
        if self.lists("transfer-encoding", "chunked") {
            return Some(Length::Chunks);
        }
        let length = self.values("content-length");
        Some(Length::Exactly(length.first()?.parse().ok()?))
    }
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content.body).into_owned()
    }

    /// Whether the server says that the connection ends behind it.
    pub fn closes(&self) -> bool {
        self.head.lists("connection", "close")
    }

    /// Whether its body is a sentence for people, in JSON or on a page.
    pub fn has_sentence(&self) -> bool {
        let text = self.text();
        let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let said = json.as_ref().and_then(|it| it["message"].as_str());
        said.unwrap_or(&text).split_whitespace().count() > 3
    }
}

fn status(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.1 ");
    let rest = rest.or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    rest.get(..3)?.parse().ok()
}

fn parse(lines: &str) -> Fields {
    let lines = lines.split("\r\n").filter(|line| !line.is_empty());
    let field = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        (name.to_owned(), value.trim().to_owned())
    };
    lines.map(field).collect()
}
