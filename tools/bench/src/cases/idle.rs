//! The cost of a client that has nothing to say: what a kept connection takes in memory.

use crate::fleet::Fleet;
use crate::goal::{Bound, Goal};
use crate::load::{Wrk, check};
use crate::proc;
use crate::progress::say;
use crate::rounds::{Measured, enter};
use crate::settings::Settings;
use crate::table::{Figure, Table};
use crate::target::{HAPROXY, Target};
use crate::upstream::{self, SMALL};
use anyhow::{Context, Result, ensure};
use std::io::ErrorKind;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

const CONNECTIONS: usize = 10_000;
/// How many are opened at once.
const OPENING: usize = 50;
const FILES_BESIDE: usize = 1000;
/// What a server may do after the last request before its memory is read.
const REST: Duration = Duration::from_secs(2);
const PER_CONNECTION: &str = "KiB/connection";
const FIGURES: &[Figure] = &[
    Figure::new(PER_CONNECTION, 2),
    Figure::new("MiB before", 1),
    Figure::new("MiB with all", 1),
];
const GOAL: Goal = Goal {
    figure: PER_CONNECTION,
    bound: Bound::AtMost(2.0),
    peers: &[HAPROXY],
};

/// Each round has new servers: one that has had so many connections keeps memory for more.
pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    crate::files::allow((CONNECTIONS + FILES_BESIDE).try_into()?)?;
    let upstream = upstream::start().await.context("start the upstream")?;
    let title = format!("idle: {CONNECTIONS} connections after one request each");
    let mut table = Table::new(&title, FIGURES).with_goals(&[GOAL]);
    for round in 1..=settings.rounds {
        let fleet = Fleet::start(settings, upstream.address()).await?;
        for target in fleet.targets() {
            let Some(pid) = target.pid else { continue };
            say(format_args!("{title}, round {round}, {}", target.name));
            let measured = measure(&target, pid).await.context(target.name)?;
            enter(&mut table, target.name, measured);
        }
    }
    Ok(vec![table])
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
async fn measure(target: &Target, pid: u32) -> Result<Measured> {
    warm_up(target).await?;
    sleep(REST).await;
    let begun = Instant::now();
    let before = proc::memory(pid)?;
    let connections = open(target).await?;
    sleep(REST).await;
    let with_all = proc::memory(pid)?;
    let closed = connections.iter().filter(|it| is_closed(it)).count();
    let mib = |bytes: u64| Some(bytes as f64 / f64::from(1 << 20));
    let each = (with_all as f64 - before as f64) / 1024.0 / CONNECTIONS as f64;
    Ok(Measured {
        values: vec![Some(each), mib(before), mib(with_all)],
        fault: (closed > 0).then(|| format!("{closed} closed")),
        took: begun.elapsed(),
    })
}

/// What every server needs once, whoever comes, is not the connections'.
async fn warm_up(target: &Target) -> Result<()> {
    let load = super::small::load(64);
    let dir = tempfile::tempdir().context("make a folder")?;
    check(&load, target).await?;
    let wrk = Wrk::new(dir.path())?;
    wrk.run(&load, target, Duration::from_secs(1)).await?;
    Ok(())
}

async fn open(target: &Target) -> Result<Vec<TcpStream>> {
    let mut open = Vec::with_capacity(CONNECTIONS);
    while open.len() < CONNECTIONS {
        let batch = (0..OPENING).map(|_| one(target.clone()));
        let mut batch = batch.collect::<JoinSet<_>>();
        while let Some(stream) = batch.join_next().await {
            open.push(stream?.context("an idle connection")?);
        }
    }
    Ok(open)
}

async fn one(target: Target) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(target.address).await?;
    let (host, cookie) = (target.host(), &target.cookie);
    let request = format!("GET /small HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(1024);
    while !is_whole(&answer) {
        ensure!(stream.read_buf(&mut answer).await? > 0, "closed");
    }
    ensure!(answer.starts_with(b"HTTP/1.1 200 "), "not 200");
    Ok(stream)
}

/// Whether the head and the small body behind it have come.
fn is_whole(answer: &[u8]) -> bool {
    const END: &[u8] = b"\r\n\r\n";
    let end = answer.windows(END.len()).position(|it| it == END);
    end.is_some_and(|end| answer.len() >= end + END.len() + SMALL)
}

/// Nothing more is sent on an idle connection, so what can be read is its end.
fn is_closed(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0]);
    !read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}
