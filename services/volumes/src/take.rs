//! Taking a snapshot.

use crate::Result;
use crate::contents::Sharing;
use crate::error::VolumeError;
use crate::files::own_folder;
use crate::freeze::{Freezer, Frozen};
use crate::fresh::Fresh;
use crate::id::SnapshotId;
use crate::leaf::descriptors;
use crate::links::Links;
use crate::measure::Measure;
use crate::pass::{Kind, Pass, Place};
use crate::remove::remove_own;
use crate::room::Room;
use crate::seen::Seen;
use crate::snapshot::{DATA, Reason, Snapshot};
use crate::volume::{PART, Store, Volume};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{fstat, fstatfs, syncfs};
use std::time::{SystemTime, UNIX_EPOCH};

/// Up to so many files, a pass over shared blocks is short enough for one, frozen.
const FEW_SHARED: u64 = 2000;
/// Up to so many files and bytes, so is a copy.
const FEW_COPIED: (u64, u64) = (500, 4 << 20);

/// So many names more than there were when it was measured are no flood.
pub(crate) const SLACK: u64 = 10_000;

/// A snapshot that is being made.
pub(crate) struct Part {
    pub folder: OwnedFd,
    pub data: OwnedFd,
    pub path: String,
    pub sharing: Sharing,
    junk: OwnedFd,
}

/// The folders in there that are not for long.
const JUNK: &str = "junk";
const LINKS: [&str; 2] = ["links-1", "links-2"];

impl Part {
    pub(crate) fn open(store: &Store, id: &SnapshotId) -> Result<Self> {
        let name = format!("{id}{PART}");
        let path = store.at(&name);
        let folder = own_folder(store.fd(), &name, &store.path)?;
        let data = own_folder(folder.as_fd(), DATA, &path)?;
        let junk = own_folder(folder.as_fd(), JUNK, &path)?;
        let sharing = Sharing::probe(folder.as_fd())
            .map_err(|error| VolumeError::io("write in", &path, error))?;
        Ok(Self {
            folder,
            data,
            path,
            sharing,
            junk,
        })
    }

    pub(crate) fn place<'a>(&'a self, second: bool, room: &'a Room<'a>) -> Result<Place<'a>> {
        let links = LINKS[usize::from(second)];
        Ok(Place {
            junk: self.junk.as_fd(),
            links: Links(own_folder(self.folder.as_fd(), links, &self.path)?),
            descriptors: descriptors()?,
            sharing: self.sharing,
            room,
        })
    }

    /// Whether copies of what is in that folder take no room.
    pub(crate) fn shares_with(&self, source: BorrowedFd<'_>) -> Result<bool> {
        let dev = |folder| fstat(folder).map(|stat| stat.st_dev);
        let same = dev(source).and_then(|one| Ok(one == dev(self.folder.as_fd())?));
        let same = same.map_err(|error| VolumeError::io("look at", &self.path, error))?;
        Ok(self.sharing.possible && same)
    }

    pub(crate) fn copy_of_data(&self) -> Result<OwnedFd> {
        duplicate(self.data.as_fd(), &self.path)
    }

    /// Removes what was needed while it was made, and makes all of it durable.
    pub(crate) fn finish(&self, fresh: &Fresh) -> Result<()> {
        for name in [JUNK, LINKS[0], LINKS[1], Seen::FILE] {
            remove_own(self.folder.as_fd(), name).map_err(|error| {
                VolumeError::io("remove", format!("{}/{name}", self.path), error)
            })?;
        }
        fresh
            .sync(self.folder.as_fd())
            .map_err(|error| VolumeError::io("sync", &self.path, error))
    }
}

/// The same folder once more, read from its beginning.
pub(crate) fn duplicate(folder: BorrowedFd<'_>, path: &str) -> Result<OwnedFd> {
    crate::files::open_folder(folder, ".").map_err(|error| VolumeError::io("open", path, error))
}

impl Volume {
    /// What of a snapshot can be done while the volume is written to: it makes
    /// [`Volume::snapshot`] of the same id short.
    ///
    /// # Errors
    /// If there is no volume, no room, or a file can't be copied. Nothing is left behind then.
    pub fn prepare(&self, id: &SnapshotId) -> Result<()> {
        let store = self.locked()?;
        self.refuse_taken(&store, id)?;
        let name = format!("{id}{PART}");
        // Of those that were prepared before, and given up.
        for name in store.names()?.iter().filter(|name| name.ends_with(PART)) {
            store.discard(name)?;
        }
        let room = Room::new(store.fd(), &self.name, &store.path);
        let prepared = self.tree().and_then(|tree| {
            let (part, seen) = self.begin(&store, &room, id, &tree)?;
            seen.write(part.folder.as_fd(), &part.path)
        });
        prepared.map_err(|error| {
            // What it says is worth more than that something is left for `recover`.
            let _ = store.discard(&name);
            room.told(error)
        })
    }

    /// Copies the volume as of one moment, in which `freezer` holds what writes to it.
    ///
    /// # Errors
    /// If there is no volume, no room, it can't be held still, or a file can't be copied.
    /// Nothing is left behind then, and nothing is held.
    pub fn snapshot(
        &self,
        id: &SnapshotId,
        reason: Reason,
        freezer: &dyn Freezer,
    ) -> Result<Snapshot> {
        let store = self.locked()?;
        self.refuse_taken(&store, id)?;
        let room = Room::new(store.fd(), &self.name, &store.path);
        self.take(&store, &room, (id, reason), freezer)
            .map_err(|error| {
                let _ = store.discard(&format!("{id}{PART}"));
                room.told(error)
            })
    }

