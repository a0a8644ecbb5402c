//! A sandbox that sends exactly what it is told, and keeps what it gets.

use crate::wire::{Content, Head, Length, Wire};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What it does with a request.
#[derive(Debug, Clone)]
pub struct Script {
    /// The whole response.
    pub bytes: Vec<u8>,
    /// Whether it closes then.
    pub close: bool,
    /// Whether the gateway may use the connection again.
    pub reusable: bool,
    /// What it does first.
    pub first: First,
    /// Whether each byte comes by itself.
    pub in_bytes: bool,
    /// What it sends later, when [`Sandbox::go_on`] is called.
    pub later: Vec<u8>,
}

/// What comes before a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// The request is read, with its body.
    Read,
    /// Nothing: the body stays where it is.
    Nothing,
    /// As [`First::Read`], and then some time passes.
    Wait(Duration),
}

/// A request that it got.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub path: String,
    pub head: Head,
    pub content: Content,
    /// Whether nothing more will come of it.
    pub over: bool,
}

/// The server; ends, with every connection, when it is dropped.
pub struct Sandbox {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    scripts: Mutex<HashMap<String, Script>>,
    seen: Mutex<Vec<Seen>>,
    wrongs: Mutex<Vec<String>>,
    idle: Option<Duration>,
    later: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

impl Script {
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self {
            bytes: bytes.as_ref().to_vec(),
            close: false,
            reusable: true,
            first: First::Read,
            in_bytes: false,
            later: Vec::new(),
        }
    }

    pub fn first(mut self, first: First) -> Self {
        self.first = first;
        self
    }

    pub fn later(mut self, bytes: &[u8]) -> Self {
        self.later = bytes.to_vec();
        self
    }
}

impl Sandbox {
    /// One that closes a connection on which nothing comes for so long.
    pub async fn start(idle: Option<Duration>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            scripts: Mutex::default(),
            seen: Mutex::default(),
            wrongs: Mutex::default(),
            idle,
            later: watch::Sender::new(false),
            tasks: Mutex::default(),
        });
        let accepting = state.clone();
        lock(&state.tasks).spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = accepting.clone();
                lock(&accepting.tasks).spawn(async move {
                    let _ = serving.serve(stream).await;
                });
            }
        });
        Self { address, state }
    }

    /// From now on this is what requests for this path get, whatever their query.
    pub fn script(&self, path: &str, script: Script) {
        lock(&self.state.scripts).insert(path.to_owned(), script);
    }

    /// All that was sent to it.
    pub fn everything(&self) -> Vec<Seen> {
        lock(&self.state.seen).clone()
    }

    /// What was sent to this target.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        let seen = lock(&self.state.seen);
        seen.iter().filter(|it| it.path == path).cloned().collect()
    }

    /// The last request for this target.
    pub fn last(&self, path: &str) -> Seen {
        self.seen(path).pop().unwrap_or_default()
    }

    /// What the gateway did that it must not.
    pub fn wrongs(&self) -> Vec<String> {
        lock(&self.state.wrongs).clone()
    }

    /// Sends what scripts have for later.
    pub fn go_on(&self) {
        self.state.later.send_replace(true);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        lock(&self.state.tasks).abort_all();
    }
}

impl State {
    async fn serve(&self, stream: TcpStream) -> Result<(), String> {
        let mut wire = Wire::over(stream, self.idle.unwrap_or(Duration::from_mins(10)));
        let mut spoilt = None;
        loop {
            let head = wire.head().await?;
            let target = head.first.split(' ').nth(1).unwrap_or_default().to_owned();
            if let Some(by) = spoilt {
                lock(&self.wrongs).push(format!("{target} came on the connection of {by}"));
                return Ok(());
            }
            let script = self.script(&target);
            let index = self.remember(&target, &head);
            if script.first == First::Nothing {
                self.over(index);
            } else {
                self.read(&mut wire, &head, index).await?;
            }
            if let First::Wait(time) = script.first {
                sleep(time).await;
            }
            if script.in_bytes {
                wire.send_in_bytes(&script.bytes).await;
            } else {
                wire.send(&script.bytes).await;
            }
            if !script.later.is_empty() {
                let mut later = self.later.subscribe();
                let _ = later.wait_for(|later| *later).await;
                wire.send(&script.later).await;
            }
            if script.close {
                wire.finish().await;
            }
            if !script.reusable {
                spoilt = Some(target);
            }
            if script.close || script.first == First::Nothing {
                // Whatever still comes is not read as a request.
                let mut rest = Vec::new();
                return wire.exactly(usize::MAX, &mut rest).await;
            }
        }
    }

    async fn read(&self, wire: &mut Wire, head: &Head, index: usize) -> Result<(), String> {
        if head.lists("expect", "100-continue") {
            wire.send("HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        let mut content = Content::default();
        let length = head.length().unwrap_or(Length::Exactly(0));
        let read = wire.content(length, &mut content).await;
        lock(&self.seen)[index].content = content;
        self.over(index);
        read
    }

    fn script(&self, target: &str) -> Script {
        let path = target.split('?').next().unwrap_or_default();
        let plain = || Script::new("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain");
        lock(&self.scripts).get(path).cloned().unwrap_or_else(plain)
    }

    fn remember(&self, target: &str, head: &Head) -> usize {
        let mut seen = lock(&self.seen);
        seen.push(Seen {
            path: target.to_owned(),
            head: head.clone(),
            ..Seen::default()
        });
        seen.len() - 1
    }

    fn over(&self, index: usize) {
        lock(&self.seen)[index].over = true;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
