//! `systemd`: each sandbox is a unit of the host's, such as a container's, that is there already
//! and that this user may start and stop (polkit decides).
//!
//! Units live on while the hypervisor restarts, and others may start and stop them as well:
//! what systemd says of a unit counts, and it says so by itself (nothing here polls).

mod bus;
#[cfg(test)]
mod tests;
mod unit;
mod watch;

use super::backend::{Backend, Instance};
use super::{Release, RuntimeError, Spec};
use crate::config::{self, UNIT_PLACEHOLDER};
use async_trait::async_trait;
use bus::Bus;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;
use unit::Started;
use watch::Watch;

/// How long a broken connection to the bus is left alone before the next try.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts and stops the units of sandboxes.
pub(super) struct Systemd {
    bus: Arc<Bus>,
    /// A unit's name, with the placeholder.
    template: String,
}

impl Systemd {
    pub(super) fn new(config: &config::Runtime) -> Self {
        Self::over(Bus::default(), config)
    }

    fn over(bus: Bus, config: &config::Runtime) -> Self {
        Self {
            bus: Arc::new(bus),
            template: config.unit.clone(),
        }
    }

    fn unit_of(&self, spec: &Spec) -> String {
        self.template.replace(UNIT_PLACEHOLDER, &spec.name)
    }
}

#[async_trait]
impl Backend for Systemd {
    async fn start(&self, spec: &Spec, _release: u64) -> Result<Box<dyn Instance>, String> {
        let Some(address) = spec.declared.listens() else {
            return Err("the config gives it no address".to_owned());
        };
        let started = Started::new(Arc::clone(&self.bus), self.unit_of(spec), address).await?;
        Ok(Box::new(started))
    }

    async fn releases(&self, _workspace: &str) -> Result<Vec<Release>, RuntimeError> {
        Err(not_yet())
    }

    async fn add_release(
        &self,
        _workspace: &str,
        _command: Vec<String>,
        _env: BTreeMap<String, String>,
        _by: &str,
    ) -> Result<Release, RuntimeError> {
        Err(not_yet())
    }

    async fn declared_release(&self, _workspace: &str) -> Result<u64, RuntimeError> {
        Ok(0)
    }

    async fn appeared(&self, spec: &Spec) {
        let unit = self.unit_of(spec);
        let mut told = false;
        loop {
            let up = async { Watch::open(&self.bus, &unit).await?.up().await };
            let Err(error) = up.await else {
                return;
            };
            // Once is enough, for as long as the bus is away.
            if !told {
                let error = bus::sentence(&error, &unit, "watch");
                warn!(sandbox = spec.name, error, "cannot see its unit");
                told = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn survives_restart(&self) -> bool {
        true
    }
}

fn not_yet() -> RuntimeError {
    RuntimeError::Unsupported(
        "runtime.kind is `systemd`: releases are the host's; deploy one".to_owned(),
    )
}
