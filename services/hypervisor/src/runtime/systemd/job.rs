//! Something that systemd was told to do.

use super::bus::{self, Bus, JobRemovedStream};
use super::names::Unit;
use futures_util::StreamExt;
use zbus::OwnedObjectPath;

#[derive(Clone, Copy)]
pub(super) enum Verb {
    Start,
    Stop,
}

impl Verb {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

/// Resolves when systemd does nothing, and is about to do nothing, for units whose names are told
/// by `is_one`: what was ordered before, such as by a gateway that has ended since, may still come.
pub(super) async fn none_at_work(
    bus: &Bus,
    unit: &Unit,
    is_one: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let wait = async {
        let manager = bus.manager().await?;
        // First, for one may be done before it is waited for.
        let mut removed = manager.receive_job_removed().await?;
        loop {
            let jobs = manager.list_jobs().await?;
            if !jobs.iter().any(|(_, name, ..)| is_one(name)) {
                return Ok(true);
            }
            if removed.next().await.is_none() {
                return Ok(false);
            }
        }
    };
    match wait.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(lost(&unit.name, Verb::Start)),
        Err(error) => Err(bus::sentence(&error, unit, Verb::Start.as_str())),
    }
}

fn lost(unit: &str, verb: Verb) -> String {
    let verb = verb.as_str();
    format!("the connection to the system bus broke before {unit} could {verb}; try again")
}

/// Something that systemd was told to do, and will say the end of. It has its own time limits.
pub(super) struct Job {
    verb: Verb,
    path: OwnedObjectPath,
    removed: JobRemovedStream,
}

impl Job {
    pub(super) async fn queue(bus: &Bus, unit: &Unit, verb: Verb) -> Result<Self, String> {
        let queue = async {
            let manager = bus.manager().await?;
            // First, for the job may be done before we have heard its name.
            let removed = manager.receive_job_removed().await?;
            // A job that waits gives way to this one; one that runs is joined.
            let path = match verb {
                Verb::Start => manager.start_unit(&unit.name, "replace").await?,
                Verb::Stop => manager.stop_unit(&unit.name, "replace").await?,
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
    pub(super) async fn done(&mut self, unit: &Unit) -> Result<(), String> {
        let (verb, unit) = (self.verb.as_str(), &unit.name);
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
                    "systemd could not {verb} {unit} ({result}); see `journalctl -u {unit}`"
                )),
            };
        }
        Err(lost(unit, self.verb))
    }
}
