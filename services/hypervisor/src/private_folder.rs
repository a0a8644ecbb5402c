//! Folders that are for this program's user alone.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes the folder, and those above it, unless they are there.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The same of the folder that this file is to be in.
pub(crate) fn make_for(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), make)
}
