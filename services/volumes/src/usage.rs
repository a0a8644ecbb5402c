//! How much a volume takes, and may take.

use crate::Result;
use crate::error::VolumeError;
use crate::measure::Measure;
use crate::volume::Volume;
use rustix::fs::{StatVfs, fstat, fstatvfs};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How long a volume without a quota is looked through. Nobody pays for one with millions of
/// files each time that somebody wants to know.
const LONGEST: Duration = Duration::from_secs(10);

/// How much a volume takes, and may take. What was not to be found out is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes on the disk.
    pub bytes: Option<u64>,
    /// How many of them its quota has.
    pub max_bytes: Option<u64>,
    /// Files and folders.
    pub files: Option<u64>,
    /// How many of them its quota has.
    pub max_files: Option<u64>,
}

impl Volume {
    /// How much it takes now. Where it has a project quota the file system knows; elsewhere it is
    /// looked through, and links are not followed.
    ///
    /// # Errors
    /// If there is none, or it can't be read.
    pub fn usage(&self) -> Result<Usage> {
        self.usage_within(LONGEST)
    }

    fn usage_within(&self, longest: Duration) -> Result<Usage> {
        let tree = self.tree()?;
        let failed = |error| VolumeError::io("see how much is in", self.tree_path(), error);
        let is_of_folder =
            fstat(&tree).map_err(failed)?.st_dev == fstat(&self.folder).map_err(failed)?.st_dev;
        let own = fstatvfs(&tree).map_err(failed)?;
        let all = fstatvfs(&self.folder).map_err(failed)?;
        let mut usage = if is_of_folder {
            quota(&own, &all)
        } else {
            Usage::default() // Nothing tells a quota from the size of its disk.
        };
        if usage.bytes.is_some() && usage.files.is_some() {
            return Ok(usage);
        }
        match Measure::until(tree, Instant::now() + longest) {
            Ok(measure) => {
                let files = measure.inodes() + measure.left_out + 1;
                usage.bytes.get_or_insert(measure.bytes);
                usage.files.get_or_insert(files);
            }
            Err(Errno::TIMEDOUT) => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(usage)
    }
}

/// What a project quota says: within one the file system is as large as the quota (of XFS and
/// ext4, where the project is inherited), and elsewhere as it is.
fn quota(own: &StatVfs, all: &StatVfs) -> Usage {
    let mut usage = Usage::default();
    if own.f_blocks < all.f_blocks {
        let block = own.f_frsize;
        usage.bytes = Some(
            own.f_blocks
                .saturating_sub(own.f_bfree)
                .saturating_mul(block),
        );
        usage.max_bytes = Some(own.f_blocks.saturating_mul(block));
    }
    if own.f_files < all.f_files {
        usage.files = Some(own.f_files.saturating_sub(own.f_ffree));
        usage.max_files = Some(own.f_files);
    }
    usage
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::StatVfsMountFlags;

    fn file_system(blocks: u64, free: u64, files: u64, files_free: u64) -> StatVfs {
        StatVfs {
            f_bsize: 4096,
            f_frsize: 4096,
            f_blocks: blocks,
            f_bfree: free,
            f_bavail: free,
            f_files: files,
            f_ffree: files_free,
            f_favail: files_free,
            f_fsid: 0,
            f_flag: StatVfsMountFlags::empty(),
            f_namemax: 255,
        }
    }

    #[test]
    fn a_quota_is_where_a_volume_is_smaller_than_its_disk() {
        let all = file_system(1000, 400, 500, 300);
        assert_eq!(quota(&all, &all), Usage::default());
        let of_bytes = quota(&file_system(100, 25, 500, 300), &all);
        assert_eq!(of_bytes.bytes, Some(75 * 4096));
        assert_eq!(of_bytes.max_bytes, Some(100 * 4096));
        assert_eq!((of_bytes.files, of_bytes.max_files), (None, None));
        let of_both = quota(&file_system(100, 0, 50, 7), &all);
        assert_eq!((of_both.files, of_both.max_files), (Some(43), Some(50)));
        assert_eq!(of_both.bytes, of_both.max_bytes);
    }

    #[test]
    fn what_takes_too_long_to_look_through_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("live")).unwrap();
        std::fs::write(folder.path().join("live/file"), "12345").unwrap();
        let volume = Volume::open(folder.path(), "live").unwrap();
        assert_eq!(
            volume.usage_within(Duration::ZERO).unwrap(),
            Usage::default()
        );
        let usage = volume.usage().unwrap();
        assert!(usage.bytes.is_some_and(|bytes| bytes >= 5), "{usage:?}");
        assert_eq!((usage.files, usage.max_files), (Some(2), None));
    }
}
