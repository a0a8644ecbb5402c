//! What systemd and this program tell each other: the sockets that it kept open, and how far the
//! start or the end is.

use crate::config::Config;
use crate::forwarding::Forwarding;
use crate::server::{GATEWAY, HTTP, HTTPS, Kind, Listener, REDIRECT, Socket};
use crate::tls::Tls;
use crate::unix_socket;
use anyhow::{Context as _, Result, bail};
use rustix::net::sockopt::{socket_acceptconn, socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketType};
use sd_notify::NotifyState;
use socket2::SockRef;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What a proxy may do at `server.proxy_socket`: this program's user, and its group.
const PROXY_MODE: u32 = 0o660;

/// The sockets that systemd listens on for us, so that a restart refuses no connection; without
/// one, sockets of our own at `server.listen` and `tls.http_listen`. And `server.proxy_socket`,
/// unless it is one of systemd's.
///
/// # Errors
/// One that cannot be served: whoever came to it would wait for ever.
pub(super) fn listeners(
    config: &Config,
    tls: Option<&Arc<Tls>>,
    forwarding: Option<&Arc<Forwarding>>,
) -> Result<Vec<Listener>> {
    let mut listeners = sd_listen_fds::get()
        .context("LISTEN_FDS")
        .and_then(|sockets| passed(sockets, tls, forwarding))?;
    for listener in &listeners {
        info!(%listener, speaks = %listener.kind(), "listening on systemd's socket");
    }
    let is_redirect = |listener: &Listener| matches!(listener.kind(), Kind::Redirect);
    let is_gateways = |listener: &Listener| matches!(listener.kind(), Kind::Gateway(_));
    if listeners
        .iter()
        .all(|it| is_redirect(it) || is_gateways(it))
    {
        let kind = tls.cloned().map_or(Kind::Http, Kind::Https);
        listeners.push(bind(
            config.server.listen,
            kind,
            "server.listen or HYPERVISOR_PORT",
        )?);
    }
    if !listeners.iter().any(is_redirect) {
        for address in &config.tls.http_listen {
            listeners.push(bind(*address, Kind::Redirect, "tls.http_listen")?);
        }
    }
    let is_https = |listener: &Listener| matches!(listener.kind(), Kind::Https(_));
    if tls.is_some() && !listeners.iter().any(is_https) {
        bail!(
            "there is a certificate in [tls], and none of the sockets that systemd passed is for it; set FileDescriptorName={HTTPS} in the socket unit of port 443, or take [tls] out"
        );
    }
    if let Some((address, forwarding)) = config.cluster.address.zip(forwarding)
        && !listeners.iter().any(is_gateways)
    {
        let kind = Kind::Gateway(forwarding.clone());
        listeners.push(bind(address, kind, "cluster.address")?);
    }
    if let Some(path) = &config.server.proxy_socket
        && !listeners.iter().any(|listener| listener.is_at(path))
    {
        let socket = unix_socket::listener(path, PROXY_MODE)
            .with_context(|| format!("server.proxy_socket: cannot listen on {}", path.display()))?;
        listeners.push(Listener::new(Socket::Unix(socket), Kind::Http));
    }
    Ok(listeners)
}

fn bind(address: SocketAddr, kind: Kind, keys: &str) -> Result<Listener> {
    let bound = std::net::TcpListener::bind(address).and_then(|socket| {
        SockRef::from(&socket).listen(unix_socket::BACKLOG)?;
        Ok(Listener::new(Socket::Tcp(socket), kind))
    });
    bound.with_context(|| {
        format!("cannot listen on {address}; stop what has the port, or set {keys}")
    })
}

