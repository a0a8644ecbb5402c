//! What systemd and this program tell each other: the socket that it kept open, and how far the
//! start or the end is. Without systemd none of it happens.

use anyhow::{Context as _, Result, bail};
use sd_notify::NotifyState;
use socket2::SockRef;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// The name of the socket to serve, where systemd passes several (`FileDescriptorName=`).
const HTTP: &str = "http";

/// Connections that may wait to be accepted, as far as `net.core.somaxconn` allows.
const BACKLOG: i32 = 4096;

/// The socket that systemd listens on for us, so that a restart refuses no connection; without
/// one, a socket of our own at `address`.
pub(super) async fn listener(address: SocketAddr) -> Result<TcpListener> {
    if let Some(listener) = passed()? {
        info!(address = %listener.local_addr()?, "listening on systemd's socket");
        return Ok(listener);
    }
    bind(address).await.with_context(|| {
        format!("cannot listen on {address}; stop what has the port, or set server.listen or HYPERVISOR_PORT")
    })
}

/// As systemd does it: more than the customary 128 may wait to be accepted, since the kernel lets
/// one above that knock for a second.
async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    SockRef::from(&listener).listen(BACKLOG)?;
    Ok(listener)
}

fn passed() -> Result<Option<TcpListener>> {
    let mut sockets = sd_listen_fds::get().context("LISTEN_FDS")?;
    let at = match sockets.len() {
        0 => return Ok(None),
        1 => 0,
        _ => {
            let named = |(name, _): &(Option<String>, _)| name.as_deref() == Some(HTTP);
            let Some(at) = sockets.iter().position(named) else {
                bail!(
                    "systemd passed {} sockets and none is named `{HTTP}`; set FileDescriptorName={HTTP} in the one to serve",
                    sockets.len()
                );
            };
            at
        }
    };
    let listener = std::net::TcpListener::from(sockets.swap_remove(at).1);
    // A copy, which unlike the original is closed in child processes.
    let usable = listener
        .local_addr()
        .and_then(|_| listener.try_clone())
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .and_then(TcpListener::from_std);
    usable.map(Some).context(
        "the socket that systemd passed is no TCP listener; mend ListenStream in its socket unit",
    )
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
