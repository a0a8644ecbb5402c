//! The machine that a workspace is at, and goes from.

use super::order::MoveOutcome;
use super::send;
use super::target::{Arrival, Offer, Target};
use crate::role::Role;
use crate::routes::change::{ChangeError, NOT_NOTED, new_id};
use crate::routes::fail_point::fail_point;
use crate::routes::hold::RoleHold;
use crate::routes::insist::{SOON, until_done};
use crate::routes::route::Workspace;
use crate::routes::table::Routes;
use crate::runtime::{ReleaseContent, RuntimeError, Sandbox, SnapshotId, Status};
use crate::store::{
    ChangeKind, CommitMove, Conflict, MoveRow, MoveState, NewChange, NewMove, Room, Store,
    StoreError, WorkspaceRow,
};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

impl Routes {
    /// Makes another machine the home of a workspace.
    ///
    /// # Errors
    /// Whatever the error, it is where it was, with all that was written.
    pub async fn move_to(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        target: Arc<dyn Target>,
        by: &str,
    ) -> Result<MoveOutcome, ChangeError> {
        let by = by.to_owned();
        let work = move |routes: Arc<Self>, workspace: Arc<Workspace>| async move {
            let leaving = routes.begin_move(&workspace, target, by).await?;
            fail_point("move_begun");
            leaving.run().await
        };
        self.whole(workspace, work).await
    }

    /// Notes that it begins, with all that can be said against it before anything is done.
    async fn begin_move(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        target: Arc<dyn Target>,
        by: String,
    ) -> Result<Leaving, ChangeError> {
        let name = || workspace.name.to_string();
        let machine = || target.machine().to_owned();
        if self.config.workspaces.contains_key(&*workspace.name) {
            return Err(ChangeError::Declared { workspace: name() });
        }
        if target.machine() == self.config.machine() {
            let (workspace, machine) = (name(), machine());
            return Err(ChangeError::AtHome { workspace, machine });
        }
        let machines = self.store.run(|store| store.machines()).await?;
        let mut there = machines.into_iter().filter(|it| it.is_there);
        let there = there.find(|it| it.name == target.machine());
        let there = there.ok_or_else(|| ChangeError::NoMachine { machine: machine() })?;
        let sandboxes = workspace.pair().both().map(|route| route.sandbox.clone());
        let id = new_id();
        let new = NewMove {
            change: NewChange {
                workspace: name(),
                kind: ChangeKind::Move,
                by,
                sandbox: sandboxes[0].name().to_owned(),
                from_release: sandboxes[0].release(),
                to_release: sandboxes[0].release(),
                snapshot: None,
            },
            id: id.to_string(),
            source: self.config.machine().to_owned(),
            epoch: workspace.epoch,
            room: Room {
                machine: there.name,
                slots: there.capacity.slots,
            },
        };
        let begun = self.store.run(move |store| store.begin_move(&new)).await;
        let (change, going) = begun.map_err(|error| match error {
            StoreError::Conflict(Conflict::NoSlot) => {
                ChangeError::NoSlotThere { machine: machine() }
            }
            StoreError::Conflict(Conflict::Move) => ChangeError::Moves { workspace: name() },
            error => error.into(),
        })?;
        let were_running = sandboxes
            .clone()
            .map(|it| it.view().status != Status::Stopped);
        Ok(Leaving {
            routes: self.clone(),
            workspace: workspace.clone(),
            target,
            sandboxes,
            were_running,
            change,
            going,
            id,
        })
    }

    /// What a sandbox runs, if that is noted. What is noted and cannot be read is not left out: the
    /// other machine would run what is declared there.
    async fn release_offered(
        &self,
        set: &str,
        sandbox: &Sandbox,
    ) -> Result<Option<ReleaseContent>, RuntimeError> {
        match sandbox.release() {
            0 => Ok(None),
            number => self.runtime.release_content(set, number).await.map(Some),
        }
    }
}

/// A workspace that is about to leave.
struct Leaving {
    routes: Arc<Routes>,
    workspace: Arc<Workspace>,
    target: Arc<dyn Target>,
    /// Live's first.
    sandboxes: [Arc<Sandbox>; 2],
    were_running: [bool; 2],
    /// Its number in the history.
    change: i64,
    going: MoveRow,
    /// What its data are called on the way.
    id: SnapshotId,
}

