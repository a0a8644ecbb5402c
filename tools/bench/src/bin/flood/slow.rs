//! Attacks over HTTP/1.1: heads that come byte by byte, bodies that are taken slowly, and bodies
//! that come fast.

use crate::attack::{Begun, Target};
use anyhow::{Result, ensure};
use bench::client::{Client, Stream};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::{interval, sleep};

/// Clients that send a byte of their head each second.
const SLOW_HEADS: usize = 1000;
/// Clients that take a kilobyte of their megabyte each second.
const SLOW_READERS: usize = 1000;
/// Clients that send large bodies, 50 MB a second together.
const UPLOADERS: usize = 8;
/// All of them.
pub const ATTACKERS: usize = SLOW_HEADS + SLOW_READERS + UPLOADERS;

/// A second's share of one uploader is a hundred pieces.
const PIECE: usize = 50_000_000 / UPLOADERS / 100;
const BODY: usize = 16 * PIECE;
const SECOND: Duration = Duration::from_secs(1);

/// The attack of one of them, until it is cut off.
pub async fn attack(number: usize, target: &Target, begun: &Begun) -> Result<()> {
    match number {
        0..SLOW_HEADS => slow_head(target, begun).await,
        SLOW_HEADS..2000 => slow_reader(target, begun).await,
        _ => upload(target, begun).await,
    }
}

async fn slow_head(target: &Target, begun: &Begun) -> Result<()> {
    let mut stream = TcpSocket::new_v4()?.connect(target.address).await?;
    let begin = format!("GET / HTTP/1.1\r\n{}X: ", target.headers);
    stream.write_all(begin.as_bytes()).await?;
    begun.fetch_add(1, Ordering::Relaxed);
    loop {
        sleep(SECOND).await;
        stream.write_all(b"x").await?;
    }
}

async fn slow_reader(target: &Target, begun: &Begun) -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    // Or the kernel would take the whole response for it.
    socket.set_recv_buffer_size(4096)?;
    let mut stream = socket.connect(target.address).await?;
    let request = format!("GET /picture HTTP/1.1\r\n{}\r\n", target.headers);
    stream.write_all(request.as_bytes()).await?;
    let mut kilobyte = [0; 1024];
    ensure!(stream.read(&mut kilobyte).await? > 0, "closed");
    begun.fetch_add(1, Ordering::Relaxed);
    loop {
        sleep(SECOND).await;
        ensure!(stream.read(&mut kilobyte).await? > 0, "closed");
    }
}

async fn upload(target: &Target, begun: &Begun) -> Result<()> {
    let stream = TcpSocket::new_v4()?.connect(target.address).await?;
    let mut client = Client::over(Stream::Plain(stream));
    begun.fetch_add(1, Ordering::Relaxed);
    let piece = vec![b'x'; PIECE];
    let mut pace = interval(SECOND / 100);
    let headers = &target.headers;
    let head = format!("POST /post HTTP/1.1\r\n{headers}Content-Length: {BODY}\r\n\r\n");
    loop {
        client.send(head.as_bytes()).await?;
        for _ in 0..BODY / PIECE {
            pace.tick().await;
            client.send(&piece).await?;
        }
        ensure!(client.response().await?.status == 200, "refused");
    }
}
