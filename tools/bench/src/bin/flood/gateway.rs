//! The hypervisor under test, with an honest account and another.

use crate::upstream::Upstream;
use anyhow::Result;
use bench::proc;
use std::path::Path;
use testkit::harness::Hypervisor;
use testkit::person::Person;

pub struct Gateway {
    pub hypervisor: Hypervisor,
    pub alice: Person,
    pub mallory: Person,
}

impl Gateway {
    /// Starts the program `bin` before `upstream`: with what it is shipped with, but these caps.
    pub async fn start(bin: &Path, upstream: &Upstream, caps: &str) -> Result<Self> {
        let address = upstream.address;
        let config = format!(
            "registration = \"open\"\n{caps}\n[runtime]\nkind = \"adopt\"\n\
             [workspaces.sandbox]\nmembers = [\"alice\", \"mallory\"]\n\
             live = {{ address = \"{address}\", identity = false }}\n\
             dev = {{ port = 9, identity = false }}\n"
        );
        let hypervisor = Hypervisor::builder(bin).config(&config).start().await?;
        Ok(Self {
            alice: Person::register(&hypervisor, "alice").await?,
            mallory: Person::register(&hypervisor, "mallory").await?,
            hypervisor,
        })
    }

    /// What a request of `person` has of headers.
    pub fn headers(&self, person: &Person) -> String {
        let (port, cookie) = (self.hypervisor.port(), person.cookie());
        format!("Host: localhost:{port}\r\nCookie: {cookie}\r\n")
    }

    /// Waits until no request holds a sandbox.
    pub async fn calm(&self) -> Result<()> {
        testkit::wait::eventually("calm", async || {
            let metrics = self.hypervisor.client().get("/metrics").await.ok()?;
            let text = metrics.text();
            text.lines()
                .any(|line| line == "choiros_claims 0")
                .then_some(())
        })
        .await
    }

    /// A field of its `/proc/…/status`, in bytes.
    pub fn memory(&self, field: &str) -> Result<u64> {
        proc::status(self.hypervisor.pid(), field)
    }
}