    pub(crate) fn refuse_taken(&self, store: &Store, id: &SnapshotId) -> Result<()> {
        if store.has(id.as_str()) {
            return Err(VolumeError::Exists {
                volume: self.name.clone(),
                id: id.clone(),
            });
        }
        Ok(())
    }

    fn take(
        &self,
        store: &Store,
        room: &Room<'_>,
        (id, reason): (&SnapshotId, Reason),
        freezer: &dyn Freezer,
    ) -> Result<Snapshot> {
        let tree = self.tree()?;
        let (part, seen) = self.prepared(store, room, id, &tree, freezer)?;
        let mut pass = Pass::new(
            duplicate(tree.as_fd(), &self.tree_path())?,
            part.copy_of_data()?,
            seen.map_or(Kind::Only, Kind::Second),
            part.place(true, room)?,
        )?;
        let frozen = Frozen::new(freezer).map_err(|error| VolumeError::Freeze {
            volume: self.name.clone(),
            cause: error.to_string(),
        })?;
        let at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let copied = if freezer.is_idle() {
            pass.run()
        } else {
            pass.run_frozen()
        };
        let frozen_ms = frozen.thaw().map_err(|error| VolumeError::Thaw {
            volume: self.name.clone(),
            cause: error.to_string(),
        })?;
        copied?;
        part.finish(&pass.fresh)?;
        let snapshot = Snapshot {
            id: id.clone(),
            at: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            reason,
            bytes: pass.measure.bytes,
            files: pass.measure.files,
            frozen_ms: (frozen_ms * 1000.0).round() / 1000.0,
            shares_blocks: part.sharing.possible,
            left_out: pass.measure.left_out,
        };
        snapshot.write(part.folder.as_fd(), &part.path)?;
        store.publish(id)?;
        Ok(snapshot)
    }

    /// What the second pass goes on with.
    fn prepared(
        &self,
        store: &Store,
        room: &Room<'_>,
        id: &SnapshotId,
        tree: &OwnedFd,
        freezer: &dyn Freezer,
    ) -> Result<(Part, Option<Seen>)> {
        let name = format!("{id}{PART}");
        if store.has(&name) {
            let part = Part::open(store, id)?;
            if let Some(seen) = Seen::read(part.folder.as_fd(), &part.path)? {
                room.set_needs(seen.needs);
                return Ok((part, Some(seen)));
            }
            // A first pass that was interrupted, or tells nothing any more.
            store.discard(&name)?;
        }
        if freezer.is_idle() {
            let part = Part::open(store, id)?;
            self.measured(room, &part, tree)?;
            return Ok((part, None));
        }
        let (part, seen) = self.begin(store, room, id, tree)?;
        Ok((part, Some(seen)))
    }

    fn measured(&self, room: &Room<'_>, part: &Part, tree: &OwnedFd) -> Result<Measure> {
        let path = self.tree_path();
        let measure = Measure::of(duplicate(tree.as_fd(), &path)?)
            .map_err(|error| VolumeError::io("look through", &path, error))?;
        room.check(&measure, part.sharing.possible)?;
        Ok(measure)
    }

    /// Does what can be done before what writes to the volume is held still: if a copy takes
    /// long, that is the first pass.
    fn begin(
        &self,
        store: &Store,
        room: &Room<'_>,
        id: &SnapshotId,
        tree: &OwnedFd,
    ) -> Result<(Part, Seen)> {
        let part = Part::open(store, id)?;
        let measure = self.measured(room, &part, tree)?;
        let seen = Seen::begin(room.needs());
        let one = is_short(&measure, part.sharing) || !stamps_tell(tree.as_fd());
        if !one || part.sharing.possible {
            // Data is written out before it is shared, too.
            sync(tree.as_fd(), &self.tree_path())?;
        }
        if one {
            return Ok((part, seen));
        }
        let most = measure.inodes().saturating_mul(2) + SLACK;
        let mut pass = Pass::new(
            duplicate(tree.as_fd(), &self.tree_path())?,
            part.copy_of_data()?,
            Kind::First(seen, most),
            part.place(false, room)?,
        )?;
        pass.run()?;
        // So the second pass has little to make durable.
        sync(part.folder.as_fd(), &part.path)?;
        let seen = match pass.kind {
            Kind::First(seen, _) | Kind::Second(seen) => seen.sorted(),
            Kind::Only => Seen::begin(room.needs()),
        };
        Ok((part, seen))
    }
}

pub(crate) fn sync(tree: BorrowedFd<'_>, path: &str) -> Result<()> {
    syncfs(tree).map_err(|error| VolumeError::io("sync", path, error))
}

fn is_short(measure: &Measure, sharing: Sharing) -> bool {
    let (files, bytes) = if sharing.possible {
        (FEW_SHARED, u64::MAX)
    } else {
        FEW_COPIED
    };
    measure.inodes() <= files && measure.bytes <= bytes
}

/// Whether a write through a mapping, after all was written out, changes a file's time stamps:
/// without that, a second pass can't know what to copy.
pub(crate) fn stamps_tell(tree: BorrowedFd<'_>) -> bool {
    /// ext4 (and ext2, ext3), XFS, btrfs, F2FS.
    const KNOWN: [u64; 4] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010];
    fstatfs(tree).is_ok_and(|all| u64::try_from(all.f_type).is_ok_and(|kind| KNOWN.contains(&kind)))
}
