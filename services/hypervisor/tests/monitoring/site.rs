//! A gateway in front of two apps, and somebody who uses them.

use crate::common::builder;
use std::time::Duration;
use testkit::harness::{Builder, Hypervisor};
use testkit::person::Person;
use testkit::upstream::Upstream;
use testkit::wait::eventually;

pub const ADA: &str = "ada@example.org";

pub struct Site {
    pub gateway: Hypervisor,
    pub ada: Person,
    _apps: [Upstream; 2],
}

impl Site {
    /// One with these lines before those of its runtime.
    pub async fn start(config: &str, more: impl FnOnce(Builder) -> Builder) -> Self {
        let (live, dev) = (Upstream::start().await, Upstream::start().await);
        let (live, dev) = (live.unwrap(), dev.unwrap());
        let config = format!(
            "{config}\n[runtime]\nkind = \"adopt\"\n\
             [workspaces.sandbox.live]\naddress = \"{}\"\nidentity = false\n\
             [workspaces.sandbox.dev]\naddress = \"{}\"\nidentity = false\n",
            live.address(),
            dev.address()
        );
        let gateway = more(builder().config(&config)).start().await.unwrap();
        let ada = Person::register(&gateway, ADA).await.unwrap();
        Self {
            gateway,
            ada,
            _apps: [live, dev],
        }
    }

    /// The samples of all metrics.
    pub async fn metrics(&self) -> String {
        self.gateway.client().get("/metrics").await.unwrap().text()
    }

    /// Waits until a sample has this value. A request is counted when its response is over, which
    /// its client may hear of a little earlier.
    pub async fn sample(&self, name: &str, wanted: u64) {
        let found = eventually(name, async || {
            let metrics = self.metrics().await;
            let found = value(&metrics, name) == Some(wanted);
            if !found {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            found.then_some(())
        });
        found.await.unwrap();
    }
}

/// The value of the sample of this name and labels.
pub fn value(metrics: &str, sample: &str) -> Option<u64> {
    let mut lines = metrics.lines();
    lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
}
