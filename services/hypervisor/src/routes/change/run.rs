//! One change, step by step, and back again if a step fails.

use super::back::{Aside, NOT_NOTED, new_id, put_all_back};
use super::error::ChangeError;
use crate::role::Role;
use crate::routes::fail_point::fail_point;
use crate::routes::hold::RoleHold;
use crate::routes::insist::{SOON, until_done};
use crate::routes::route::Workspace;
use crate::routes::table::Routes;
use crate::runtime::{Reason, RuntimeError, Sandbox, SnapshotId, Status};
use crate::store::{ChangeKind, Commit, NewChange, Watch, WorkspaceRow};
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info, warn};

/// What is to change.
pub(super) struct Plan {
    pub(super) kind: ChangeKind,
    pub(super) role: Role,
    /// What the sandbox runs afterwards.
    pub(super) release: u64,
    /// What its volume becomes.
    pub(super) volume: NewVolume,
    /// Whether the sandbox is started also if it was at rest.
    pub(super) start: bool,
    pub(super) by: String,
    /// The change that this one undoes.
    pub(super) undoes: Option<i64>,
}

/// What a volume becomes.
pub(super) enum NewVolume {
    /// It stays what it is.
    Same,
    /// A copy of a snapshot of this sandbox's.
    CopyOf(Arc<Sandbox>, SnapshotId),
    /// This very snapshot of its own, which is none any longer.
    Back(SnapshotId),
}

/// What a change came to.
pub(super) struct Done {
    pub(super) row: WorkspaceRow,
    pub(super) from_release: u64,
    pub(super) snapshot: Option<SnapshotId>,
    pub(super) held_ms: u64,
    pub(super) held_requests: usize,
}

/// How far a change has come that has to be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// Requests are held.
    Held,
    /// The sandbox is stopped, or about to be.
    Stopped,
    /// Its volume is kept as a snapshot, and what it runs and has may be the new.
    Changed,
}

impl Routes {
    /// Does `plan` while nobody else changes the workspace, which the caller sees to.
    pub(super) async fn change(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        plan: &Plan,
        watch: impl FnOnce(i64) -> Watch,
    ) -> Result<Done, ChangeError> {
        let sandbox = workspace.pair().route(plan.role).sandbox.clone();
        if plan.start {
            may_start(workspace, plan.role)?;
        }
        let before = new_id();
        let was_running = sandbox.view().status != Status::Stopped;
        // A release that is given and not started writes nothing.
        let keeps = plan.kind != ChangeKind::Give || was_running;
        if keeps && matches!(plan.volume, NewVolume::Same) {
            // Most of the work, while nobody waits for it.
            sandbox.prepare_snapshot(&before).await?;
        }
        fail_point("change_prepared");
        let new = NewChange {
            workspace: workspace.name.to_string(),
            kind: plan.kind,
            by: plan.by.clone(),
            sandbox: sandbox.name().to_owned(),
            from_release: sandbox.release(),
            to_release: plan.release,
            snapshot: keeps.then(|| before.to_string()),
        };
        let id = self
            .store
            .run(move |store| store.begin_change(&new))
            .await?;
        fail_point("change_begun");
        let steps = Steps {
            routes: self,
            workspace,
            plan,
            from_release: sandbox.release(),
            before: keeps.then_some(before),
            was_running,
            sandbox,
            id,
        };
        steps.run(watch).await
    }
}

/// Nothing starts what a person stopped.
pub(super) fn may_start(workspace: &Workspace, role: Role) -> Result<(), ChangeError> {
    let pair = workspace.pair();
    let sandbox = &pair.route(role).sandbox;
    match sandbox.stopped_by() {
        None => Ok(()),
        Some(stopped) => Err(ChangeError::StoppedByHand {
            workspace: workspace.name.to_string(),
            role,
            sandbox: sandbox.name().to_owned(),
            by: stopped.by,
        }),
    }
}

struct Steps<'s> {
    routes: &'s Arc<Routes>,
    workspace: &'s Arc<Workspace>,
    plan: &'s Plan,
    sandbox: Arc<Sandbox>,
    from_release: u64,
    /// The snapshot of the volume as it was.
    before: Option<SnapshotId>,
    was_running: bool,
    id: i64,
}

