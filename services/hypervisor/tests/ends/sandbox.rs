//! A sandbox whose every response lasts, and which tells when each of them is over.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use testkit::wait::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

/// A request, and whatever came on its connection behind the head.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub path: String,
    pub bytes: Vec<u8>,
    /// Whether the gateway has closed its side.
    pub over: bool,
}

#[derive(Clone)]
pub struct Sandbox {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    events: broadcast::Sender<()>,
}

impl Sandbox {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let sandbox = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            events: broadcast::channel(16).0,
        };
        let this = sandbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                tokio::spawn(async move { this.serve(stream).await });
            }
        });
        sandbox
    }

    /// Has each open stream of events go on.
    pub fn emit(&self) {
        let _ = self.events.send(());
    }

    /// Waits for the request of this path.
    pub async fn asked(&self, path: &str) {
        let asked = async || self.find(path);
        eventually(path, asked).await.unwrap();
    }

    /// Waits until the gateway has closed the connection of this path.
    pub async fn over(&self, path: &str) -> Seen {
        let over = async || self.find(path).filter(|seen| seen.over);
        eventually(path, over).await.unwrap()
    }

    pub fn find(&self, path: &str) -> Option<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().find(|seen| seen.path == path).cloned()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        loop {
            let end = loop {
                let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
                if let Some(end) = end {
                    break end + 4;
                }
                if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                    return;
                }
            };
            let head: Vec<u8> = bytes.drain(..end).collect();
            let head = String::from_utf8(head).unwrap();
            let path = head.split(' ').nth(1).unwrap().to_owned();
            let kind = path.split('/').nth(1).unwrap_or_default();
            let Some(begun) = begun(kind) else {
                let health = r#"{"status":"healthy"}"#;
                let length = health.len();
                let response =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{health}");
                stream.write_all(response.as_bytes()).await.unwrap();
                continue;
            };
            stream.write_all(begun.as_bytes()).await.unwrap();
            if kind == "flood" {
                self.flood(&mut stream, path).await;
                return;
            }
            return self.last(stream, path, bytes).await;
        }
    }

    /// Sends without end.
    async fn flood(&self, stream: &mut TcpStream, path: String) {
        let at = self.remember(path, Vec::new());
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        self.change(at, |seen| seen.over = true);
    }

    fn remember(&self, path: String, bytes: Vec<u8>) -> usize {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let over = false;
        seen.push(Seen { path, bytes, over });
        seen.len() - 1
    }

    fn change(&self, at: usize, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner)[at]);
    }

    /// Keeps what comes, echoes what comes through tunnels, and goes on with events.
    async fn last(&self, mut stream: TcpStream, path: String, bytes: Vec<u8>) {
        let (goes_on, echoes) = (path.starts_with("/events"), path.starts_with("/tunnel"));
        let at = self.remember(path, bytes);
        let mut events = self.events.subscribe();
        let mut chunk = vec![0; 4096];
        loop {
            tokio::select! {
                read = stream.read(&mut chunk) => match read {
                    Ok(count @ 1..) => {
                        self.change(at, |seen| seen.bytes.extend_from_slice(&chunk[..count]));
                        if echoes {
                            let _ = stream.write_all(&chunk[..count]).await;
                        }
                    }
                    _ => return self.change(at, |seen| seen.over = true),
                },
                _ = events.recv(), if goes_on => {
                    let _ = stream.write_all(b"c\r\ndata: more\n\n\r\n").await;
                }
            }
        }
    }
}

/// What it sends at once, of what lasts.
fn begun(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "websocket" => {
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\u{1}\u{5}hello"
        }
        "half" => {
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\u{1}\u{a}hello"
        }
        "tunnel" => {
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n\r\nhello"
        }
        "events" => {
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
             d\r\ndata: hello\n\n\r\n"
        }
        "flood" => "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nhello",
        "download" => "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello",
        "poll" | "upload" => "",
        _ => return None,
    })
}
