//! What systemd and this program tell each other: the sockets that it kept open, and how far the
//! start or the end is.

use crate::config;
use crate::server::Listener;
use crate::unix_socket;
use anyhow::{Context as _, Result, bail};
use rustix::net::sockopt::{socket_acceptconn, socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketType};
use sd_notify::NotifyState;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// The name of the sockets to serve, where systemd passes several (`FileDescriptorName=`).
const HTTP: &str = "http";

/// What a proxy may do at `server.proxy_socket`: this program's user, and its group.
const PROXY_MODE: u32 = 0o660;

/// The sockets that systemd listens on for us, so that a restart refuses no connection; without
/// one, a socket of our own at `server.listen`. And `server.proxy_socket`, unless it is one of
/// systemd's.
///
/// # Errors
/// One that cannot be served: whoever came to it would wait for ever.
pub(super) fn listeners(config: &config::Server) -> Result<Vec<Listener>> {
    let mut listeners = sd_listen_fds::get()
        .context("LISTEN_FDS")
        .and_then(passed)?;
    for listener in &listeners {
        info!(%listener, "listening on systemd's socket");
    }
    if listeners.is_empty() {
        let address = config.listen;
        listeners.push(bind(address).with_context(|| {
            format!("cannot listen on {address}; stop what has the port, or set server.listen or HYPERVISOR_PORT")
        })?);
    }
    if let Some(path) = &config.proxy_socket
        && !listeners.iter().any(|listener| listener.is_at(path))
    {
        let listener = unix_socket::listener(path, PROXY_MODE)
            .with_context(|| format!("server.proxy_socket: cannot listen on {}", path.display()))?;
        listeners.push(Listener::Unix(listener));
    }
    Ok(listeners)
}

fn bind(address: SocketAddr) -> io::Result<Listener> {
    let listener = std::net::TcpListener::bind(address)?;
    SockRef::from(&listener).listen(unix_socket::BACKLOG)?;
    Ok(Listener::Tcp(listener))
}

/// All sockets that systemd passed, which have one name or that of ours.
fn passed(sockets: Vec<(Option<String>, sd_listen_fds::OwnedFd)>) -> Result<Vec<Listener>> {
    let is_alone = sockets.windows(2).all(|pair| pair[0].0 == pair[1].0);
    let served = sockets.into_iter().map(|(name, socket)| {
        let name = name.unwrap_or_default();
        if !is_alone && name != HTTP {
            bail!(
                "systemd passed a socket named `{name}` among others, and nothing serves it; set FileDescriptorName={HTTP} in its socket unit, or take the service out of it"
            );
        }
        // A copy, which unlike the original is closed in child processes.
        let socket = socket.into_std().try_clone();
        socket.map_err(Into::into).and_then(listening).with_context(|| {
            format!("the socket `{name}` that systemd passed cannot be served")
        })
    });
    served.collect()
}

fn listening(socket: OwnedFd) -> Result<Listener> {
    if socket_type(&socket)? != SocketType::STREAM || !socket_acceptconn(&socket)? {
        bail!("it is no stream that listens; give its socket unit ListenStream= and Accept=no");
    }
    match socket_domain(&socket)? {
        AddressFamily::INET | AddressFamily::INET6 => Ok(Listener::Tcp(socket.into())),
        AddressFamily::UNIX => Ok(Listener::Unix(socket.into())),
        _ => bail!("it is neither TCP nor a Unix socket; mend ListenStream= in its socket unit"),
    }
}

/// Says that it serves; that it stops, once `stop` is cancelled; and until then that it is not
/// stuck, as often as the unit's `WatchdogSec` wants to hear it.
pub(super) fn ready(stop: CancellationToken) {
    tell(NotifyState::Ready);
    tokio::spawn(async move {
        let watched = async {
            let Some(limit) = sd_notify::watchdog_enabled() else {
                return std::future::pending().await;
            };
            loop {
                tell(NotifyState::Watchdog);
                tokio::time::sleep(limit / 3).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => tell(NotifyState::Stopping),
            () = watched => {}
        }
    });
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "systemd does not hear us on NOTIFY_SOCKET");
    }
}
