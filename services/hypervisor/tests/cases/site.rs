//! The real program in front of a sandbox that is told what to send, and someone with a session.

use crate::common::builder;
use crate::sandbox::Sandbox;
use crate::wire::{Reply, Wire};
use anyhow::Result;
use std::time::Duration;
use testkit::harness::{Builder, Hypervisor};
use testkit::person::Person;

pub struct Site {
    pub gateway: Hypervisor,
    pub sandbox: Sandbox,
    /// `Host` and `Cookie` of whoever is logged in.
    pub ours: String,
    pub host: String,
    pub cookie: String,
}

impl Site {
    pub async fn start() -> Self {
        Self::with("", None, |builder| builder).await
    }

    /// With these lines at the start of its file, a sandbox that closes what is idle for so long,
    /// and variables.
    pub async fn with(
        config: &str,
        idle: Option<Duration>,
        more: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        Self::try_with(config, idle, more).await.unwrap()
    }

    /// The same, or why it does not start.
    pub async fn try_with(
        config: &str,
        idle: Option<Duration>,
        more: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self> {
        let sandbox = Sandbox::start(idle).await;
        let address = sandbox.address;
        // One that is never asked, for what is live is meant throughout.
        let dev = "address = \"127.0.0.1:9\"\nidentity = false\n";
        let config = format!(
            "{config}\n[runtime]\nkind = \"adopt\"\nprobe_secs = 60\n\
             [workspaces.sandbox.live]\naddress = \"{address}\"\nidentity = false\n\
             [workspaces.sandbox.dev]\n{dev}"
        );
        // What goes wrong here is meant to, and would be a page of warnings.
        let quiet = builder().env("HYPERVISOR_LOG_FILTER", "error");
        let gateway = more(quiet.config(&config)).start().await?;
        let person = Person::register(&gateway, "alice").await?;
        let (host, cookie) = (format!("localhost:{}", gateway.port()), person.cookie());
        Ok(Self {
            ours: format!("Host: {host}\r\nCookie: {cookie}\r\n"),
            gateway,
            sandbox,
            host,
            cookie,
        })
    }

    pub async fn connect(&self) -> Wire {
        Wire::connect(self.gateway.address()).await
    }

    /// A request with a session, without the end of its head.
    pub fn head(&self, line: &str) -> String {
        format!("{line} HTTP/1.1\r\n{}", self.ours)
    }

    /// The response to a request on a connection of its own.
    pub async fn ask(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut wire = self.connect().await;
        let to_head = request.as_ref().starts_with(b"HEAD ");
        wire.send(request).await;
        wire.reply(to_head).await
    }
}
