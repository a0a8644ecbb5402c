//! Many names in little memory, and what a folder has in it.

use crate::files::open_folder;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, RawDir};
use rustix::io::{Errno, dup};
use std::ffi::{CStr, CString};

/// A stack of names, one after the other in one piece of memory.
#[derive(Default)]
pub(crate) struct Names(Vec<u8>);

impl Names {
    pub(crate) fn push(&mut self, name: &CStr) {
        self.0.extend_from_slice(name.to_bytes_with_nul());
    }

    pub(crate) fn pop(&mut self) -> Option<CString> {
        let inner = self.0.len().checked_sub(1)?;
        let before = self.0[..inner].iter().rposition(|byte| *byte == 0);
        let name = self.0.split_off(before.map_or(0, |end| end + 1));
        CString::from_vec_with_nul(name).ok()
    }
}

/// Reads a folder a piece at a time, so that its size does not matter.
pub(crate) struct Reader(Vec<u8>);

const PIECE: usize = 64 * 1024;

impl Default for Reader {
    fn default() -> Self {
        Self(Vec::with_capacity(PIECE))
    }
}

impl Reader {
    /// Calls `each` with every name but `.` and `..`, from where `folder` has been read to. A
    /// folder that was removed meanwhile has none.
    pub(crate) fn each<E: From<Errno>>(
        &mut self,
        folder: impl AsFd,
        mut each: impl FnMut(&CStr, FileType) -> Result<(), E>,
    ) -> Result<(), E> {
        let folder: OwnedFd = dup(folder)?;
        let mut entries = RawDir::new(folder, self.0.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Err(Errno::NOENT) => return Ok(()),
                other => other?,
            };
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                each(entry.file_name(), entry.file_type())?;
            }
        }
        Ok(())
    }
}

/// The names in a folder of our own.
pub(crate) fn names_in(folder: BorrowedFd<'_>) -> Result<Vec<String>, Errno> {
    let mut names = Names::default();
    Reader::default().each(open_folder(folder, ".")?, |name, _| {
        names.push(name);
        Ok::<(), Errno>(())
    })?;
    let each = std::iter::from_fn(|| names.pop());
    Ok(each
        .filter_map(|name: CString| name.into_string().ok())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_come_back_last_first() {
        let mut names = Names::default();
        for name in [c"a", c"bc", c"\n \xff", c"d"] {
            names.push(name);
        }
        for name in [c"d", c"\n \xff", c"bc", c"a"] {
            assert_eq!(names.pop().as_deref(), Some(name));
        }
        assert_eq!(names.pop(), None);
    }
}
