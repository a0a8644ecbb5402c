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

use super::Spec;
use super::backend::{Backend, Instance};
use crate::config::{self, UNIT_PLACEHOLDER};
use async_trait::async_trait;
use bus::Bus;
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
    async fn start(&self, spec: &Spec) -> Result<Box<dyn Instance>, String> {
        let Some(address) = spec.declared.listens() else {
            return Err("the config gives it no address".to_owned());
        };
        let started = Started::new(Arc::clone(&self.bus), self.unit_of(spec), address).await?;
        Ok(Box::new(started))
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
