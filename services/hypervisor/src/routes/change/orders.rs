//! The changes that can be ordered.

use super::back::new_id;
use super::error::ChangeError;
use super::order::{ChangeOutcome, ForkOrder, PromoteOrder, Rehearsal, RestoreOrder, UndoOrder};
use super::run::{Done, NewVolume, Plan, may_start};
use crate::role::Role;
use crate::routes::promotions::{Promoted, PromotionCounters};
use crate::routes::route::Workspace;
use crate::routes::swap::{Probation, Undo};
use crate::routes::table::Routes;
use crate::runtime::{Reason, SnapshotId};
use crate::store::{self, ChangeKind, ChangeRow, Watch};
use crate::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// How far back a promotion may lie that is to be undone.
const HISTORY: usize = 50;

impl Routes {
    /// The promotions since the start.
    pub fn promotions(&self) -> &PromotionCounters {
        &self.promotions
    }

    /// Gives live a release, by default dev's, and leaves its volume where it is.
    ///
    /// # Errors
    /// Whatever the error, live has the release and the data that it had.
    pub async fn promote(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: PromoteOrder,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        let by = by.to_owned();
        let (routes, of) = (self.clone(), workspace.clone());
        let work = async move {
            let workspace = &of;
            let outcome = routes.promote_whole(workspace, &order, by).await;
            routes.promotions.count(match &outcome {
                Ok(_) => Promoted::Done,
                Err(ChangeError::TakenBack { .. }) => Promoted::TakenBack,
                Err(_) => Promoted::Refused,
            });
            outcome
        };
        self.whole(workspace, work).await
    }

    async fn promote_whole(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: &PromoteOrder,
        by: String,
    ) -> Result<ChangeOutcome, ChangeError> {
        expect(workspace, order.expect_generation)?;
        let pair = workspace.pair();
        let (live, dev) = (&pair.live.sandbox, &pair.dev.sandbox);
        let release = order.release.unwrap_or_else(|| dev.release());
        self.has_release(workspace, release).await?;
        if release == live.release() {
            let workspace = workspace.name.to_string();
            return Err(ChangeError::SameRelease { workspace, release });
        }
        may_start(workspace, Role::Live)?;
        let rehearsal = match order.rehearse {
            true => Some(self.rehearse(workspace, release, &by).await?),
            false => None,
        };
        let plan = Plan {
            kind: ChangeKind::Promote,
            role: Role::Live,
            release,
            volume: NewVolume::Same,
            start: true,
            by,
            undoes: None,
        };
        let probation = order.probation_secs.map(|secs| Probation {
            secs,
            until: Timestamp::now().after(Duration::from_secs(secs)),
        });
        let watch = |id| match &probation {
            None => Watch::None,
            Some(probation) => Watch::Probation {
                secs: probation.secs,
                until: probation.until,
                change: Some(id),
                restore_data: order.restore_data,
            },
        };
        let done = self.change(workspace, &plan, watch).await?;
        if let Some(probation) = &probation {
            let lasts = Duration::from_secs(probation.secs);
            self.watch(workspace, done.row.generation, lasts);
        }
        let outcome = outcome(&plan, done);
        Ok(ChangeOutcome {
            rehearsal,
            probation,
            ..outcome
        })
    }

    /// Has dev run `release` on a copy of live's data. On failure dev has what it had before.
    async fn rehearse(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        release: u64,
        by: &str,
    ) -> Result<Rehearsal, ChangeError> {
        let forked = self.fork_whole(workspace, Some(release), by).await;
        let (done, frozen_ms) = forked.map_err(|error| match error {
            ChangeError::TakenBack { cause, .. } => ChangeError::RehearsalFailed { cause },
            error => error,
        })?;
        Ok(Rehearsal {
            snapshot: done.snapshot,
            frozen_ms,
        })
    }

    /// Makes dev's volume a copy of live's, which goes on meanwhile.
    ///
    /// # Errors
    /// Whatever the error, dev has the data that it had.
    pub async fn fork(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: ForkOrder,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        let by = by.to_owned();
        let (routes, of) = (self.clone(), workspace.clone());
        let work = async move {
            let workspace = &of;
            expect(workspace, order.expect_generation)?;
            let from = workspace.pair().dev.sandbox.release();
            let (done, frozen_ms) = routes.fork_whole(workspace, None, &by).await?;
            let snapshot = done.snapshot.clone();
            let plan = dev_plan(ChangeKind::Fork, from, NewVolume::Same, by);
            let outcome = outcome(&plan, done);
            Ok(ChangeOutcome {
                rehearsal: Some(Rehearsal {
                    snapshot,
                    frozen_ms,
                }),
                ..outcome
            })
        };
        self.whole(workspace, work).await
    }

