//! The hypervisor under load: the shipped program with its defaults, and someone logged in.

use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::path::Path;
use testkit::harness::Hypervisor;
use testkit::person::Person;

/// The path at which an upstream says that it is well.
pub const HEALTH: &str = "/small";

/// A hypervisor, and the cookie of a session.
#[derive(Debug)]
pub struct Gateway {
    hypervisor: Hypervisor,
    cookie: String,
}

impl Gateway {
    /// Starts `program` in front of `upstream`, and logs someone in.
    ///
    /// # Errors
    /// It does not start, or refuses the log-in.
    pub async fn start(program: &Path, upstream: SocketAddr) -> Result<Self> {
        let hypervisor = Hypervisor::builder(program)
            .env("HYPERVISOR_REGISTRATION", "open")
            .config(&config(upstream))
            .start()
            .await
            .context("start the hypervisor")?;
        let person = Person::register(&hypervisor, "ada").await?;
        Ok(Self {
            hypervisor,
            cookie: person.cookie(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.hypervisor.address()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.hypervisor.pid()
    }

    /// Copies its store.
    ///
    /// # Errors
    /// It does not say that it did.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        let to = to.to_str().context("a path in UTF-8")?;
        let output = self.hypervisor.cli(&["backup", "--to", to]).await?;
        ensure!(output.status.success(), "{output:?}");
        Ok(())
    }

    /// The `Cookie` header of the session.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}

/// Only what says where the upstream is; dev is never asked for, but has to be somewhere. And one
/// user stands for thousands here, so that the caps on one are raised to what the gateway takes.
fn config(upstream: SocketAddr) -> String {
    let sandbox = |role, address| {
        format!(
            "[workspaces.sandbox.{role}]\naddress = \"{address}\"\n\
             health_path = \"{HEALTH}\"\nidentity = false\n"
        )
    };
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let (live, dev) = (sandbox("live", upstream), sandbox("dev", nowhere));
    let caps = [
        "max_requests",
        "max_requests_per_sandbox",
        "max_requests_per_user",
    ];
    let caps = caps.map(|cap| format!("{cap} = 10_000\n")).concat();
    format!("[runtime]\nkind = \"adopt\"\n\n[proxy]\n{caps}\n{live}\n{dev}")
}
