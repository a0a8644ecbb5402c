//! Promotions that are taken back, by order or on probation.

use super::common::{expect, outcome};
use super::error::ChangeError;
use super::order::{ChangeOutcome, UndoOrder};
use super::run::{NewVolume, Plan};
use crate::role::Role;
use crate::routes::route::Workspace;
use crate::routes::table::Routes;
use crate::store::{self, ChangeKind, ChangeRow, StoreError, Watch};
use std::sync::Arc;

/// How far back a promotion may lie that is to be undone.
const HISTORY: usize = 50;

impl Routes {
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
        let work = move |routes: Arc<Self>, workspace: Arc<Workspace>| async move {
            let workspace = &workspace;
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
        cause: String,
    ) -> Result<ChangeOutcome, ChangeError> {
        let work = move |routes: Arc<Self>, workspace: Arc<Workspace>| async move {
            let workspace = &workspace;
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
        let live = workspace.pair().live.sandbox.name().to_owned();
        let promotion = self.last_promotion(&workspace.name, &live).await?;
        let promotion = promotion.filter(|row| id.is_none_or(|id| id == row.id));
        let workspace = workspace.name.to_string();
        promotion.ok_or(ChangeError::NothingToUndo { workspace })
    }

    /// The promotion that made this sandbox what it is, if it was one.
    pub(super) async fn last_promotion(
        &self,
        workspace: &str,
        sandbox: &str,
    ) -> Result<Option<ChangeRow>, StoreError> {
        let name = workspace.to_owned();
        let rows = self.store.run(move |store| store.changes(&name, HISTORY));
        Ok(undoable(&rows.await?, sandbox).cloned())
    }
}

/// The promotion that made the live sandbox what it is; what else became of it since is not undone
/// with it. The newest of `changes` comes first.
pub(in crate::routes) fn undoable<'c>(
    changes: &'c [ChangeRow],
    live: &str,
) -> Option<&'c ChangeRow> {
    let done = |row: &&ChangeRow| row.outcome == Some(store::ChangeOutcome::Done);
    // What was done on another machine is of its releases, by its numbers.
    let concerns = |row: &&ChangeRow| row.sandbox == live || row.kind == ChangeKind::Move;
    let last = changes.iter().filter(done).find(concerns);
    last.filter(|row| row.kind == ChangeKind::Promote)
}
