//! A WebSocket server that sends every message back, on a thread of its own.

use crate::frames;
use crate::threads::Threads;
use anyhow::Result;
use std::net::{Ipv4Addr, SocketAddr};
use testkit::port::Port;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What anybody else gets, such as who asks whether it is well.
const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwell";
const BACKLOG: u32 = 4096;

/// A running echo. Dropped, it ends.
#[derive(Debug)]
pub struct Echo {
    port: Port,
    _threads: Threads,
}

impl Echo {
    /// Starts it.
    ///
    /// # Errors
    /// No port or no thread is to be had.
    pub fn start() -> Result<Self> {
        let port = Port::reserve()?;
        let threads = Threads::new("echo", 1)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        let listener = {
            let _inside = threads.handle().enter();
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)?
        };
        threads.handle().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that goes away, goes away.
                tokio::spawn(async { serve(stream).await.ok() });
            }
        });
        Ok(Self {
            port,
            _threads: threads,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.number()).into()
    }

    /// What is measured of it, for tests.
    #[cfg(test)]
    pub(crate) fn target(&self) -> crate::target::Target {
        crate::target::Target {
            name: "echo",
            address: self.address(),
            host_name: "localhost".into(),
            tls: None,
            pids: Vec::new(),
            cookie: "a=1".into(),
            checks_session: false,
        }
    }
}

async fn serve(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let head = read_head(&mut stream).await?;
    let Some(key) = header(&head, "sec-websocket-key") else {
        stream.write_all(WELL).await?;
        return Ok(());
    };
    let accept = derive_accept_key(key.as_bytes());
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(response.as_bytes()).await?;
    echo(stream).await
}

async fn echo(mut stream: TcpStream) -> Result<()> {
    let (mut input, mut output) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
    while stream.read_buf(&mut input).await? > 0 {
        while let Some(frame) = frames::parse(&input)? {
            let Some(message) = frame.message else {
                return Ok(());
            };
            frames::push(&mut output, &message)?;
            input.drain(..frame.size);
        }
        stream.write_all(&output).await?;
        output.clear();
    }
    Ok(())
}

/// Reads up to the empty line, after which nobody sends anything before our response.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Result<String> {
    let mut head = Vec::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        anyhow::ensure!(stream.read_buf(&mut head).await? > 0, "closed");
        anyhow::ensure!(head.len() < 16 * 1024, "a head without an end");
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::Echo;
    use testkit::client::Client;

    #[tokio::test]
    async fn who_is_no_websocket_hears_that_it_is_well() {
        let echo = Echo::start().unwrap();
        let client = Client::new(&format!("http://localhost:{}", echo.address().port()));
        assert_eq!(client.get("/").await.unwrap().text(), "well");
    }
}
