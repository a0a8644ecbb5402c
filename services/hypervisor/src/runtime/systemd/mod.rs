//! `systemd`: each sandbox is a unit of the host's, such as a container's, that is there already
//! and that this user may start and stop (polkit decides).
//!
//! Units live on while the hypervisor restarts, and others may start and stop them as well:
//! what systemd says of a unit counts, and it says so by itself (nothing here polls).

mod bus;
mod cgroup;
mod job;
mod log;
mod names;
mod releases;
mod slots;
mod streams;
#[cfg(test)]
mod tests;
mod unit;
mod volumes;
mod watch;

use super::backend::{self, Backend, Instance};
use super::consumption::Consumption;
use super::line::LogLines;
use super::{Release, ReleaseContent, RuntimeError, Spec};
use crate::config;
use async_trait::async_trait;
use bus::Bus;
use job::{Job, Verb};
use names::Unit;
use releases::Releases;
use slots::Slots;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;
use unit::Started;
use volumes::Volumes;
use watch::Watch;

/// How long a broken connection to the bus is left alone before the next try.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts and stops the units of sandboxes.
pub(super) struct Systemd {
    bus: Arc<Bus>,
    /// A unit's name, with the placeholder.
    template: String,
    /// A unit's control group, with the placeholder.
    cgroup: String,
    logs: PathBuf,
    releases: Releases,
    slots: Arc<Slots>,
    volumes: Arc<Volumes>,
}

impl Systemd {
    pub(super) fn new(config: &config::Runtime, of_slots: &config::Slots) -> Self {
        Self::over(Bus::default(), config, of_slots)
    }

    fn over(bus: Bus, config: &config::Runtime, of_slots: &config::Slots) -> Self {
        let bus = Arc::new(bus);
        let slots = Arc::new(Slots::new(Arc::clone(&bus), of_slots.unit.clone()));
        let volumes = Volumes::new(Arc::clone(&bus), Arc::clone(&slots), config, of_slots);
        Self {
            template: config.unit.clone(),
            cgroup: config.cgroup.clone(),
            logs: config.logs_socket.clone(),
            releases: Releases::new(Arc::clone(&bus), config, of_slots),
            slots,
            volumes: Arc::new(volumes),
            bus,
        }
    }

    fn unit_of(&self, spec: &Spec) -> Unit {
        Unit::of(&self.template, &spec.name)
    }
}

#[async_trait]
impl Backend for Systemd {
    async fn start(&self, spec: &Spec, release: u64) -> Result<Box<dyn Instance>, String> {
        let Some(address) = spec.declared.listens() else {
            return Err("the config gives it no address".to_owned());
        };
        let unit = self.unit_of(spec);
        if let Some(running) = Started::running(&self.bus, &unit, address).await? {
            return Ok(Box::new(running));
        }
        self.slots.make_ready(spec).await?;
        if self.releases.pin(spec, release).await? {
            // Whatever was started meanwhile may be what it was before.
            self.halt(spec).await?;
        }
        Ok(Box::new(Started::order(&self.bus, &unit, address).await?))
    }

    fn forget(&self, spec: &Spec) {
        self.slots.forget(spec);
        self.volumes.forget(spec);
    }

    fn volumes(&self) -> Arc<dyn backend::Volumes> {
        Arc::clone(&self.volumes) as _
    }

    async fn releases(&self, workspace: &str) -> Result<Vec<Release>, RuntimeError> {
        self.releases.all(workspace)
    }

    async fn add_release(
        &self,
        _workspace: &str,
        _command: Vec<String>,
        _env: BTreeMap<String, String>,
        _by: &str,
    ) -> Result<Release, RuntimeError> {
        Err(RuntimeError::Unsupported(
            "runtime.kind is `systemd`: a release is a closure of the host's; deploy one, or set runtime.kind to `process`".to_owned(),
        ))
    }

    async fn declared_release(&self, workspace: &str) -> Result<u64, RuntimeError> {
        self.releases.newest(workspace)
    }

    async fn release_content(
        &self,
        workspace: &str,
        number: u64,
    ) -> Result<ReleaseContent, RuntimeError> {
        self.releases.content(workspace, number)
    }

    async fn release_of(
        &self,
        workspace: &str,
        content: ReleaseContent,
        _by: &str,
    ) -> Result<u64, RuntimeError> {
        self.releases.of(workspace, &content)
    }

    async fn pinned_release(&self, spec: &Spec) -> Result<Option<u64>, RuntimeError> {
        self.releases.pinned(spec)
    }

    fn consumption(&self, sandboxes: &[&str]) -> Vec<Consumption> {
        let groups = sandboxes.iter().map(|it| cgroup::path(&self.cgroup, it));
        groups.map(|group| cgroup::consumption(&group)).collect()
    }

    async fn log(
        &self,
        sandbox: &str,
        lines: usize,
        follow: bool,
    ) -> Result<LogLines, RuntimeError> {
        log::read(&self.logs, sandbox, lines, follow).await
    }

    async fn appeared(&self, spec: &Spec) {
        let unit = self.unit_of(spec);
        let mut told = false;
        loop {
            let up = async { Watch::open(&self.bus, &unit.name).await?.up().await };
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

    async fn halt(&self, spec: &Spec) -> Result<(), String> {
        let unit = self.unit_of(spec);
        if unit::is_down(&self.bus, &unit).await? {
            return Ok(());
        }
        let mut job = Job::queue(&self.bus, &unit, Verb::Stop).await?;
        job.done(&unit).await
    }

    fn survives_restart(&self) -> bool {
        true
    }
}
