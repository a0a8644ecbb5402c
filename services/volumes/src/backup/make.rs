//! Making a backup.

use super::databases::Databases;
use super::{Backup, Backups, Check, Older, data, lead_to_latest};
use crate::Result;
use crate::error::VolumeError;
use crate::files::sync_folder;
use crate::freeze::Freezer;
use crate::fresh::Fresh;
use crate::id::SnapshotId;
use crate::keep::Keep;
use crate::measure::Measure;
use crate::pass::{Kind, Pass};
use crate::room::Room;
use crate::snapshot::{Reason, Snapshot};
use crate::take::{Part, duplicate};
use crate::volume::{PART, Store, Volume};
use rustix::fd::{AsFd, OwnedFd};

impl Volume {
    /// Copies the volume as of one moment to its backups, checks the databases in the copy, and
    /// removes the backups that `keep` does not keep.
    ///
    /// # Errors
    /// If there is no volume, no room, it can't be held still, or a file can't be copied: nothing
    /// is left behind then. [`VolumeError::Damaged`] if a database is not whole: the backup is
    /// there then, and none that is whole was removed.
    pub fn back_up(
        &self,
        to: &Backups,
        id: &SnapshotId,
        keep: &Keep,
        freezer: &dyn Freezer,
        check: &dyn Check,
    ) -> Result<Backup> {
        let store = to.locked()?;
        self.clear_up(to, &store)?;
        self.refuse_taken(&store, id)?;
        if let Some(own) = self.store_if_there()? {
            self.refuse_taken(&own, id)?;
        }
        let before = to.list()?;
        let made = self.make(&store, id, &before, freezer, check);
        let removed = self.abandon(id);
        if made.is_err() {
            let _ = store.discard(&format!("{id}{PART}"));
        }
        let backup = made?;
        removed?;
        lead_to_latest(&store, id)?;
        prune(&store, &to.list()?, *keep, backup.is_whole())?;
        if backup.is_whole() {
            return Ok(backup);
        }
        Err(VolumeError::Damaged {
            volume: self.name.clone(),
            id: id.clone(),
            faults: backup.faults(),
        })
    }

    fn make(
        &self,
        store: &Store,
        id: &SnapshotId,
        before: &[Backup],
        freezer: &dyn Freezer,
        check: &dyn Check,
    ) -> Result<Backup> {
        let part = Part::open(store, id)?;
        // From here on it is known that a snapshot of this id is of no use but for this.
        sync_folder(store.fd(), &store.path)?;
        let snapshot = self.snapshot(id, Reason::Backup, freezer)?;
        let before = before.last();
        let (pass, shared, fresh) = self.bring(store, &part, id, before)?;
        let databases = Databases::new(store, &part, check, &self.name)?;
        let databases = databases.check(before, |before| older(store, before))?;
        part.finish(&fresh)?;
        let backup = Backup {
            id: id.clone(),
            at: snapshot.at,
            bytes: pass.bytes,
            files: pass.files,
            new_bytes: pass.bytes.saturating_sub(shared),
            left_out: snapshot.left_out,
            frozen_ms: snapshot.frozen_ms,
            databases,
        };
        backup.write(part.folder.as_fd(), &part.path)?;
        store.publish(id)?;
        sync_folder(store.fd(), &store.path)?;
        Ok(backup)
    }

    /// Brings a snapshot's tree; says how much it is, and how much of it the backup before has.
    fn bring(
        &self,
        store: &Store,
        part: &Part,
        id: &SnapshotId,
        before: Option<&Backup>,
    ) -> Result<(Measure, u64, Fresh)> {
        let tree = self.snapshots_tree(id)?;
        let path = self.tree_path();
        let beside = || before.map(|before| older(store, before)).transpose();
        let measure = Measure::beside(duplicate(tree.as_fd(), &path)?, beside()?)
            .map_err(|error| VolumeError::io("look through", &path, error))?;
        let room = Room::new(store.fd(), &self.name, &store.path);
        room.check(&measure, part.shares_with(tree.as_fd())?)?;
        let mut pass = Pass::new(
            tree,
            part.copy_of_data()?,
            Kind::Only,
            part.place(true, &room)?,
        )?;
        pass.older = beside()?;
        pass.run().map_err(|error| room.told(error))?;
        let shared = pass.older.as_ref().map_or(0, |older| older.shared);
        Ok((pass.measure, shared, pass.fresh))
    }

    fn snapshots_tree(&self, id: &SnapshotId) -> Result<OwnedFd> {
        let own = self.store_if_there()?;
        let own = own.ok_or_else(|| self.no_snapshot(id))?;
        own.data(id)
            .map_err(|error| VolumeError::io("open", own.at(id.as_str()), error))
    }

    /// Removes what a backup that was interrupted has left.
    fn clear_up(&self, to: &Backups, store: &Store) -> Result<()> {
        for name in store.names()? {
            if Store::is_gone(&name) {
                store.discard_gone(&name)?;
            } else if let Some(id) = name.strip_suffix(PART) {
                if let Ok(id) = id.parse() {
                    self.abandon(&id)?;
                }
                store.discard(&name)?;
            }
        }
        for backup in to.list()? {
            self.abandon(&backup.id)?;
        }
        if self.store_if_there()?.is_none() {
            return Ok(());
        }
        // It may have been interrupted while it removed that.
        let own = self.locked()?;
        for name in own.names()?.iter().filter(|name| Store::is_gone(name)) {
            own.discard_gone(name)?;
        }
        Ok(())
    }

    /// Removes the snapshot that a backup was made of.
    fn abandon(&self, id: &SnapshotId) -> Result<()> {
        let name = format!("{id}{PART}");
        let Some(own) = self.store_if_there()? else {
            return Ok(());
        };
        if !own.has(id.as_str()) && !own.has(&name) {
            return Ok(());
        }
        let own = self.locked()?;
        own.discard(&name)?;
        let Ok(folder) = own.open(id) else {
            return Ok(());
        };
        let about = Snapshot::read(folder.as_fd(), &own.at(id.as_str()))?;
        if about.is_some_and(|about| about.reason == Reason::Backup) {
            own.discard(id.as_str())?;
        }
        Ok(())
    }
}

fn older(store: &Store, before: &Backup) -> Result<Older> {
    data(store, &before.id)
        .and_then(|tree| Older::new(tree, before.at))
        .map_err(|error| VolumeError::io("open", store.at(before.id.as_str()), error))
}

/// Backups with a database that is not whole never push out one without. After a run that made
/// such a one, all those without stay.
fn prune(store: &Store, all: &[Backup], keep: Keep, is_whole: bool) -> Result<()> {
    for kind in [true, false] {
        if kind && !is_whole {
            continue;
        }
        let of_kind: Vec<_> = all.iter().filter(|it| it.is_whole() == kind).collect();
        let times: Vec<_> = of_kind.iter().map(|it| it.at).collect();
        for surplus in keep.surplus_of(&times) {
            store.discard(of_kind[surplus].id.as_str())?;
        }
    }
    Ok(())
}
