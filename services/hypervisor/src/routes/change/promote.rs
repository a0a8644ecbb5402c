//! Promotions.

use super::common::{expect, outcome};
use super::error::ChangeError;
use super::order::{ChangeOutcome, PromoteOrder};
use super::run::{NewVolume, Plan, may_start};
use crate::role::Role;
use crate::routes::promotions::{Promoted, PromotionCounters};
use crate::routes::route::Workspace;
use crate::routes::swap::Probation;
use crate::routes::table::Routes;
use crate::store::{ChangeKind, Watch};
use crate::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;

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
        let work = move |routes: Arc<Self>, workspace: Arc<Workspace>| async move {
            let workspace = &workspace;
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
        let mut rehearsal = None;
        if order.rehearse {
            let forked = self.fork_whole(workspace, Some(release), by.clone());
            rehearsal = forked.await.map_err(ChangeError::of_rehearsal)?.rehearsal;
        }
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
}
