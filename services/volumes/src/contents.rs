//! A file's data: shared where the file system can, else copied, holes as holes.

use crate::Result;
use crate::error::VolumeError;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, Mode, OFlags, SeekFrom, copy_file_range, ftruncate, ioctl_ficlone, openat, seek,
    unlinkat,
};
use rustix::io::{Errno, pread, pwrite, write};

/// What a copy takes at once.
const PIECE: u64 = 8 << 20;
const BUFFER: usize = 256 * 1024;

/// Whether files share their blocks with their copies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sharing {
    pub possible: bool,
}

/// Is told of each piece that was copied, and may stop the copy.
type Progress<'a> = &'a mut dyn FnMut(u64) -> Result<()>;

/// Why a file's data was not copied.
pub(crate) enum Failed {
    Errno(Errno),
    /// No room, or no time.
    Stopped(VolumeError),
}

impl From<Errno> for Failed {
    fn from(error: Errno) -> Self {
        Self::Errno(error)
    }
}

impl Sharing {
    /// Tries it in a folder of our own.
    pub(crate) fn probe(folder: BorrowedFd<'_>) -> Result<Self, Errno> {
        const NAMES: [&str; 2] = ["probe", "probe-copy"];
        let make = |name: &str| -> Result<OwnedFd, Errno> {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
            openat(folder, name, flags, Mode::RUSR | Mode::WUSR)
        };
        let [from, to] = [make(NAMES[0])?, make(NAMES[1])?];
        let possible = match write(&from, &[1; 4096]) {
            Ok(_) => ioctl_ficlone(&to, &from).is_ok(),
            // Whoever asks finds out how much does not fit.
            Err(Errno::NOSPC | Errno::DQUOT) => false,
            Err(error) => return Err(error),
        };
        for name in NAMES {
            unlinkat(folder, name, AtFlags::empty())?;
        }
        Ok(Self { possible })
    }

    /// Fills the empty file `target` with the first `size` bytes of `source`, or all if shared.
    pub(crate) fn fill(
        self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        size: u64,
        progress: Progress<'_>,
    ) -> Result<(), Failed> {
        if size == 0 {
            return Ok(());
        }
        if self.possible {
            match ioctl_ficlone(target, source) {
                Ok(()) => return Ok(()),
                // Not with this file: it may be a swap file, or have attributes of its own.
                Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::XDEV | Errno::TXTBSY) => {}
                Err(error) => return Err(error.into()),
            }
        }
        ftruncate(target, size)?;
        let mut at = 0;
        while at < size {
            let start = match seek(source, SeekFrom::Data(at)) {
                Ok(start) => start,
                Err(Errno::NXIO) => break,
                Err(Errno::INVAL) => at,
                Err(error) => return Err(error.into()),
            };
            let end = seek(source, SeekFrom::Hole(start))
                .unwrap_or(size)
                .min(size);
            if !range(source, target, start, end, progress)? {
                break;
            }
            at = end.max(start + 1);
        }
        Ok(())
    }
}

/// Copies what lies between two offsets; false if the file ends before.
fn range(
    source: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    start: u64,
    end: u64,
    progress: Progress<'_>,
) -> Result<bool, Failed> {
    let (mut from, mut to) = (start, start);
    while from < end {
        let piece = usize::try_from((end - from).min(PIECE)).unwrap_or(BUFFER);
        let copied = match copy_file_range(source, Some(&mut from), target, Some(&mut to), piece) {
            Err(Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) => {
                let copied = by_hand(source, target, from, piece)?;
                from += copied as u64;
                to = from;
                copied
            }
            other => other?,
        };
        if copied == 0 {
            return Ok(false);
        }
        progress(copied as u64).map_err(Failed::Stopped)?;
    }
    Ok(true)
}

fn by_hand(
    source: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    at: u64,
    most: usize,
) -> Result<usize, Errno> {
    let mut buffer = vec![0; most.min(BUFFER)];
    let read = pread(source, buffer.as_mut_slice(), at)?;
    let mut written = 0;
    while written < read {
        let rest = buffer.get(written..read).unwrap_or_default();
        written += pwrite(target, rest, at + written as u64)?;
    }
    Ok(read)
}
