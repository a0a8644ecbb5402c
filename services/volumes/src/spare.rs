//! Room that each snapshot keeps for the moment in which it is put back: that must succeed on a
//! disk that is full, too, such as one that the volume itself has filled.

use crate::Result;
use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use std::fs::File;
use std::io::Write as _;

/// The files in a snapshot's folder that take the room: one for each file of our own that is
/// written at that moment, and one for a longer list of names, since each takes an inode as well as
/// blocks.
const SPARES: [&str; 3] = ["spare", "spare-2", "spare-3"];
/// Enough for a small file and a list of names in blocks of 4 KiB.
const BYTES: [u8; 8 * 1024] = [b'.'; 8 * 1024];

/// Takes the room, unless there is none any more. What is in there does not matter.
pub(crate) fn keep(folder: BorrowedFd<'_>) {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for name in SPARES {
        if let Ok(file) = openat(folder, name, flags, Mode::RUSR | Mode::WUSR) {
            let _ = File::from(file).write_all(&BYTES);
        }
    }
}

/// Writes something, in the room that was kept if there is no other.
pub(crate) fn write<T>(folder: BorrowedFd<'_>, write: impl Fn() -> Result<T>) -> Result<T> {
    let mut written = write();
    for name in SPARES {
        match &written {
            Err(error) if error.is_full() => {}
            _ => break,
        }
        if unlinkat(folder, name, AtFlags::empty()).is_ok() {
            written = write();
        }
    }
    written
}
