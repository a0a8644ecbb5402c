//! The extended attributes that come with a file or folder.

use crate::attributes::{keep_extended, set_extended};
use crate::transfer::digest::Entry;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::ffi::CStr;

/// As long as Linux lets the list of their names be.
const MOST: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Extended {
    names: Vec<Vec<u8>>,
    bytes: usize,
}

impl Extended {
    /// Gives one to `target`; false if no file has so many.
    pub(super) fn give(
        &mut self,
        target: BorrowedFd<'_>,
        (name, value): (&CStr, &[u8]),
        entry: &mut Entry,
    ) -> Result<bool, Errno> {
        self.bytes += name.count_bytes() + 1;
        if self.bytes > MOST {
            return Ok(false);
        }
        entry.extended(name.to_bytes(), value);
        self.names.push(name.to_bytes().to_vec());
        set_extended(target, name.to_bytes(), value).map(|()| true)
    }

    /// Removes all others.
    pub(super) fn end(&self, target: BorrowedFd<'_>) -> Result<(), Errno> {
        keep_extended(target, &self.names)
    }
}