/// How far it has come, if it has to be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// Nothing was touched.
    Sent,
    /// The sandboxes are stopped, or about to be.
    Stopped,
}

impl Leaving {
    async fn run(self) -> Result<MoveOutcome, ChangeError> {
        let prepared = self.prepare().await;
        let releases = match prepared {
            Ok(releases) => releases,
            Err(error) => return Err(self.back(error, Reached::Sent, None).await),
        };
        fail_point("move_sent");
        let hold = [Role::Live, Role::Dev]
            .map(|role| RoleHold::begin(&self.routes, &self.workspace, role));
        fail_point("move_held");
        let mut reached = Reached::Sent;
        let moved = match self.forward(&hold, releases, &mut reached).await {
            Ok(()) => self.commit(&hold, releases).await,
            Err(error) => Err(error),
        };
        match moved {
            Ok(row) => Ok(self.done(row, hold)),
            Err(error) => Err(self.back(error, reached, Some(hold)).await),
        }
    }

    /// What needs nobody to wait; answers with the other machine's numbers of the releases.
    async fn prepare(&self) -> Result<[u64; 2], ChangeError> {
        let set = self.workspace.release_set();
        let [live, dev] = &self.sandboxes;
        let releases = [
            self.routes.release_offered(set, live).await?,
            self.routes.release_offered(set, dev).await?,
        ];
        let sent = self.send_ahead(&Offer { releases }).await;
        sent.map_err(|cause| self.not_taken(cause))
    }

    async fn send_ahead(&self, offer: &Offer) -> Result<[u64; 2], String> {
        let name = &self.workspace.name;
        let offered = self.target.offer(name, offer).await?;
        for sandbox in &self.sandboxes {
            send::ahead(&*self.target, name, sandbox, &self.id).await?;
        }
        Ok(offered.releases)
    }

    /// A third of the time is for those who are there, a third for the new home, and the rest to put
    /// everything back in.
    async fn forward(
        &self,
        hold: &[RoleHold; 2],
        releases: [u64; 2],
        reached: &mut Reached,
    ) -> Result<(), ChangeError> {
        let limit = self.routes.hold_limit();
        let begun = Instant::now();
        for (hold, sandbox) in hold.iter().zip(&self.sandboxes) {
            let left = (limit / 3).saturating_sub(begun.elapsed());
            let drained = hold.drained(left).await;
            drained.map_err(|claims| ChangeError::NotDrained {
                sandbox: sandbox.name().to_owned(),
                claims,
                secs: (limit / 3).as_secs(),
            })?;
        }
        *reached = Reached::Stopped;
        for sandbox in &self.sandboxes {
            sandbox.stop().await?;
        }
        fail_point("move_stopped");
        let left = (limit * 2 / 3).saturating_sub(begun.elapsed());
        let arrived = tokio::time::timeout(left, self.arrive(releases)).await;
        let arrived = arrived.unwrap_or_else(|_| Err(late(left)));
        arrived.map_err(|cause| self.not_taken(cause))?;
        fail_point("move_arrived");
        Ok(())
    }

    async fn arrive(&self, releases: [u64; 2]) -> Result<(), String> {
        let name = &self.workspace.name;
        for sandbox in &self.sandboxes {
            send::rest(&*self.target, name, sandbox, &self.id).await?;
        }
        let arrival = Arrival {
            releases,
            starts: self.sandboxes[0].stopped_by().is_none(),
        };
        self.target.arrive(name, &arrival).await
    }

