//! The servers of a case, in front of one upstream.

use crate::certificate::Certificate;
use crate::gateway::{Front, Gateway, HOST};
use crate::server::Server;
use crate::settings::Settings;
use crate::target::Target;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::Path;
use testkit::port::Port;

/// What may be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The upstream without a proxy; without TLS as well.
    Direct,
    /// nginx, which checks no session.
    Nginx,
    /// `HAProxy`, which checks none either.
    Haproxy,
    /// nginx that asks a service about each request.
    NginxAuth,
    /// Caddy that does so.
    CaddyAuth,
    /// Caddy before the hypervisor of before.
    CaddyBefore,
    /// Caddy before the hypervisor, as the NixOS module sets it up.
    CaddyHypervisor,
    /// The hypervisor of before.
    Before,
    /// The hypervisor; in tables of TLS it ends TLS itself.
    Hypervisor,
}

impl Peer {
    /// The name in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::NginxAuth => "nginx + auth_request",
            Self::CaddyAuth => "Caddy + forward_auth",
            Self::CaddyBefore => "Caddy + before",
            Self::CaddyHypervisor => "Caddy + hypervisor",
            Self::Before => "before",
            Self::Hypervisor => "hypervisor",
        }
    }
}

/// The running servers. Dropped, all of them end.
#[derive(Debug)]
pub struct Fleet {
    targets: Vec<Target>,
    // A proxy ends before what is behind it.
    servers: Vec<Server>,
    gateways: Vec<Gateway>,
    certificate: Option<Certificate>,
    upstream: SocketAddr,
    cookie: String,
}

impl Fleet {
    /// Starts them; with `tls` they speak it. Those of before are left out if there is none.
    ///
    /// # Errors
    /// One does not start.
    pub async fn start(
        settings: &Settings,
        tls: bool,
        upstream: SocketAddr,
        peers: &[Peer],
    ) -> Result<Self> {
        let mut fleet = Self {
            targets: Vec::new(),
            servers: Vec::new(),
            gateways: Vec::new(),
            certificate: tls.then(Certificate::new).transpose()?,
            upstream,
            // Of a real one's length; it means nothing to a server that checks none.
            cookie: format!("__Host-choiros-grant={}", "x".repeat(43)),
        };
        for peer in peers {
            let target = match peer {
                Peer::Before | Peer::CaddyBefore => match &settings.before {
                    Some(program) => fleet.start_one(*peer, program).await,
                    None => continue,
                },
                _ => fleet.start_one(*peer, &settings.hypervisor).await,
            };
            let target = target.with_context(|| format!("start {}", peer.name()))?;
            fleet.targets.push(target);
        }
        Ok(fleet)
    }

    /// What to measure, in the order of each round.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// What all of them speak TLS with.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    async fn start_one(&mut self, peer: Peer, program: &Path) -> Result<Target> {
        let (upstream, tls) = (self.upstream, self.certificate.as_ref());
        let certificate = || tls.context("it is measured with TLS alone");
        let (mut host_name, mut cookie) = (HOST.to_owned(), self.cookie.clone());
        let (mut servers, mut gateways) = (Vec::new(), Vec::new());
        match peer {
            Peer::Direct => {}
            Peer::Nginx => servers.push(Server::nginx(upstream, tls, None).await?),
            Peer::Haproxy => servers.push(Server::haproxy(upstream, tls).await?),
            Peer::NginxAuth => {
                let auth = Server::auth(&cookie).await?;
                servers.push(Server::nginx(upstream, tls, Some(auth.address())).await?);
                servers.push(auth);
            }
            Peer::CaddyAuth => {
                let (auth, port) = (Server::auth(&cookie).await?, Port::reserve()?);
                let behind = upstream.to_string();
                let asked = Some(auth.address());
                servers.push(Server::caddy(port, &behind, certificate()?, asked).await?);
                servers.push(auth);
            }
            Peer::CaddyBefore | Peer::CaddyHypervisor => {
                let port = Port::reserve()?;
                let front = Front::Proxy(port.number());
                let gateway = Gateway::start(program, upstream, front).await?;
                let behind = format!("unix/{}", gateway.socket().display());
                servers.push(Server::caddy(port, &behind, certificate()?, None).await?);
                gateways.push(gateway);
            }
            Peer::Before | Peer::Hypervisor => {
                let front = tls.map_or(Front::Plain, Front::Tls);
                gateways.push(Gateway::start(program, upstream, front).await?);
            }
        }
        let pids = servers.iter().map(Server::pid);
        let pids = pids.chain(gateways.iter().map(Gateway::pid)).collect();
        let gateway = gateways.first();
        if let Some(gateway) = gateway {
            gateway.host_name().clone_into(&mut host_name);
            gateway.cookie().clone_into(&mut cookie);
        }
        let first = servers.first().map(Server::address);
        let address = first.or(gateway.map(Gateway::address)).unwrap_or(upstream);
        self.servers.extend(servers);
        self.gateways.extend(gateways);
        Ok(Target {
            name: peer.name(),
            address,
            host_name,
            tls: tls.map(Certificate::client),
            pids,
            cookie,
            checks_session: !matches!(peer, Peer::Direct | Peer::Nginx | Peer::Haproxy),
        })
    }
}
