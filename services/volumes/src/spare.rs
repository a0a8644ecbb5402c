//! Room that each snapshot keeps for the moment in which it is put back: that must succeed on a
//! disk that is full, too, such as one that the volume itself has filled.

use crate::Result;
use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use std::fs::File;
use std::io::Write as _;

/// The file in a snapshot's folder that takes the room.
const SPARE: &str = "spare";
/// Enough for our own small files in blocks of 4 KiB.
const BYTES: [u8; 16 * 1024] = [b'.'; 16 * 1024];

/// Takes the room, unless there is none any more. What is in there does not matter.
pub(crate) fn keep(folder: BorrowedFd<'_>) {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if let Ok(file) = openat(folder, SPARE, flags, Mode::RUSR | Mode::WUSR) {
        let _ = File::from(file).write_all(&BYTES);
    }
}

/// Writes something, in the room that was kept if there is no other.
pub(crate) fn write<T>(folder: BorrowedFd<'_>, write: impl Fn() -> Result<T>) -> Result<T> {
    match write() {
        Err(error) if error.is_full() && unlinkat(folder, SPARE, AtFlags::empty()).is_ok() => {
            write()
        }
        written => written,
    }
}
