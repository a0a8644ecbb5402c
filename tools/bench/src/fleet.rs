//! All servers of a case, in front of one upstream.

use crate::gateway::Gateway;
use crate::peers::Server;
use crate::settings::Settings;
use crate::target::{DIRECT, HAPROXY, HYPERVISOR, NGINX, Target};
use anyhow::Result;
use std::net::SocketAddr;

/// The running servers. Dropped, all of them end.
#[derive(Debug)]
pub struct Fleet {
    nginx: Server,
    haproxy: Server,
    hypervisor: Gateway,
    before: Option<Gateway>,
    upstream: SocketAddr,
}

impl Fleet {
    /// Starts them.
    ///
    /// # Errors
    /// One does not start.
    pub async fn start(settings: &Settings, upstream: SocketAddr) -> Result<Self> {
        let before = match &settings.before {
            Some(program) => Some(Gateway::start(program, upstream).await?),
            None => None,
        };
        Ok(Self {
            nginx: Server::nginx(upstream).await?,
            haproxy: Server::haproxy(upstream).await?,
            hypervisor: Gateway::start(&settings.hypervisor, upstream).await?,
            before,
            upstream,
        })
    }

    /// What to measure, in the order of each round. Peers get the same bytes as we do, a
    /// cookie that means nothing to them included.
    pub fn targets(&self) -> Vec<Target> {
        let target = |name, address, pid, cookie: &str| Target {
            name,
            address,
            pid,
            cookie: cookie.to_owned(),
        };
        let cookie = self.hypervisor.cookie();
        let peer = |name, server: &Server| {
            let pid = Some(server.pid());
            target(name, server.address(), pid, cookie)
        };
        let gateway = |name, gateway: &Gateway| {
            let pid = Some(gateway.pid());
            target(name, gateway.address(), pid, gateway.cookie())
        };
        let mut targets = vec![
            target(DIRECT, self.upstream, None, cookie),
            peer(NGINX, &self.nginx),
            peer(HAPROXY, &self.haproxy),
            gateway(HYPERVISOR, &self.hypervisor),
        ];
        targets.extend(self.before.iter().map(|it| gateway("before", it)));
        targets
    }
}
