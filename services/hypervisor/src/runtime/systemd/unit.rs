//! A unit that was told to start.

use super::PAUSE;
use super::bus::{self, Bus};
use super::job::{Job, Verb};
use super::names::Unit;
use super::watch::Watch;
use crate::config::Address;
use crate::runtime::backend::{End, Instance};
use async_trait::async_trait;
use std::sync::Arc;
use tracing::warn;

/// A unit that was told to start, and not yet to stop.
pub(super) struct Started {
    bus: Arc<Bus>,
    unit: Unit,
    address: Address,
    /// The start, until it is done, if it was ordered from here.
    job: Option<Job>,
    /// While it is looked at.
    watch: Option<Watch>,
}

impl Started {
    /// The unit if it runs, or is on the way there: what runs is taken over, and what systemd
    /// itself starts again is left to its timing.
    pub(super) async fn running(
        bus: &Arc<Bus>,
        unit: &Unit,
        address: Address,
    ) -> Result<Option<Self>, String> {
        let watch = Watch::open(bus, &unit.name).await;
        let watch = watch.map_err(|error| bus::sentence(&error, unit, Verb::Start.as_str()))?;
        Ok(watch.is_up().then(|| Self {
            bus: Arc::clone(bus),
            unit: unit.clone(),
            address,
            job: None,
            watch: Some(watch),
        }))
    }

    /// Has it started.
    pub(super) async fn order(
        bus: &Arc<Bus>,
        unit: &Unit,
        address: Address,
    ) -> Result<Self, String> {
        Ok(Self {
            job: Some(Job::queue(bus, unit, Verb::Start).await?),
            bus: Arc::clone(bus),
            unit: unit.clone(),
            address,
            watch: None,
        })
    }

    async fn watch(&mut self) -> zbus::Result<&mut Watch> {
        match &mut self.watch {
            Some(watch) => Ok(watch),
            none => Ok(none.insert(Watch::open(&self.bus, &self.unit.name).await?)),
        }
    }

    /// The bus is away: that says nothing of the unit.
    async fn lost(&mut self, error: zbus::Error) {
        let error = bus::sentence(&error, &self.unit, "watch");
        warn!(error, "cannot see a sandbox's unit");
        self.watch = None;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether the unit neither runs nor is on the way there or from there.
pub(super) async fn is_down(bus: &Bus, unit: &Unit) -> Result<bool, String> {
    let watch = Watch::open(bus, &unit.name).await;
    let watch = watch.map_err(|error| bus::sentence(&error, unit, "watch"))?;
    Ok(watch.is_down())
}

#[async_trait]
impl Instance for Started {
    fn address(&self) -> Address {
        self.address
    }

    async fn started(&mut self) -> Result<(), String> {
        if let Some(job) = &mut self.job {
            let outcome = job.done(&self.unit).await;
            self.job = None;
            return outcome;
        }
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        let seen = watch.started().await;
        seen.unwrap_or_else(|error| Err(bus::sentence(&error, &self.unit, "watch")))
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
        let mut job = Job::queue(&self.bus, &self.unit, Verb::Stop).await?;
        job.done(&self.unit).await
    }
}
