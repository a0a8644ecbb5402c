//! Free ports that stay free while a program is stopped and started again.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

/// Below the range from which the kernel takes the ports of outgoing connections, so that no
/// client's connection sits on a port between two starts of its server.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port on 127.0.0.1 that no other test takes while this lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// An advisory lock, which ends with this process however it ends.
    _lock: File,
}

impl Port {
    /// Reserves one.
    ///
    /// # Errors
    /// No folder for the locks could be made, or every port is taken.
    pub fn reserve() -> Result<Self> {
        let user = rustix::process::getuid().as_raw();
        let dir = std::env::temp_dir().join(format!("choiros-test-ports-{user}"));
        std::fs::create_dir_all(&dir).context("make the folder for port locks")?;
        let width = u32::from(RANGE.end - RANGE.start);
        let first = std::process::id().wrapping_mul(37) % width;
        for offset in 0..width {
            let number = RANGE.start + u16::try_from((first + offset) % width)?;
            let lock = File::create(dir.join(number.to_string()))?;
            if lock.try_lock().is_err() {
                continue;
            }
            if is_free((Ipv4Addr::LOCALHOST, number).into()) {
                return Ok(Self {
                    number,
                    _lock: lock,
                });
            }
        }
        bail!("no free port in {RANGE:?}")
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// Whether something could listen there. Nothing does so for that, not even for a moment: until
/// it runs its program, a child that is started meanwhile has all our sockets, and would keep one
/// that listens from letting others do so.
fn is_free(address: SocketAddr) -> bool {
    let bound = TcpSocket::new_v4().and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)
    });
    bound.is_ok()
}

/// Listens where something may have listened until now, a copy of which a child has that does not
/// run its program yet.
///
/// # Errors
/// Something else listens there.
pub async fn listen_again(address: SocketAddr) -> io::Result<TcpListener> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            bound => return bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Port, listen_again};
    use crate::process::while_children_are_started;
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};

    #[test]
    fn reserved_ports_differ_and_can_be_bound() {
        let ports: Vec<Port> = (0..20).map(|_| Port::reserve().unwrap()).collect();
        let numbers: HashSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
        for number in numbers {
            TcpListener::bind(("127.0.0.1", number)).unwrap();
        }
    }

    #[test]
    fn a_reserved_port_can_be_bound_while_children_are_started() {
        while_children_are_started(|| {
            for _ in 0..4000 {
                let port = Port::reserve().unwrap();
                TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).unwrap();
            }
        });
    }

    #[test]
    fn a_server_comes_back_at_its_port_while_children_are_started() {
        let port = Port::reserve().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        while_children_are_started(|| {
            for _ in 0..2000 {
                drop(runtime.block_on(listen_again(address)).unwrap());
            }
        });
    }
}
