//! Slots of the host, each of which a unit makes ready before anything of it is used.

use super::bus::Bus;
use super::job::{Job, Verb};
use super::names::Unit;
use crate::config::SLOT_PLACEHOLDER;
use crate::runtime::Spec;
use dashmap::DashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

pub(super) struct Slots {
    bus: Arc<Bus>,
    unit: Option<String>,
    /// Whether each was made ready since this program's start: its unit changes nothing then.
    ready: DashMap<u32, Arc<Mutex<bool>>>,
}

impl Slots {
    pub(super) fn new(bus: Arc<Bus>, unit: Option<String>) -> Self {
        let ready = DashMap::new();
        Self { bus, unit, ready }
    }

    /// Has it made ready anew before its next use: what was there is gone.
    pub(super) fn forget(&self, spec: &Spec) {
        if let Some(slot) = spec.slot {
            self.ready.remove(&slot);
        }
    }

    /// Has the sandbox's slot made ready, if it is of one.
    pub(super) async fn make_ready(&self, spec: &Spec) -> Result<(), String> {
        let (Some(slot), Some(template)) = (spec.slot, &self.unit) else {
            return Ok(());
        };
        let ready = Arc::clone(&self.ready.entry(slot).or_default());
        let mut ready = ready.lock().await;
        if !*ready {
            let unit = Unit {
                name: template.replace(SLOT_PLACEHOLDER, &slot.to_string()),
                key: "slots.unit",
            };
            let mut job = Job::queue(&self.bus, &unit, Verb::Start).await?;
            job.done(&unit).await?;
            *ready = true;
        }
        Ok(())
    }
}