/// All sockets that systemd passed, which have one name or are each named by what they are for.
fn passed(
    sockets: Vec<(Option<String>, sd_listen_fds::OwnedFd)>,
    tls: Option<&Arc<Tls>>,
    forwarding: Option<&Arc<Forwarding>>,
) -> Result<Vec<Listener>> {
    let is_alone = sockets.windows(2).all(|pair| pair[0].0 == pair[1].0);
    let served = sockets.into_iter().map(|(name, socket)| {
        let name = name.unwrap_or_default();
        // A copy, which unlike the original is closed in child processes.
        let socket = socket.into_std().try_clone();
        let socket = socket.map_err(Into::into).and_then(listening);
        socket
            .and_then(|socket| {
                let kind = match (&*name, forwarding) {
                    (GATEWAY, Some(forwarding)) => Kind::Gateway(forwarding.clone()),
                    _ => kind(&name, is_alone, &socket, tls)?,
                };
                Ok(Listener::new(socket, kind))
            })
            .with_context(|| format!("the socket `{name}` that systemd passed cannot be served"))
    });
    served.collect()
}

/// What is spoken at a socket of this name.
fn kind(name: &str, is_alone: bool, socket: &Socket, tls: Option<&Arc<Tls>>) -> Result<Kind> {
    let is_unix = matches!(socket, Socket::Unix(_));
    match (name, tls) {
        (HTTP, _) => Ok(Kind::Http),
        (GATEWAY, _) => bail!(
            "no other machine is known here; set cluster.machine and what belongs to it, or take its socket unit away"
        ),
        (HTTPS | REDIRECT, _) if is_unix => bail!(
            "a Unix socket is for proxies, which come by plain HTTP; set FileDescriptorName={HTTP} in its socket unit"
        ),
        (HTTPS, Some(tls)) => Ok(Kind::Https(tls.clone())),
        (REDIRECT, Some(_)) => Ok(Kind::Redirect),
        (HTTPS | REDIRECT, None) => {
            bail!(
                "there is no certificate; set tls.cert and tls.key, or [tls.acme], or take its socket unit away"
            )
        }
        // It stands for `server.listen`, whatever it is called.
        (_, Some(tls)) if is_alone && !is_unix => Ok(Kind::Https(tls.clone())),
        _ if is_alone => Ok(Kind::Http),
        _ => bail!(
            "it is one of several, and nothing serves that name; set FileDescriptorName={HTTP}, {HTTPS}, {REDIRECT} or {GATEWAY} in its socket unit, or take the service out of it"
        ),
    }
}

fn listening(socket: OwnedFd) -> Result<Socket> {
    if socket_type(&socket)? != SocketType::STREAM || !socket_acceptconn(&socket)? {
        bail!("it is no stream that listens; give its socket unit ListenStream= and Accept=no");
    }
    match socket_domain(&socket)? {
        AddressFamily::INET | AddressFamily::INET6 => Ok(Socket::Tcp(socket.into())),
        AddressFamily::UNIX => Ok(Socket::Unix(socket.into())),
        _ => bail!("it is neither TCP nor a Unix socket; mend ListenStream= in its socket unit"),
    }
}

/// Whether a service manager hears us, and so may ask for a reload.
pub(super) fn is_heard() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// Says that a reload has begun and that it is done, around `reload`.
pub(super) fn reloading(reload: impl FnOnce()) {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => warn!(%error, "systemd is not told of the reload"),
    }
    reload();
    tell(&[NotifyState::Ready]);
}

/// Says that it serves; that it stops, once `stop` is cancelled; and until then that it is not
/// stuck, as often as the unit's `WatchdogSec` wants to hear it.
pub(super) fn ready(stop: CancellationToken) {
    tell(&[NotifyState::Ready]);
    tokio::spawn(async move {
        let watched = async {
            let Some(limit) = sd_notify::watchdog_enabled() else {
                return std::future::pending().await;
            };
            loop {
                tell(&[NotifyState::Watchdog]);
                tokio::time::sleep(limit / 3).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => tell(&[NotifyState::Stopping]),
            () = watched => {}
        }
    });
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd does not hear us on NOTIFY_SOCKET");
    }
}
