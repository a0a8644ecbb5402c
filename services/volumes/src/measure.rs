//! How large a tree is.

use crate::backup::Older;
use crate::files::{Inode, open_folder, stat};
use crate::names::{Names, Reader};
use crate::trail::Trail;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Stat, fstat};
use rustix::io::Errno;
use std::time::Instant;

/// How much a tree holds.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Measure {
    pub bytes: u64,
    pub files: u64,
    pub folders: u64,
    pub left_out: u64,
}

impl Measure {
    pub(crate) fn inodes(&self) -> u64 {
        self.files + self.folders
    }

    /// Looks through the tree without opening a file. It may change meanwhile, so this is an
    /// estimate unless nothing writes there. A file with several names counts in shares.
    pub(crate) fn of(root: OwnedFd) -> Result<Self, Errno> {
        Self::beside(root, None)
    }

    /// The same of what an older copy does not have: what did not change since counts for
    /// nothing but a name.
    pub(crate) fn beside(root: OwnedFd, older: Option<Older>) -> Result<Self, Errno> {
        Self::walk(root, older, None)
    }

    /// As [`Measure::of`], but given up with [`Errno::TIMEDOUT`] at this time.
    pub(crate) fn until(root: OwnedFd, until: Instant) -> Result<Self, Errno> {
        Self::walk(root, None, Some(until))
    }

    fn walk(
        root: OwnedFd,
        mut older: Option<Older>,
        until: Option<Instant>,
    ) -> Result<Self, Errno> {
        let mut measure = Self::default();
        let mut reader = Reader::default();
        let mut trail = Trail::new(root)?;
        let mut levels = vec![measure.here(&trail, &mut reader, older.as_ref(), until)?];
        while let Some(folders) = levels.last_mut() {
            let Some(name) = folders.pop() else {
                levels.pop();
                match trail.back() {
                    Err(Errno::STALE) => break,
                    other => other?,
                };
                if let Some(older) = &mut older {
                    older.back()?;
                }
                continue;
            };
            // What is gone, or became something else, or is mounted there, does not count.
            let Ok(folder) = open_folder(trail.here(), &name) else {
                continue;
            };
            measure.folders += 1;
            let inode = Inode::of(&fstat(&folder)?);
            trail.enter(folder, inode);
            if let Some(older) = &mut older {
                older.enter(&name)?;
            }
            levels.push(measure.here(&trail, &mut reader, older.as_ref(), until)?);
        }
        Ok(measure)
    }

    /// Counts what is in the current folder, and gives the names of the folders in there.
    fn here(
        &mut self,
        trail: &Trail,
        reader: &mut Reader,
        older: Option<&Older>,
        until: Option<Instant>,
    ) -> Result<Names, Errno> {
        let mut folders = Names::default();
        reader.each(trail.here(), |name, _| {
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(Errno::TIMEDOUT);
            }
            let Ok(stat) = stat(trail.here(), name) else {
                return Ok::<(), Errno>(());
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => folders.push(name),
                FileType::RegularFile | FileType::Symlink | FileType::Fifo => {
                    self.files += 1;
                    if !older.is_some_and(|older| older.is(name, &stat)) {
                        self.bytes += data(&stat) / names(&stat);
                    }
                }
                _ => self.left_out += 1,
            }
            Ok(())
        })?;
        Ok(folders)
    }
}

/// How much of a file is no hole. A small file may lie in its inode, and have no block.
pub(crate) fn data(stat: &Stat) -> u64 {
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return 0;
    }
    if stat.st_blocks == 0 && size < 4096 {
        return size;
    }
    let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
    size.min(blocks.saturating_mul(512))
}

#[allow(clippy::useless_conversion, reason = "some machines count in 32 bits")]
fn names(stat: &Stat) -> u64 {
    u64::from(stat.st_nlink).max(1)
}
