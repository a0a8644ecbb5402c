//! HTTP/2 frame by frame, for what no client library would send.

use crate::wire::{DEADLINE, Wire};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
/// Of SETTINGS and PING.
pub const ACK: u8 = 1;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A header block: each field literal, without indexing or Huffman's code.
pub fn block(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127, "a length in one byte");
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text);
        }
    }
    block
}

/// What a server makes of a stream.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Verdict {
    Status(u16),
    Reset(u32),
    GoAway(u32),
    /// The connection ends without a word, or nothing comes.
    Nothing(String),
}

/// Sends these frames behind the preface, and waits for what comes of stream 1.
pub async fn ask(address: SocketAddr, frames: &[u8]) -> Verdict {
    let mut wire = Wire::connect(address).await;
    let settings = frame(SETTINGS, 0, 0, &[]);
    wire.send([PREFACE, &settings, frames].concat()).await;
    match verdict(&mut wire).await {
        Ok(verdict) => verdict,
        Err(why) => Verdict::Nothing(why),
    }
}

async fn verdict(wire: &mut Wire) -> Result<Verdict, String> {
    loop {
        let (mut head, mut payload) = (Vec::new(), Vec::new());
        wire.exactly(9, &mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        wire.exactly(length as usize, &mut payload).await?;
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        match head[3] {
            HEADERS => match status(&payload) {
                Some(status) if status < 200 => {}
                Some(status) => return Ok(Verdict::Status(status)),
                None => return Err(format!("no status in {payload:?}")),
            },
            RST_STREAM => return Ok(Verdict::Reset(number(0))),
            GOAWAY => return Ok(Verdict::GoAway(number(4))),
            SETTINGS if head[4] & ACK == 0 => {
                wire.send(frame(SETTINGS, ACK, 0, &[])).await;
            }
            _ => {}
        }
    }
}

/// The status of a connection's first response, of which it is the first field.
fn status(block: &[u8]) -> Option<u16> {
    let known = [200, 204, 206, 304, 400, 404, 500];
    match block {
        [first @ 0x88..=0x8e, ..] => Some(known[usize::from(first - 0x88)]),
        // A literal with the name `:status`.
        [0x08 | 0x18 | 0x48, length, rest @ ..] => {
            let text = rest.get(..usize::from(length & 0x7f))?;
            if length & 0x80 == 0 {
                return str::from_utf8(text).ok()?.parse().ok();
            }
            Some(digits(text))
        }
        _ => None,
    }
}

/// Three digits in Huffman's code: 0 to 2 have five bits, the others six (RFC 7541, appendix B).
fn digits(code: &[u8]) -> u16 {
    let bits = code
        .iter()
        .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    let mut left = code.len() * 8;
    let mut number = 0;
    for _ in 0..3 {
        let five = (bits >> (left - 5)) & 0x1f;
        let digit = if five <= 2 {
            left -= 5;
            five
        } else {
            left -= 6;
            ((bits >> left) & 0x3f) - 0x19 + 3
        };
        number = number * 10 + digit;
    }
    u16::try_from(number).unwrap()
}

/// Sends a frame again and again, up to so often; how the server ends it, if it does.
pub async fn flood(address: SocketAddr, start: &[u8], frames: &[u8], times: usize) -> Verdict {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let settings = frame(SETTINGS, 0, 0, &[]);
    let start = [PREFACE, &settings, start].concat();
    stream.write_all(&start).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let batch = frames.repeat(100);
    let sending = tokio::spawn(async move {
        for _ in 0..times.div_ceil(100) {
            if write.write_all(&batch).await.is_err() {
                return None;
            }
        }
        // Kept, so that who did not mind goes on.
        Some(write)
    });
    let mut came = Vec::new();
    let mut at = 0;
    let listening = async {
        loop {
            while let Some(head) = came.get(at..at + 9) {
                let head: &[u8] = head;
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                let Some(payload) = came.get(at + 9..at + 9 + length) else {
                    break;
                };
                if head[3] == GOAWAY {
                    let code = payload[4..8].try_into().unwrap();
                    return Verdict::GoAway(u32::from_be_bytes(code));
                }
                at += 9 + length;
            }
            match read.read_buf(&mut came).await {
                Ok(0) => return Verdict::Nothing("closed".into()),
                Ok(_) => {}
                Err(error) => return Verdict::Nothing(error.to_string()),
            }
        }
    };
    let verdict = timeout(DEADLINE, listening).await;
    sending.abort();
    verdict.unwrap_or_else(|_| Verdict::Nothing("goes on".into()))
}