    /// Dev runs this release, or what it runs, on a copy of live's data; with for how many
    /// milliseconds live was frozen.
    async fn fork_whole(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        release: Option<u64>,
        by: &str,
    ) -> Result<(Done, f64), ChangeError> {
        let pair = workspace.pair();
        let (live, dev) = (pair.live.sandbox.clone(), &pair.dev.sandbox);
        let id = new_id();
        let snapshot = live.snapshot(&id, Reason::Fork).await?;
        let volume = NewVolume::CopyOf(live.clone(), id.clone());
        let runs = release.unwrap_or_else(|| dev.release());
        let mut plan = dev_plan(ChangeKind::Fork, runs, volume, by.to_owned());
        plan.start = release.is_some();
        let done = self.change(workspace, &plan, |_| Watch::None).await;
        if let Err(error) = live.remove_snapshot(&id).await {
            warn!(workspace = %workspace.name, %error, "a copy of live's volume that nobody needs is left");
        }
        Ok((done?, snapshot.frozen_ms))
    }

    /// Takes live's last promotion back.
    ///
    /// # Errors
    /// Whatever the error, live has the release and the data that it had.
    pub async fn undo(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: UndoOrder,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        let by = by.to_owned();
        let (routes, of) = (self.clone(), workspace.clone());
        let work = async move {
            let workspace = &of;
            expect(workspace, order.expect_generation)?;
            let promotion = routes.promotion(workspace, None).await?;
            let undone = routes.undo_whole(workspace, &promotion, order.with_data, by, None);
            undone.await
        };
        self.whole(workspace, work).await
    }

    /// The same for a promotion on probation; `cause` is what was wrong.
    pub(in crate::routes) async fn undo_on_probation(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        (change, with_data): (i64, bool),
        generation: u64,
        cause: String,
    ) -> Result<ChangeOutcome, ChangeError> {
        let (routes, of) = (self.clone(), workspace.clone());
        let work = async move {
            let workspace = &of;
            expect(workspace, Some(generation))?;
            let promotion = routes.promotion(workspace, Some(change)).await?;
            let by = "probation".to_owned();
            let undone = routes.undo_whole(workspace, &promotion, with_data, by, Some(cause));
            undone.await
        };
        self.whole(workspace, work).await
    }

    async fn undo_whole(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        promotion: &ChangeRow,
        with_data: bool,
        by: String,
        cause: Option<String>,
    ) -> Result<ChangeOutcome, ChangeError> {
        let kept = promotion.snapshot.as_deref().filter(|_| with_data);
        let volume = match kept {
            None => NewVolume::Same,
            Some(kept) => NewVolume::Back(self.kept(workspace, Role::Live, kept).await?),
        };
        let plan = Plan {
            kind: ChangeKind::Undo,
            role: Role::Live,
            release: promotion.from_release,
            volume,
            start: true,
            by,
            undoes: Some(promotion.id),
        };
        let watch = |_| match cause {
            None => Watch::None,
            Some(cause) => Watch::TakenBack { cause },
        };
        let done = self.change(workspace, &plan, watch).await?;
        let writes = done.row.writes.saturating_sub(promotion.writes);
        let outcome = outcome(&plan, done);
        Ok(ChangeOutcome {
            lost_writes: with_data.then_some(writes),
            ..outcome
        })
    }

    /// The promotion that made live what it is: the last one, or exactly this one.
    async fn promotion(
        &self,
        workspace: &Workspace,
        id: Option<i64>,
    ) -> Result<ChangeRow, ChangeError> {
        let name = workspace.name.to_string();
        let rows = self.store.run(move |store| store.changes(&name, HISTORY));
        let rows = rows.await?;
        let promotion = undoable(&rows, workspace.pair().live.sandbox.name());
        let workspace = workspace.name.to_string();
        promotion
            .filter(|row| id.is_none_or(|id| id == row.id))
            .cloned()
            .ok_or(ChangeError::NothingToUndo { workspace })
    }

    /// Makes a role's volume what a snapshot of it has.
    ///
    /// # Errors
    /// Whatever the error, it has the data that it had.
    pub async fn restore(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        order: RestoreOrder,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        let by = by.to_owned();
        let (routes, of) = (self.clone(), workspace.clone());
        let work = async move {
            let workspace = &of;
            expect(workspace, order.expect_generation)?;
            let role = order.role;
            let id = routes
                .kept(workspace, role, order.snapshot.as_str())
                .await?;
            may_start(workspace, role)?;
            let sandbox = workspace.pair().route(role).sandbox.clone();
            if order.rehearse && role == Role::Live {
                let copy = NewVolume::CopyOf(sandbox.clone(), id.clone());
                let mut plan = dev_plan(ChangeKind::Restore, sandbox.release(), copy, by.clone());
                plan.start = true;
                let tried = routes.change(workspace, &plan, |_| Watch::None).await;
                tried.map_err(|error| match error {
                    ChangeError::TakenBack { cause, .. } => ChangeError::RehearsalFailed { cause },
                    error => error,
                })?;
            }
            let plan = Plan {
                kind: ChangeKind::Restore,
                role,
                release: sandbox.release(),
                volume: NewVolume::CopyOf(sandbox, id),
                start: true,
                by,
                undoes: None,
            };
            let done = routes.change(workspace, &plan, |_| Watch::None).await?;
            Ok(outcome(&plan, done))
        };
        self.whole(workspace, work).await
    }

