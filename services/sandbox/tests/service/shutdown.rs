use crate::{Sandbox, kinds};
use anyhow::{Context, Result};
use futures_util::StreamExt;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

#[tokio::test]
async fn sigterm_ends_streams_and_sockets_in_order_and_exits_with_0() -> Result<()> {
    let mut sandbox = Sandbox::start().await?;
    let mut stream = sandbox.client.events("/logs/events?after=1", None).await?;
    stream.next().await?.context("who answers")?;
    let mut socket = sandbox.client.websocket("/ws/logs/events?after=1").await?;
    sandbox.process.sigterm()?;
    assert_eq!(stream.next().await?, None, "a clean end");
    let close = socket.next().await.context("no close")??;
    let Message::Close(Some(frame)) = close else {
        panic!("{close:?}")
    };
    assert_eq!(frame.code, CloseCode::Away);
    assert!(socket.next().await.transpose()?.is_none());
    assert_eq!(sandbox.process.wait_exit().await?.code(), Some(0));
    let wal = std::fs::metadata(sandbox.dir.path().join("data/events.db-wal"));
    assert!(
        wal.is_err() || wal.is_ok_and(|wal| wal.len() == 0),
        "no checkpoint"
    );
    Ok(())
}

#[tokio::test]
async fn sigint_ends_it_too() -> Result<()> {
    let mut sandbox = Sandbox::start().await?;
    sandbox.process.signal(Signal::INT)?;
    assert_eq!(sandbox.process.wait_exit().await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_under_way_at_sigterm_is_finished() -> Result<()> {
    let mut sandbox = Sandbox::start().await?;
    let body = r#"{"kind":"last.words"}"#;
    let (first, second) = body.split_at(8);
    let mut connection = TcpStream::connect(sandbox.address).await?;
    let head = format!(
        "POST /logs/events HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    // The interim response says that the request has reached its handler.
    let mut interim = [0; 25];
    connection.read_exact(&mut interim).await?;
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(first.as_bytes()).await?;
    sandbox.process.sigterm()?;
    sandbox
        .process
        .stderr_line(|line| line.contains("stopping"))
        .await?;
    connection.write_all(second.as_bytes()).await?;
    let mut response = String::new();
    connection.read_to_string(&mut response).await?;
    assert!(response.starts_with("HTTP/1.1 201"), "{response}");
    assert_eq!(sandbox.process.wait_exit().await?.code(), Some(0));
    let sandbox = Sandbox::start_in(sandbox.dir).await?;
    let log = sandbox.log().await?;
    assert_eq!(
        kinds(&log),
        ["system.startup", "last.words", "system.startup"]
    );
    Ok(())
}
