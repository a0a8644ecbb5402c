//! Whether a copy fits, before and while it is made.

use crate::Result;
use crate::error::VolumeError;
use crate::measure::Measure;
use rustix::fd::BorrowedFd;
use rustix::fs::fstatvfs;
use std::cell::Cell;

/// A tenth of the disk, and this at most, is never taken by copies.
const MOST_RESERVE: u64 = 2 << 30;
/// After so many more bytes it is seen again what is free: others write as well.
const CHECK_AFTER: u64 = 64 << 20;
/// About what a file takes beside its data: an inode and a name.
const PER_FILE: u64 = 1024;

/// The room for one copy.
pub(crate) struct Room<'a> {
    folder: BorrowedFd<'a>,
    volume: &'a str,
    path: &'a str,
    needs: Cell<u64>,
    unchecked: Cell<u64>,
}

struct Free {
    bytes: u64,
    reserve: u64,
    inodes: Option<u64>,
}

impl<'a> Room<'a> {
    /// For a copy of `volume` on the file system of `folder`, which is at `path`.
    pub(crate) fn new(folder: BorrowedFd<'a>, volume: &'a str, path: &'a str) -> Self {
        Self {
            folder,
            volume,
            path,
            needs: Cell::new(0),
            unchecked: Cell::new(0),
        }
    }

    /// What is copied.
    pub(crate) fn volume(&self) -> &str {
        self.volume
    }

    pub(crate) fn needs(&self) -> u64 {
        self.needs.get()
    }

    /// For a copy that was checked before, perhaps by another process.
    pub(crate) fn set_needs(&self, needs: u64) {
        self.needs.set(needs);
    }

    /// Refuses what does not fit. Shared data takes no room.
    pub(crate) fn check(&self, measure: &Measure, shares_blocks: bool) -> Result<()> {
        let data = if shares_blocks { 0 } else { measure.bytes };
        let names = measure.inodes().saturating_mul(PER_FILE);
        self.set_needs(data.saturating_add(names));
        let free = self.free()?;
        if self.needs() > free.bytes {
            return Err(self.none());
        }
        match free.inodes {
            Some(inodes) if measure.inodes() > inodes => Err(VolumeError::NoInodes {
                volume: self.volume.to_owned(),
                path: self.path.to_owned(),
                needs: measure.inodes(),
                free: inodes,
            }),
            _ => Ok(()),
        }
    }

    /// Refuses one more file that does not fit, for a while.
    pub(crate) fn take(&self, bytes: u64, shares_blocks: bool) -> Result<()> {
        let file = Measure {
            bytes,
            files: 1,
            ..Measure::default()
        };
        self.check(&file, shares_blocks)
    }

    /// To be told of each piece that was copied.
    pub(crate) fn charge(&self, bytes: u64) -> Result<()> {
        self.unchecked.set(self.unchecked.get() + bytes);
        if self.unchecked.get() < CHECK_AFTER {
            return Ok(());
        }
        self.unchecked.set(0);
        if self.free()?.bytes == 0 {
            return Err(self.none());
        }
        Ok(())
    }

    /// What an error of a copy is to people: a full disk has a sentence of its own.
    pub(crate) fn told(&self, error: VolumeError) -> VolumeError {
        if error.is_full() { self.none() } else { error }
    }

    fn none(&self) -> VolumeError {
        let free = self.free().ok();
        VolumeError::NoRoom {
            volume: self.volume.to_owned(),
            path: self.path.to_owned(),
            needs: self.needs(),
            free: free.as_ref().map_or(0, |free| free.bytes),
            reserve: free.map_or(0, |free| free.reserve),
        }
    }

    fn free(&self) -> Result<Free> {
        let all = fstatvfs(self.folder)
            .map_err(|error| VolumeError::io("see the room in", self.path, error))?;
        let reserve = (all.f_blocks.saturating_mul(all.f_frsize) / 10).min(MOST_RESERVE);
        Ok(Free {
            bytes: (all.f_bavail.saturating_mul(all.f_frsize)).saturating_sub(reserve),
            reserve,
            // btrfs makes them as they are needed.
            inodes: (all.f_files > 0).then_some(all.f_favail),
        })
    }
}

/// As people say it.
pub(crate) fn human(bytes: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in UNITS {
        let whole = bytes >> shift;
        if whole > 0 {
            let tenths = ((bytes - (whole << shift)) * 10) >> shift;
            return format!("{whole}.{tenths} {unit}");
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_are_said_as_people_say_them() {
        assert_eq!(human(0), "0 bytes");
        assert_eq!(human(1536), "1.5 KiB");
        assert_eq!(human((12 << 30) / 10), "1.1 GiB");
        assert_eq!(human(u64::MAX), "17179869183.9 GiB");
    }
}