    /// Gives dev a release. One that is at rest has it when it is started.
    ///
    /// # Errors
    /// Whatever the error, dev has the release that it had.
    pub async fn give_release(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        release: u64,
        by: &str,
    ) -> Result<ChangeOutcome, ChangeError> {
        let by = by.to_owned();
        let (routes, of) = (self.clone(), workspace.clone());
        let work = async move {
            let workspace = &of;
            routes.has_release(workspace, release).await?;
            let plan = dev_plan(ChangeKind::Give, release, NewVolume::Same, by);
            let done = routes.change(workspace, &plan, |_| Watch::None).await?;
            Ok(outcome(&plan, done))
        };
        self.whole(workspace, work).await
    }

    /// Does one order whole, whoever hangs up on it, and no other of the workspace meanwhile.
    pub(in crate::routes) async fn whole<T: Send + 'static>(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        work: impl Future<Output = Result<T, ChangeError>> + Send + 'static,
    ) -> Result<T, ChangeError> {
        let changing = workspace.changing.clone().try_lock_owned();
        let only = changing.map_err(|_| ChangeError::InProgress)?;
        let (routes, workspace) = (self.clone(), workspace.clone());
        let task = tokio::spawn(async move {
            let _only = only;
            let done = work.await;
            tokio::spawn(async move { routes.prune_snapshots(&workspace).await });
            done
        });
        task.await.unwrap_or(Err(ChangeError::Interrupted))
    }

    async fn has_release(&self, workspace: &Workspace, release: u64) -> Result<(), ChangeError> {
        let releases = self.runtime.releases(&workspace.name).await?;
        if releases.iter().any(|it| it.number == release) {
            return Ok(());
        }
        let workspace = workspace.name.to_string();
        Err(ChangeError::NoRelease { workspace, release })
    }

    /// The snapshot of this name of a role's volume.
    async fn kept(
        &self,
        workspace: &Workspace,
        role: Role,
        snapshot: &str,
    ) -> Result<SnapshotId, ChangeError> {
        let sandbox = workspace.pair().route(role).sandbox.clone();
        let kept = sandbox.snapshots().await?;
        let found = kept.into_iter().find(|it| it.id.as_str() == snapshot);
        found
            .map(|it| it.id)
            .ok_or_else(|| ChangeError::NoSnapshot {
                workspace: workspace.name.to_string(),
                sandbox: sandbox.name().to_owned(),
                snapshot: snapshot.to_owned(),
            })
    }
}

/// The promotion that made the live sandbox what it is; what else became of it since is not undone
/// with it. The newest of `changes` comes first.
pub(in crate::routes) fn undoable<'c>(
    changes: &'c [ChangeRow],
    live: &str,
) -> Option<&'c ChangeRow> {
    let done = |row: &&ChangeRow| row.outcome == Some(store::ChangeOutcome::Done);
    let last = changes.iter().filter(done).find(|row| row.sandbox == live);
    last.filter(|row| row.kind == ChangeKind::Promote)
}

fn expect(workspace: &Workspace, expected: Option<u64>) -> Result<(), ChangeError> {
    let current = workspace.pair().generation();
    match expected.filter(|&it| it != current) {
        Some(expected) => Err(ChangeError::StaleGeneration { expected, current }),
        None => Ok(()),
    }
}

fn dev_plan(kind: ChangeKind, release: u64, volume: NewVolume, by: String) -> Plan {
    Plan {
        kind,
        role: Role::Dev,
        release,
        volume,
        start: false,
        by,
        undoes: None,
    }
}

fn outcome(plan: &Plan, done: Done) -> ChangeOutcome {
    let generation = done.row.generation;
    ChangeOutcome {
        workspace: done.row.name,
        kind: plan.kind,
        generation,
        live: done.row.live,
        dev: done.row.dev,
        release: plan.release,
        from_release: done.from_release,
        snapshot: done.snapshot,
        held_ms: done.held_ms,
        held_requests: done.held_requests,
        rehearsal: None,
        lost_writes: None,
        undo: Undo {
            expect_generation: generation,
        },
        probation: None,
    }
}
