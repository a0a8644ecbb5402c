//! The backend against a systemd of our own.

mod host;
mod log;
mod releases;
mod slots;
mod streams;
mod units;
mod usage;
mod volumes;

use crate::runtime::{Sandbox, Status};
use host::Host;
use std::sync::Arc;
use testkit::wait::eventually;

/// A sandbox that was wanted.
async fn started() -> (Host, Arc<Sandbox>) {
    let host = Host::new("inactive").await;
    let sandbox = host.sandbox();
    sandbox.ready().await.unwrap();
    (host, sandbox)
}

async fn becomes(sandbox: &Sandbox, status: Status) {
    eventually(&format!("{status}"), async || {
        (sandbox.view().status == status).then_some(())
    })
    .await
    .unwrap();
}
