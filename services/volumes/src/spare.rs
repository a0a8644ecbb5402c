//! Room that each snapshot keeps for the moment in which it is put back: that must succeed on a
//! disk that is full, too, such as one that the volume itself has filled.

use crate::Result;
use crate::files::new_name;
use rustix::fd::BorrowedFd;
use rustix::fs::{Mode, OFlags, openat, renameat};
use std::fs::File;
use std::io::Write as _;

/// The files in a snapshot's folder that take the room: one for each file of our own that is
/// written at that moment, since each takes an inode as well as blocks.
const SPARES: [&str; 2] = ["spare", "spare-2"];
/// Enough for our own small files in blocks of 4 KiB.
const BYTES: [u8; 16 * 1024] = [b'.'; 16 * 1024];

/// Takes the room, unless there is none any more. What is in there does not matter.
pub(crate) fn keep(folder: BorrowedFd<'_>) {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for name in SPARES {
        if let Ok(file) = openat(folder, name, flags, Mode::RUSR | Mode::WUSR) {
            let _ = File::from(file).write_all(&BYTES);
        }
    }
}

/// Writes a file of our own, in the room that was kept if there is no other: that file becomes the
/// one that is written, for what is removed may give its room back only after a while.
pub(crate) fn write<T>(
    folder: BorrowedFd<'_>,
    name: &str,
    write: impl Fn() -> Result<T>,
) -> Result<T> {
    let mut written = write();
    for spare in SPARES {
        match &written {
            Err(error) if error.is_full() => {}
            _ => break,
        }
        if renameat(folder, spare, folder, new_name(name)).is_ok() {
            written = write();
        }
    }
    written
}
