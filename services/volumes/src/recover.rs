//! Mending what a crash has left.

use crate::Result;
use crate::error::VolumeError;
use crate::files::{self, open_folder, stat};
use crate::freeze::Freezer;
use crate::id::SnapshotId;
use crate::replace::{RECORD, Record};
use crate::snapshot::DATA;
use crate::transfer::SENT;
use crate::volume::{PART, Store, Volume};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;

impl Volume {
    /// Finishes a replacement that was interrupted after its one step, takes back one that was
    /// interrupted before, and removes snapshots that are not whole. To be called before the
    /// volume is used again; when nothing was interrupted, it does nothing.
    ///
    /// # Errors
    /// If it can't be told what is there: nothing is removed then.
    pub fn recover(&self) -> Result<()> {
        if self.store_if_there()?.is_none() {
            return Ok(());
        }
        let store = self.locked()?;
        for name in store.names()? {
            // What can't be removed now is in nobody's way, and is tried again the next time.
            if Store::is_gone(&name) {
                let _ = store.discard_gone(&name);
            } else if name.ends_with(PART) || name.ends_with(SENT) {
                let _ = store.discard(&name);
            }
        }
        Ok(())
    }

    /// Lets go what may still be held still, for whoever held it was killed. While somebody
    /// works on the volume it is left to them: they let it go, and count on it until then.
    ///
    /// # Errors
    /// If it may still be held.
    pub fn thaw(&self, freezer: &dyn Freezer) -> Result<()> {
        // Held meanwhile, so that nobody freezes it in between.
        let turn = self.store_if_there()?.map(|store| store.try_turn());
        if matches!(turn, Some(Err(Errno::WOULDBLOCK))) {
            return Ok(());
        }
        freezer.thaw().map_err(|error| VolumeError::Thaw {
            volume: self.name.clone(),
            cause: error.to_string(),
        })
    }

    /// Finishes or takes back replacements that were interrupted: nothing else may be done
    /// before, for what was the volume may be in what is not whole.
    pub(crate) fn settle(&self, store: &Store) -> Result<()> {
        for name in store.names()? {
            if let Some(id) = name.strip_suffix(PART).and_then(|id| id.parse().ok())
                && store.has(&format!("{name}/{RECORD}"))
            {
                self.recover_part(store, &id)?;
            }
        }
        Ok(())
    }

    fn recover_part(&self, store: &Store, id: &SnapshotId) -> Result<()> {
        let name = format!("{id}{PART}");
        let path = store.at(&name);
        let part = open_folder(&store.folder, &name)
            .map_err(|error| VolumeError::io("open", &path, error))?;
        let Some(record) = files::read_json::<Record>(part.as_fd(), RECORD, &path)? else {
            return store.discard(&name);
        };
        let inode = |at: &OwnedFd, name: &str| stat(at, name).map(|stat| stat.st_ino).ok();
        let (volume, data) = (inode(&self.folder, &self.name), inode(&part, DATA));
        if volume == Some(record.old) {
            return match &record.was {
                None => store.discard(&name),
                Some(was) => store.take_put_back_back(part.as_fd(), was, id),
            };
        }
        if volume == Some(record.copy) && data == Some(record.old) {
            if record.was.is_some() {
                return self.finish_put_back(store, part.as_fd(), id).map(|_| ());
            }
            return self.put_aside(store, part.as_fd(), id);
        }
        Err(VolumeError::Unclear { path })
    }
}
