//! The web service that stands for every sandbox: it answers anything with a hundred bytes.
//! Each sandbox has an address of its own, 127.1.0.1 and on, and all lead to it.

use anyhow::Result;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Starts it; answers with its port.
///
/// # Errors
/// The system's.
pub fn start() -> Result<u16> {
    let socket = TcpSocket::new_v4()?;
    // No other address leads to all of 127.0.0.0/8; what comes from elsewhere is turned away.
    socket.bind((Ipv4Addr::UNSPECIFIED, 0).into())?;
    let listener = socket.listen(4096)?;
    let port = listener.local_addr()?.port();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{:0100}", 0);
    let answer: &'static str = answer.leak();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            if peer.ip().is_loopback() {
                tokio::spawn(serve(stream, answer));
            }
        }
    });
    Ok(port)
}

/// Where the sandbox of this number finds it.
pub fn address(port: u16, sandbox: u32) -> SocketAddr {
    let first = Ipv4Addr::new(127, 1, 0, 1).to_bits();
    (Ipv4Addr::from_bits(first + sandbox), port).into()
}

/// Until the other end closes; nobody sends it a body.
async fn serve(mut stream: TcpStream, answer: &str) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut head = Vec::with_capacity(1024);
    while stream.read_buf(&mut head).await.ok()? > 0 {
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }
    None
}
