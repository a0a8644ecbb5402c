//! What was sent before, by which a pass knows what need not be read again.
//!
//! A digest is good for a file that is as it was when it was read ([`Seen`]). The receiver says
//! whether it still has that: nothing wrong comes of a state that is out of date.

use crate::Result;
use crate::error::VolumeError;
use crate::files::{self, own_folder};
use crate::id::SnapshotId;
use crate::remove::remove_own;
use crate::seen::Seen;
use crate::transfer::digest::Digest;
use crate::volume::Store;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::Stat;
use std::collections::HashSet;

/// Follows the id of a transfer that is under way, in the folder of a volume's snapshots.
pub(crate) const SENT: &str = ".sent";
/// The file in there with a digest for each file that was seen.
const DIGESTS: &str = "digests";

/// What one walk saw: the number of a file's digest takes the place of that of a copy's inode.
struct Walked {
    seen: Seen,
    digests: Vec<Digest>,
}

#[derive(Default)]
pub(super) struct State {
    before: Option<Walked>,
    now: Option<Walked>,
    /// The inodes of files that the receiver does not have as they were sent.
    lost: HashSet<u64>,
}

impl State {
    pub(super) fn read(store: &Store, id: &SnapshotId) -> Result<Self> {
        let name = format!("{id}{SENT}");
        let mut state = Self::default();
        if store.has(&name) {
            let (folder, path) = (own_folder(store.fd(), &name, &store.path)?, store.at(&name));
            state.before = Walked::read(folder.as_fd(), &path)?;
        }
        Ok(state)
    }

    /// To be called before all that is dirty is written out.
    pub(super) fn begin(&mut self) {
        self.now = Some(Walked {
            seen: Seen::begin(0),
            digests: Vec::new(),
        });
    }

    /// The digest of a file that need not be read.
    pub(super) fn known(&mut self, file: &Stat) -> Option<Digest> {
        let before = self.before.as_ref()?;
        let number = usize::try_from(before.seen.copy_of(file)?).ok()?;
        let digest = *before.digests.get(number)?;
        if self.lost.contains(&file.st_ino) {
            return None;
        }
        self.add(file, digest);
        Some(digest)
    }

    pub(super) fn add(&mut self, file: &Stat, digest: Digest) {
        if let Some(now) = &mut self.now {
            now.seen.add(now.digests.len() as u64, file);
            now.digests.push(digest);
        }
    }

    pub(super) fn lose(&mut self, inode: u64) {
        self.lost.insert(inode);
    }

    /// The next walk need not read what this one has.
    pub(super) fn again(&mut self) {
        if let Some(now) = self.now.take() {
            self.before = Some(now.sorted());
            self.begin();
        }
    }

    pub(super) fn write(self, store: &Store, id: &SnapshotId) -> Result<()> {
        let name = format!("{id}{SENT}");
        let Some(now) = self.now else {
            return store.discard(&name);
        };
        let folder = own_folder(store.fd(), &name, &store.path)?;
        now.sorted().write(folder.as_fd(), &store.at(&name))
    }
}

impl Walked {
    fn sorted(self) -> Self {
        Self {
            seen: self.seen.sorted(),
            ..self
        }
    }

    /// Without the one file the other says nothing.
    fn write(&self, folder: BorrowedFd<'_>, path: &str) -> Result<()> {
        remove_own(folder, Seen::FILE).map_err(|error| VolumeError::io("remove", path, error))?;
        files::write(folder, DIGESTS, self.digests.as_flattened(), path)?;
        self.seen.write(folder, path)
    }

    fn read(folder: BorrowedFd<'_>, path: &str) -> Result<Option<Self>> {
        let Some(seen) = Seen::read(folder, path)? else {
            return Ok(None);
        };
        let digests = files::read(folder, DIGESTS, path)?.unwrap_or_default();
        let digests = digests.as_chunks().0.to_vec();
        Ok(Some(Self { seen, digests }))
    }
}
