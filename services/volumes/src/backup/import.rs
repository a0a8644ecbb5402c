//! A backup becomes a snapshot again.

use super::{Backup, Backups, data};
use crate::Result;
use crate::error::VolumeError;
use crate::id::SnapshotId;
use crate::pass::{Kind, Pass};
use crate::replace::{measure, now};
use crate::room::Room;
use crate::snapshot::{Reason, Snapshot};
use crate::take::{Part, duplicate};
use crate::volume::{PART, Store, Volume};
use rustix::fd::AsFd;
use rustix::io::Errno;

impl Volume {
    /// Makes a backup the snapshot `new` of this volume, owners and all.
    ///
    /// # Errors
    /// If there is no such backup, there is such a snapshot, or no room. Nothing is left behind
    /// then.
    pub fn import(&self, from: &Backups, id: &SnapshotId, new: &SnapshotId) -> Result<Snapshot> {
        // Held, so that it is not removed meanwhile.
        let theirs = from.locked()?;
        let store = self.locked()?;
        self.refuse_taken(&store, new)?;
        let name = format!("{new}{PART}");
        store.discard(&name)?;
        let made = self.bring_back(&theirs, id, &store, new);
        if made.is_err() {
            let _ = store.discard(&name);
        }
        made
    }

    fn bring_back(
        &self,
        theirs: &Store,
        id: &SnapshotId,
        store: &Store,
        new: &SnapshotId,
    ) -> Result<Snapshot> {
        let path = theirs.at(id.as_str());
        let failed = |error| match error {
            Errno::NOENT => self.no_backup(id),
            error => VolumeError::io("open", &path, error),
        };
        let about = Backup::read(theirs.open(id).map_err(failed)?.as_fd(), &path)?;
        let about = about.ok_or_else(|| self.no_backup(id))?;
        let data = data(theirs, id).map_err(failed)?;
        let part = Part::open(store, new)?;
        let room = Room::new(store.fd(), &self.name, &store.path);
        room.check(&measure(&data, &path)?, part.shares_with(data.as_fd())?)?;
        let mut pass = Pass::new(
            duplicate(data.as_fd(), &path)?,
            part.copy_of_data()?,
            Kind::Only,
            part.place(true, &room)?,
        )?;
        pass.run().map_err(|error| room.told(error))?;
        part.finish(&pass.fresh).map_err(|error| room.told(error))?;
        let snapshot = Snapshot {
            id: new.clone(),
            at: now(),
            reason: Reason::Backup,
            bytes: pass.measure.bytes,
            files: pass.measure.files,
            frozen_ms: 0.0,
            shares_blocks: false,
            left_out: about.left_out,
        };
        snapshot.write(part.folder.as_fd(), &part.path)?;
        store.publish(new)?;
        Ok(snapshot)
    }

    fn no_backup(&self, id: &SnapshotId) -> VolumeError {
        VolumeError::NoBackup {
            volume: self.name.clone(),
            id: id.clone(),
        }
    }
}
