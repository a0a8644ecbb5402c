//! A unit that was told to start.

use super::PAUSE;
use super::bus::{self, Bus, JobRemovedStream};
use super::watch::Watch;
use crate::config::Address;
use crate::runtime::backend::{End, Instance};
use async_trait::async_trait;
use futures_util::StreamExt;
use std::sync::Arc;
use tracing::warn;
use zbus::OwnedObjectPath;

/// A unit that was told to start, and not yet to stop.
pub(super) struct Started {
    bus: Arc<Bus>,
    name: String,
    address: Address,
    /// The start, until it is done, if it was ordered from here.
    job: Option<Job>,
    /// While it is looked at.
    watch: Option<Watch>,
}

impl Started {
    pub(super) async fn new(bus: Arc<Bus>, name: String, address: Address) -> Result<Self, String> {
        let verb = Verb::Start;
        let watch = Watch::open(&bus, &name)
            .await
            .map_err(|error| bus::sentence(&error, &name, verb.as_str()))?;
        // What runs is taken over, and what systemd itself starts again is left to its timing.
        let (job, watch) = if watch.is_up() {
            (None, Some(watch))
        } else {
            (Some(Job::queue(&bus, &name, verb).await?), None)
        };
        Ok(Self {
            bus,
            name,
            address,
            job,
            watch,
        })
    }

    async fn watch(&mut self) -> zbus::Result<&mut Watch> {
        match &mut self.watch {
            Some(watch) => Ok(watch),
            none => Ok(none.insert(Watch::open(&self.bus, &self.name).await?)),
        }
    }

    /// The bus is away: that says nothing of the unit.
    async fn lost(&mut self, error: zbus::Error) {
        let error = bus::sentence(&error, &self.name, "watch");
        warn!(error, "cannot see a sandbox's unit");
        self.watch = None;
        tokio::time::sleep(PAUSE).await;
    }
}

#[async_trait]
impl Instance for Started {
    fn address(&self) -> Address {
        self.address
    }

    async fn started(&mut self) -> Result<(), String> {
        if let Some(job) = &mut self.job {
            let outcome = job.done(&self.name).await;
            self.job = None;
            return outcome;
        }
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        let seen = watch.started().await;
        seen.unwrap_or_else(|error| Err(bus::sentence(&error, &self.name, "watch")))
    }

    async fn ending(&mut self) {
        loop {
            let seen = async { self.watch().await?.ending().await };
            match seen.await {
                Ok(()) => return,
                Err(error) => self.lost(error).await,
            }
        }
    }

    async fn ended(&mut self) -> End {
        loop {
            let seen = async { self.watch().await?.ended().await };
            match seen.await {
                Ok(end) => return end,
                Err(error) => self.lost(error).await,
            }
        }
    }

    fn last_lines(&self) -> Vec<String> {
        Vec::new() // The journal has them.
    }

    async fn stop(&mut self) -> Result<(), String> {
        (self.job, self.watch) = (None, None);
        let mut job = Job::queue(&self.bus, &self.name, Verb::Stop).await?;
        job.done(&self.name).await
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Start,
    Stop,
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

/// Something that systemd was told to do, and will say the end of. It has its own time limits.
struct Job {
    verb: Verb,
    path: OwnedObjectPath,
    removed: JobRemovedStream,
}

impl Job {
    async fn queue(bus: &Bus, unit: &str, verb: Verb) -> Result<Self, String> {
        let queue = async {
            let manager = bus.manager().await?;
            // First, for the job may be done before we have heard its name.
            let removed = manager.receive_job_removed().await?;
            // A job that waits gives way to this one; one that runs is joined.
            let path = match verb {
                Verb::Start => manager.start_unit(unit, "replace").await?,
                Verb::Stop => manager.stop_unit(unit, "replace").await?,
            };
            Ok(Self {
                verb,
                path,
                removed,
            })
        };
        queue
            .await
            .map_err(|error: zbus::Error| bus::sentence(&error, unit, verb.as_str()))
    }

    /// Resolves when it is done. May be dropped and called again.
    async fn done(&mut self, unit: &str) -> Result<(), String> {
        let verb = self.verb.as_str();
        while let Some(removed) = self.removed.next().await {
            let Ok(job) = removed.args() else {
                continue;
            };
            if *job.job() != *self.path {
                continue;
            }
            return match *job.result() {
                "done" => Ok(()),
                "canceled" => Err(format!(
                    "someone else's order for {unit} came between; try again"
                )),
                result => Err(format!(
                    "systemd could not {verb} {unit} ({result}); see `systemctl status {unit}`"
                )),
            };
        }
        Err(format!(
            "the connection to the system bus broke before {unit} could {verb}; try again"
        ))
    }
}
