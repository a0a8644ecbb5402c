//! How a run ends, and what comes after it.

use super::{LONGEST_PAUSE, Supervisor};
use crate::runtime::backend::{End, Instance};
use crate::runtime::commands::{StopRequest, send_reply};
use crate::runtime::{RuntimeError, Status};
use std::time::Instant;
use tracing::{error, info};

/// How a run came to its end.
pub(super) enum Down {
    /// By a stop request, whose outcome is still owed.
    StopRequested(StopRequest),
    /// For want of requests.
    Idle,
    /// Its start came to nothing.
    Unstarted(String),
    /// Not by our doing.
    Gone,
    /// It lives, and does not answer.
    Hung(String),
}

/// What comes after a run.
pub(super) enum After {
    Rest,
    /// Another run, after a crash for this reason.
    Again(String),
    /// Nothing: the hypervisor ends.
    End,
}

impl Supervisor {
    /// Has what is left of a run ended, and says what comes then.
    pub(super) async fn take_down(&mut self, instance: &mut dyn Instance, down: Down) -> After {
        match down {
            Down::Unstarted(cause) => After::Again(with_lines(&cause, instance)),
            Down::Gone => self.gone(instance).await,
            Down::Hung(cause) => {
                let address = Some(instance.address().first());
                self.state
                    .show(Status::Starting, address, Some(cause.clone()));
                match instance.stop().await {
                    Ok(()) => After::Again(with_lines(&cause, instance)),
                    Err(stuck) => {
                        self.fail(stuck);
                        After::Rest
                    }
                }
            }
            Down::Idle => {
                // A stop that fails is in the state, and nobody else waits to hear of it.
                let _ = self.stop(instance).await;
                After::Rest
            }
            Down::StopRequested(stop_request)
                if stop_request.last && self.backend.survives_restart() =>
            {
                self.stop_requested(stop_request, Ok(()))
            }
            Down::StopRequested(stop_request) => {
                let outcome = self.stop(instance).await;
                self.stop_requested(stop_request, outcome)
            }
        }
    }

    /// Nothing of it is left to be ended, but it may not be over yet.
    async fn gone(&mut self, instance: &mut dyn Instance) -> After {
        let address = Some(instance.address().first());
        self.state.show(Status::Draining, address, None);
        match instance.ended().await {
            End::Crashed(cause) => After::Again(with_lines(&cause, instance)),
            End::Stopped => {
                info!(sandbox = self.name(), "stopped by something else");
                self.stopped();
                After::Rest
            }
        }
    }

    async fn stop(&mut self, instance: &mut dyn Instance) -> Result<(), RuntimeError> {
        let address = Some(instance.address().first());
        self.state.show(Status::Draining, address, None);
        if let Err(cause) = instance.stop().await {
            self.fail(cause.clone());
            let sandbox = self.name().to_owned();
            return Err(RuntimeError::CannotStop { sandbox, cause });
        }
        info!(sandbox = self.name(), "stopped");
        self.stopped();
        Ok(())
    }

    /// At rest, and said to be stopped: it may run all the same, and not have been seen yet.
    pub(super) async fn halt(&mut self) -> Result<(), RuntimeError> {
        if let Err(cause) = self.backend.halt(&self.state.spec).await {
            self.fail(cause.clone());
            let sandbox = self.name().to_owned();
            return Err(RuntimeError::CannotStop { sandbox, cause });
        }
        self.stopped();
        Ok(())
    }

    /// At rest again, and those who waited for its start are told so.
    fn stopped(&mut self) {
        self.forget_crashes();
        self.state.show(Status::Stopped, None, None);
        let sandbox = self.name().to_owned();
        self.commands
            .settle(&Err(RuntimeError::Stopped { sandbox }));
    }

    /// Tells the one who ordered it, and those whose start it ended.
    pub(super) fn stop_requested(
        &mut self,
        stop_request: StopRequest,
        outcome: Result<(), RuntimeError>,
    ) -> After {
        let sandbox = self.name().to_owned();
        self.commands
            .settle(&Err(RuntimeError::Stopped { sandbox }));
        send_reply(stop_request.reply, outcome);
        if stop_request.last {
            After::End
        } else {
            After::Rest
        }
    }

    pub(super) fn fail(&mut self, cause: String) {
        error!(sandbox = self.name(), cause, "failed");
        let failure = RuntimeError::Failed {
            sandbox: self.name().to_owned(),
            cause: cause.clone(),
            retry: LONGEST_PAUSE,
        };
        self.state.show(Status::Failed, None, Some(cause));
        self.commands.settle(&Err(failure.clone()));
        self.failure = Some((Instant::now(), failure));
    }
}

/// A cause, and what the sandbox had to say about it.
pub(super) fn with_lines(cause: &str, instance: &dyn Instance) -> String {
    let lines = instance.last_lines();
    if lines.is_empty() {
        return cause.to_owned();
    }
    format!("{cause}; its last lines were:\n{}", lines.join("\n"))
}