impl Steps<'_> {
    async fn run(self, watch: impl FnOnce(i64) -> Watch) -> Result<Done, ChangeError> {
        let hold = RoleHold::begin(self.routes, self.workspace, self.plan.role);
        fail_point("change_held");
        let mut reached = Reached::Held;
        let changed = self.forward(&hold, &mut reached).await;
        let committed = match changed {
            Ok(()) => self.commit(&hold, watch(self.id)).await,
            Err(error) => Err(error),
        };
        let held_ms = hold.millis();
        match committed {
            Ok(row) => {
                fail_point("change_committed");
                self.publish(&row);
                let held_requests = hold.let_in(row.generation);
                fail_point("change_let_in");
                rest_if_stopped(&self.sandbox).await;
                Ok(Done {
                    row,
                    from_release: self.from_release,
                    snapshot: self.before,
                    held_ms,
                    held_requests,
                })
            }
            Err(error) => {
                self.back(&error, reached).await;
                let said = error.to_string();
                let note = || self.routes.note_taken_back(self.id, held_ms, said.clone());
                let noted = note().await;
                drop(hold);
                rest_if_stopped(&self.sandbox).await;
                if noted.is_err() {
                    // Nobody waits for that; but the next change does, or a later start would take
                    // this one back once more.
                    until_done(SOON, self.sandbox.name(), NOT_NOTED, note).await;
                }
                Err(error)
            }
        }
    }

    /// A third of the time is for those who are there, a third for the new, and the rest to put
    /// everything back in.
    async fn forward(&self, hold: &RoleHold, reached: &mut Reached) -> Result<(), ChangeError> {
        let limit = self.routes.hold_limit();
        let drained = hold.drained(limit / 3).await;
        drained.map_err(|claims| ChangeError::NotDrained {
            sandbox: self.sandbox.name().to_owned(),
            claims,
            secs: (limit / 3).as_secs(),
        })?;
        fail_point("change_drained");
        *reached = Reached::Stopped;
        self.sandbox.stop().await?;
        fail_point("change_stopped");
        self.change_volume(reached).await?;
        *reached = Reached::Changed;
        fail_point("change_kept");
        self.sandbox.set_release(self.plan.release);
        if !(self.plan.start || self.was_running) {
            return Ok(());
        }
        let left = (limit * 2 / 3).saturating_sub(hold.begun.elapsed());
        fail_point("change_switched");
        let started = tokio::time::timeout(left, self.sandbox.try_start()).await;
        let started = started.unwrap_or_else(|_| Err(self.late(left)));
        started.map_err(|cause| ChangeError::TakenBack {
            what: format!("{} with release {}", self.sandbox.name(), self.plan.release),
            cause: cause.to_string(),
        })?;
        fail_point("change_started");
        Ok(())
    }

    async fn change_volume(&self, reached: &mut Reached) -> Result<(), RuntimeError> {
        let sandbox = &self.sandbox;
        let Some(before) = &self.before else {
            return Ok(());
        };
        let reason = match self.plan.kind {
            ChangeKind::Promote => Reason::Promote,
            ChangeKind::Fork => Reason::Fork,
            _ => Reason::Aside,
        };
        match &self.plan.volume {
            NewVolume::Same => {
                sandbox.snapshot(before, reason).await?;
            }
            NewVolume::CopyOf(from, id) => {
                // It may be exchanged, and the answer lost.
                *reached = Reached::Changed;
                sandbox.replace_volume(from, id, before).await?;
            }
            NewVolume::Back(id) => {
                *reached = Reached::Changed;
                sandbox.put_back(id, before).await?;
            }
        }
        Ok(())
    }

    fn late(&self, limit: Duration) -> RuntimeError {
        RuntimeError::TimedOut {
            sandbox: self.sandbox.name().to_owned(),
            cause: format!("not healthy within {} s", limit.as_secs()),
        }
    }

    async fn commit(&self, hold: &RoleHold, watch: Watch) -> Result<WorkspaceRow, ChangeError> {
        let commit = Commit {
            id: self.id,
            workspace: self.workspace.name.to_string(),
            expect_generation: self.workspace.pair().generation(),
            role: self.plan.role,
            release: self.plan.release,
            held_ms: hold.millis(),
            writes: self.workspace.writes.count(),
            is_fork: self.plan.kind == ChangeKind::Fork,
            undoes: self.plan.undoes,
            watch,
        };
        let stored = self
            .routes
            .store
            .run(move |store| store.commit_change(&commit));
        Ok(stored.await?)
    }

    fn publish(&self, row: &WorkspaceRow) {
        if self.plan.kind == ChangeKind::Fork {
            self.workspace.writes.set_shared(row.writes);
        }
        info!(
            workspace = row.name, kind = ?self.plan.kind, generation = row.generation,
            sandbox = self.sandbox.name(), from = self.from_release, to = self.plan.release,
            "changed"
        );
    }

    /// Puts back what was there before anybody is let in.
    async fn back(&self, error: &ChangeError, reached: Reached) {
        let name = self.sandbox.name();
        warn!(sandbox = name, ?reached, %error, "a change is taken back");
        if reached == Reached::Changed {
            let aside = match &self.plan.volume {
                // What was to be put back is still there to be put back another time.
                NewVolume::Back(id) => Aside::Kept(id.clone()),
                NewVolume::Same | NewVolume::CopyOf(..) => Aside::Gone,
            };
            put_all_back(
                &self.sandbox,
                self.from_release,
                self.before.as_ref(),
                &aside,
            )
            .await;
        }
        if reached != Reached::Held
            && self.was_running
            && let Err(error) = self.sandbox.start().await
        {
            error!(sandbox = name, %error, "does not run as before");
        }
        fail_point("change_put_back");
        if let Some(before) = self.before.clone().filter(|_| reached != Reached::Changed) {
            // Half of a snapshot is of no use, and what it leaves is found again at a start.
            let _ = self.sandbox.remove_snapshot(&before).await;
            let _ = self.sandbox.recover_volume().await;
        }
    }
}

/// Who stops a sandbox in the midst of a change has the last word.
async fn rest_if_stopped(sandbox: &Sandbox) {
    if sandbox.stopped_by().is_some()
        && let Err(error) = sandbox.stop().await
    {
        error!(sandbox = sandbox.name(), %error, "was stopped by hand during a change, and runs");
    }
}
