//! The machine that a workspace goes to.

use super::hand_over::as_there;
use super::target::{Arrival, Offer, OfferedReleases};
use crate::role::Role;
use crate::routes::fail_point::fail_point;
use crate::routes::table::Routes;
use crate::runtime::{RuntimeError, Sandbox, SnapshotId, StoppedBy};
use crate::sandbox_name;
use crate::store::{MoveRow, MoveState, StoreError, WorkspaceRow};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;
use tracing::info;

/// Why something is not received. Whoever sent it is told.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is told by its sentence")]
pub enum ArriveError {
    /// Or its move was taken back meanwhile.
    #[error("no workspace {workspace} is on its way here")]
    NotExpected { workspace: String },
    /// What it runs is not to be had here.
    #[error("what {role} runs is not to be had here: {cause}")]
    NoRelease { role: Role, cause: RuntimeError },
    /// What stands in the way of its data, or of its start.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The store refused.
    #[error("the store does not answer: {0}")]
    Store(#[from] StoreError),
}

/// A workspace that is on its way here, and keeps anything else from being done with its data.
struct Arriving {
    row: WorkspaceRow,
    going: MoveRow,
    id: SnapshotId,
    _only: OwnedMutexGuard<()>,
}

impl Routes {
    /// Finds what the sandboxes run among this machine's releases.
    ///
    /// # Errors
    /// [`ArriveError`].
    pub async fn consider(
        &self,
        workspace: &str,
        offer: Offer,
    ) -> Result<OfferedReleases, ArriveError> {
        let arriving = self.arriving(workspace).await?;
        let set = sandbox_name::release_set(workspace, arriving.row.slot);
        let mut releases = [0; 2];
        let both = [Role::Live, Role::Dev].into_iter().zip(offer.releases);
        for ((role, content), number) in both.zip(&mut releases) {
            if let Some(content) = content {
                let by = "another machine";
                let found = self.runtime.release_of(set, content, by).await;
                *number = found.map_err(|cause| ArriveError::NoRelease { role, cause })?;
            }
        }
        Ok(OfferedReleases { releases })
    }

    /// Receives the volume of the sandbox that was born in this role, as far as it is sent.
    ///
    /// # Errors
    /// [`ArriveError`]; what has arrived is not sent again.
    pub async fn receive(
        &self,
        workspace: &str,
        born: Role,
        stream: UnixStream,
    ) -> Result<(), ArriveError> {
        let arriving = self.arriving(workspace).await?;
        let sandbox = self.sandbox_born(workspace, arriving.row.slot, born);
        let received = sandbox.receive(&arriving.id, stream).await?;
        info!(workspace, sandbox = sandbox.name(), ?received, "received");
        Ok(())
    }

    /// Has what was received be the sandboxes', and live started, if it is to be. Nobody is led there
    /// before the store says that this machine is the home.
    ///
    /// # Errors
    /// [`ArriveError`]; it is taken back then.
    pub async fn arrive(&self, workspace: &str, arrival: Arrival) -> Result<(), ArriveError> {
        let arriving = self.arriving(workspace).await?;
        let row = &arriving.row;
        let both = [self.sandbox(row, &row.live)?, self.sandbox(row, &row.dev)?];
        self.keep_stopped_there(&arriving.going, &both).await?;
        for (sandbox, release) in both.iter().zip(arrival.releases) {
            sandbox.set_release(release);
            sandbox.stop().await?;
            sandbox.unarchive(&arriving.id).await?;
            fail_point(&format!("arrival_brought_{}", sandbox.born()));
        }
        let [live, _] = &both;
        self.runtime
            .discard_archive(live.spec().clone(), &arriving.id)
            .await?;
        if arrival.starts {
            live.try_start().await?;
        }
        fail_point("arrival_started");
        info!(workspace, slot = row.slot, "has arrived");
        Ok(())
    }

    /// Whoever stopped them there has them stopped here.
    async fn keep_stopped_there(
        &self,
        going: &MoveRow,
        sandboxes: &[Arc<Sandbox>; 2],
    ) -> Result<(), StoreError> {
        for row in self.store.run(|store| store.stopped()).await? {
            let (workspace, from, to) = (&going.workspace, going.source_slot, going.target_slot);
            if row.workspace != *workspace {
                continue;
            }
            let here = sandbox_name::in_slot(&row.sandbox, workspace, from, to);
            let mut both = sandboxes.iter();
            if let Some(sandbox) = both.find(|it| Some(it.name()) == here.as_deref()) {
                sandbox.set_stopped_by(Some(StoppedBy {
                    by: row.by,
                    at: row.at,
                }));
            }
        }
        Ok(())
    }

    /// The workspace as it is to be here; whoever else does something with its data is waited for.
    async fn arriving(&self, workspace: &str) -> Result<Arriving, ArriveError> {
        let only = self.only_one_of(workspace).await;
        let not_expected = || ArriveError::NotExpected {
            workspace: workspace.to_owned(),
        };
        let (machine, name) = (self.config.machine().to_owned(), workspace.to_owned());
        let found = self.store.run(move |store| {
            let going = store.move_of(&name)?;
            let going = going.filter(|it| it.target == machine && it.state == MoveState::Begun);
            let row = store.workspace(&name)?;
            Ok::<_, StoreError>(row.zip(going))
        });
        let (row, going) = found.await?.ok_or_else(not_expected)?;
        Ok(Arriving {
            row: as_there(&row, &going),
            id: going.id.parse().map_err(|_| not_expected())?,
            going,
            _only: only,
        })
    }

    pub(super) async fn only_one_of(&self, workspace: &str) -> OwnedMutexGuard<()> {
        let one = self.arriving.entry(workspace.to_owned()).or_default();
        let one = one.clone();
        one.lock_owned().await
    }
}
