//! Free ports that stay free while a program is stopped and started again.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};

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
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
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

#[cfg(test)]
mod tests {
    use super::Port;
    use std::collections::HashSet;
    use std::net::TcpListener;

    #[test]
    fn reserved_ports_differ_and_can_be_bound() {
        let ports: Vec<Port> = (0..20).map(|_| Port::reserve().unwrap()).collect();
        let numbers: HashSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
        for number in numbers {
            TcpListener::bind(("127.0.0.1", number)).unwrap();
        }
    }
}
