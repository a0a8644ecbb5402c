//! Ports that a sandbox can listen at.

use super::super::Spec;
use crate::config::Address;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// How many free ports of one family are tried in the other.
const PORTS: usize = 16;

/// Where nothing listens now: at the declared port, or at any. A declared one that is taken
/// is refused, so that whatever has it is never mistaken for the sandbox. Should something take
/// the port before the child does, then the child dies of that, and is started again.
pub(super) fn free_address(spec: &Spec) -> Result<Address, String> {
    let Some(wanted) = spec.declared.listens() else {
        return free_port();
    };
    let is_other_familys = |place: &SocketAddr| *place != wanted.first();
    for place in wanted.places() {
        match bind(place) {
            // Without the family there is nobody in it either.
            Err(error) if is_other_familys(&place) && error.kind() != ErrorKind::AddrInUse => {}
            bound => {
                bound.map_err(|error| {
                    format!(
                        "it cannot listen at {place}: {error}; free that port, or give it another"
                    )
                })?;
            }
        }
    }
    Ok(wanted)
}

/// A port that is free in both families.
fn free_port() -> Result<Address, String> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut why = String::new();
    for _ in 0..PORTS {
        let port = bind(any).map_err(|error| format!("no port is free for it: {error}"))?;
        let address = Address::Localhost(port);
        match bind((Ipv6Addr::LOCALHOST, port).into()) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => why = error.to_string(),
            _ => return Ok(address),
        }
    }
    Err(format!("no port is free for it in both families: {why}"))
}

/// The port that could be listened at there. Nothing listens, not even for a moment: until it
/// runs its program, a child that is started meanwhile has all our sockets, and would keep one
/// that listens from letting others do so.
fn bind(place: SocketAddr) -> io::Result<u16> {
    let socket = Socket::new(Domain::for_address(place), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&place.into())?;
    let bound = socket.local_addr()?.as_socket();
    Ok(bound.map_or(0, |bound| bound.port()))
}

#[cfg(test)]
mod tests {
    use super::bind;
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};
    use testkit::process::while_children_are_started;

    #[test]
    fn a_port_that_was_looked_at_can_be_listened_at_while_children_are_started() {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        while_children_are_started(|| {
            for _ in 0..4000 {
                let port = bind(any).unwrap();
                TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
            }
        });
    }
}
