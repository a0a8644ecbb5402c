//! One HTTP/1.1 connection to the hypervisor, spoken by hand: cheap enough for a million
//! requests, and with no retry or pool of its own that would hide what happens.

use super::ledger::From;
use super::types::{Role, Run};
use bytes::{Buf, Bytes, BytesMut};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    /// What was read and not yet taken.
    buffer: BytesMut,
}

/// The head of an answer.
pub(super) struct Head {
    pub(super) status: u16,
    /// Who answered, if it said so.
    pub(super) from: Option<From>,
    /// Which run of its program, if it said so.
    pub(super) run: Option<Run>,
    pub(super) body: Body,
    /// Whether this is the connection's last answer.
    pub(super) close: bool,
}

/// How much of a body is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    /// So many bytes of a chunk, and then more chunks.
    Chunk(u64),
}

/// Why there is no head of an answer.
pub(super) struct Died {
    /// Not a byte of it came.
    pub(super) silent: bool,
    pub(super) cause: String,
}

impl Wire {
    pub(super) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let buffer = BytesMut::with_capacity(16 * 1024);
        Ok(Self { stream, buffer })
    }

    /// Whether the far end has neither closed it nor said anything that nobody asked for.
    pub(super) fn is_quiet(&self) -> bool {
        let peeked = self.stream.try_read(&mut [0]);
        self.buffer.is_empty() && peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next answer's head.
    pub(super) async fn head(&mut self) -> Result<Head, Died> {
        loop {
            match parse(&self.buffer) {
                Ok(Some((head, length))) => {
                    self.buffer.advance(length);
                    return Ok(head);
                }
                Ok(None) => {}
                Err(cause) => return Err(self.died(cause.to_string())),
            }
            if let Err(error) = self.fill().await {
                return Err(self.died(error.to_string()));
            }
        }
    }

    fn died(&self, cause: String) -> Died {
        let silent = self.buffer.is_empty();
        Died { silent, cause }
    }

    /// The next piece of a body; none at its end.
    pub(super) async fn piece(&mut self, body: &mut Body) -> io::Result<Option<Bytes>> {
        if *body == Body::Chunk(0) {
            let size = chunk_size(&self.line().await?);
            let size = size.ok_or_else(|| invalid("no chunk begins here"))?;
            if size == 0 {
                while !self.line().await?.is_empty() {} // Trailers.
                *body = Body::Length(0);
            } else {
                *body = Body::Chunk(size);
            }
        }
        let (Body::Length(left) | Body::Chunk(left)) = body;
        if *left == 0 {
            return Ok(None);
        }
        if self.buffer.is_empty() {
            self.fill().await?;
        }
        let taken = usize::try_from(*left).unwrap_or(usize::MAX);
        let taken = self.buffer.split_to(taken.min(self.buffer.len()));
        *left -= taken.len() as u64;
        if *body == Body::Chunk(0) && !self.line().await?.is_empty() {
            return Err(invalid("a chunk does not end where it should"));
        }
        Ok(Some(taken.freeze()))
    }

    /// The whole rest of a body.
    pub(super) async fn rest(&mut self, body: &mut Body) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece(body).await? {
            bytes.extend(piece);
        }
        Ok(bytes)
    }

    /// What is under it, and what was read too much.
    pub(super) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.buffer.to_vec())
    }

    /// A line, without its end.
    async fn line(&mut self) -> io::Result<BytesMut> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer.split_to(end);
                self.buffer.advance(2);
                return Ok(line);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(4096);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "closed")),
            _ => Ok(()),
        }
    }
}

/// The number that a chunk's line begins with, whatever else it says.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?;
    u64::from_str_radix(str::from_utf8(digits).ok()?.trim(), 16).ok()
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// A head and its length, once it is whole.
fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, httparse::Error> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else {
        return Ok(None);
    };
    let value = |name: &str| {
        let mut headers = response.headers.iter();
        let found = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        str::from_utf8(found.value).ok()
    };
    let from = || {
        Some(From {
            sandbox: Role::of_sandbox(value("x-sandbox")?)?,
            role: Role::of(value("x-role")?)?,
            generation: value("x-generation")?.parse().ok()?,
        })
    };
    let body = match value("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => Body::Length(length),
        None if value("transfer-encoding").is_some() => Body::Chunk(0),
        None => Body::Length(0),
    };
    let head = Head {
        status: response.code.unwrap_or_default(),
        from: from(),
        run: value("x-run").and_then(Run::of),
        body,
        close: value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
    };
    Ok(Some((head, length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// A connection to someone who says this, byte by byte, and closes.
    async fn said(bytes: &'static [u8]) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (wire, accepted) = tokio::join!(Wire::connect(address), listener.accept());
        let (mut stream, _) = accepted.unwrap();
        tokio::spawn(async move {
            for byte in bytes.chunks(1) {
                stream.write_all(byte).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        wire.unwrap()
    }

    #[tokio::test]
    async fn heads_and_bodies_of_both_kinds_are_read() {
        let mut wire = said(
            b"HTTP/1.1 200 OK\r\nX-Sandbox: sandbox-dev\r\nx-role: live\r\nx-generation: 12\r\n\
              Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0b;x=y\r\n, everybody\r\n0\r\n\r\n\
              HTTP/1.1 503 Nope\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
        )
        .await;
        let mut head = wire.head().await.ok().unwrap();
        let from = head.from.unwrap();
        assert_eq!((head.status, head.close), (200, false));
        assert_eq!((from.sandbox, from.role), (Role::Dev, Role::Live));
        assert_eq!(from.generation, 12);
        assert_eq!(
            wire.rest(&mut head.body).await.unwrap(),
            b"hello, everybody"
        );
        let mut head = wire.head().await.ok().unwrap();
        assert_eq!((head.status, head.close), (503, true));
        assert!(head.from.is_none());
        assert_eq!(wire.rest(&mut head.body).await.unwrap(), b"abc");
        let died = wire.head().await.err().unwrap();
        assert!(died.silent);
        assert!(!wire.is_quiet());
    }

    #[tokio::test]
    async fn what_is_cut_is_no_end() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhal\r\n",
        ] {
            let mut wire = said(bytes).await;
            let mut head = wire.head().await.ok().unwrap();
            assert!(wire.rest(&mut head.body).await.is_err());
        }
        let died = said(b"HTTP/1.1 20").await.head().await.err().unwrap();
        assert!(!died.silent);
    }
}