    /// Makes the other machine the home, in the store and in memory.
    async fn commit(
        &self,
        hold: &[RoleHold; 2],
        [live_release, dev_release]: [u64; 2],
    ) -> Result<WorkspaceRow, ChangeError> {
        let commit = CommitMove {
            change: self.change,
            workspace: self.workspace.name.to_string(),
            expect_generation: self.workspace.pair().generation(),
            expect_epoch: self.workspace.epoch,
            live_release,
            dev_release,
            held_ms: hold[0].millis(),
            writes: self.workspace.writes.count(),
        };
        let routes = self.routes.clone();
        let work = move |store: &dyn Store| {
            let placing = &routes.placing;
            let _one = placing.lock().unwrap_or_else(PoisonError::into_inner);
            let row = store.commit_move(&commit)?;
            if let Err(error) = routes.hand_over(store, &row) {
                warn!(workspace = row.name, %error, "where its members are led to is looked up later");
            }
            Ok::<_, StoreError>(row)
        };
        match self.routes.store.run(work).await {
            Err(error @ StoreError::Conflict(_)) => Err(error.into()),
            Err(error) => self.look_up(error).await,
            Ok(row) => Ok(row),
        }
    }

    /// What became of a commit that got no answer. Until that is known nobody is let in anywhere.
    async fn look_up(&self, error: StoreError) -> Result<WorkspaceRow, ChangeError> {
        let look = || {
            let (routes, name) = (self.routes.clone(), self.workspace.name.clone());
            self.routes.store.run(move |store| {
                let placing = &routes.placing;
                let _one = placing.lock().unwrap_or_else(PoisonError::into_inner);
                let row = store.workspace(&name)?;
                let row = row.filter(|row| row.home != routes.config.machine());
                if let Some(row) = &row {
                    routes.hand_over(store, row)?;
                }
                Ok::<_, StoreError>(row)
            })
        };
        let failed = "whether it has moved is not known yet";
        let found = until_done(SOON, &self.workspace.name, failed, look).await;
        found.ok_or_else(|| error.into())
    }

    fn done(self, row: WorkspaceRow, hold: [RoleHold; 2]) -> MoveOutcome {
        fail_point("move_committed");
        let held_ms = hold[0].millis();
        let held_requests = hold.map(RoleHold::send_on).into_iter().sum();
        info!(
            workspace = row.name,
            from = self.going.source,
            to = row.home,
            epoch = row.epoch,
            held_ms,
            held_requests,
            "moved"
        );
        let outcome = MoveOutcome {
            workspace: row.name,
            from: self.going.source.clone(),
            to: row.home,
            slot: row.slot,
            generation: row.generation,
            epoch: row.epoch,
            held_ms,
            held_requests,
            archive: self.going.id.clone(),
        };
        self.routes.put_away_after(MoveRow {
            state: MoveState::Done,
            ..self.going
        });
        outcome
    }

    /// Has everything as it was before anybody is let in.
    async fn back(
        &self,
        error: ChangeError,
        reached: Reached,
        hold: Option<[RoleHold; 2]>,
    ) -> ChangeError {
        warn!(workspace = %self.workspace.name, ?reached, %error, "a move is taken back");
        let held_ms = hold.as_ref().map_or(0, |hold| hold[0].millis());
        if reached == Reached::Stopped {
            for (sandbox, was_running) in self.sandboxes.iter().zip(self.were_running) {
                if was_running
                    && sandbox.stopped_by().is_none()
                    && let Err(error) = sandbox.start().await
                {
                    error!(sandbox = sandbox.name(), %error, "does not run as before");
                }
            }
        }
        fail_point("move_put_back");
        let said = error.to_string();
        let note = || {
            self.routes
                .note_taken_back(self.change, held_ms, said.clone())
        };
        let noted = note().await;
        drop(hold);
        if noted.is_err() {
            until_done(SOON, &self.workspace.name, NOT_NOTED, note).await;
        }
        for sandbox in &self.sandboxes {
            // What was seen of the volume on the way is of no use any longer.
            if let Err(error) = sandbox.recover_volume().await {
                warn!(sandbox = sandbox.name(), %error, "something of the move is left beside the volume");
            }
        }
        error
    }

    fn not_taken(&self, cause: String) -> ChangeError {
        ChangeError::NotTaken {
            workspace: self.workspace.name.to_string(),
            machine: self.target.machine().to_owned(),
            cause,
        }
    }
}

fn late(limit: Duration) -> String {
    format!(
        "it is not healthy there within {} s; raise runtime.hold_secs if it always needs longer",
        limit.as_secs()
    )
}
