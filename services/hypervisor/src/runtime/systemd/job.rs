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
        Err(format!(
            "the connection to the system bus broke before {unit} could {verb}; try again"
        ))
    }
}
