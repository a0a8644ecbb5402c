//! Why there is no copy.

use crate::id::SnapshotId;
use crate::room::human;
use rustix::io::Errno;
use std::io;

/// Why a volume was not copied, replaced or listed, in sentences for whoever asked for that.
#[derive(Debug, Clone, thiserror::Error)]
#[expect(missing_docs, reason = "a field is told by its name")]
pub enum VolumeError {
    /// It would lead elsewhere, or clash with our own files.
    #[error(
        "`{}` is no name of a volume: give lowercase letters, digits and inner hyphens, 63 at most, a letter first",
        .0.escape_debug()
    )]
    Name(String),
    /// As it was typed.
    #[error(
        "`{}` is no snapshot: an id is like 20260131T235959Z-1f2e, as `hypervisor snapshots` prints them",
        .0.escape_debug()
    )]
    Id(String),
    /// A sandbox that never ran has none.
    #[error("there is no volume {path}: start the sandbox once, which makes it")]
    NoVolume { path: String },
    /// A link or a file, for example.
    #[error("{path} is not a folder of its own: a volume can be neither a link nor a file")]
    NotAFolder { path: String },
    /// It was removed, perhaps by rule.
    #[error("`{volume}` has no snapshot {id}: `hypervisor snapshots` lists those that there are")]
    NoSnapshot { volume: String, id: SnapshotId },
    /// It was removed by rule, or is of another volume.
    #[error("`{volume}` has no backup {id}: `hypervisor backups` lists those that there are")]
    NoBackup { volume: String, id: SnapshotId },
    /// All else is copied.
    #[error(
        "the backup {id} of `{volume}` is made, but not all of it is whole: {faults}. No earlier backup was removed; mend that, or restore one of them"
    )]
    Damaged {
        volume: String,
        id: SnapshotId,
        faults: String,
    },
    /// An id is for one snapshot.
    #[error("`{volume}` already has a snapshot {id}: give another id")]
    Exists { volume: String, id: SnapshotId },
    /// What is left is for the sandboxes and the host.
    #[error(
        "a copy of `{volume}` needs {} in {path}, where {} are free beyond the reserve of {}: remove snapshots with `hypervisor snapshots`, or make room there",
        human(*needs), human(*free), human(*reserve)
    )]
    NoRoom {
        volume: String,
        path: String,
        needs: u64,
        free: u64,
        reserve: u64,
    },
    /// A file system may have room for bytes, and none for names.
    #[error(
        "a copy of `{volume}` needs {needs} more files in {path}, which has room for {free}: remove snapshots with `hypervisor snapshots`, or make room there"
    )]
    NoInodes {
        volume: String,
        path: String,
        needs: u64,
        free: u64,
    },
    /// A copy of something that runs would be of no moment.
    #[error(
        "`{volume}` was not copied, for what runs on it could not be held still: {cause}; try again, or stop the sandbox first"
    )]
    Freeze { volume: String, cause: String },
    /// It may still stand still.
    #[error(
        "what runs on `{volume}` may still be held after its copy: {cause}; restart the sandbox"
    )]
    Thaw { volume: String, cause: String },
    /// Something that was not held still writes there.
    #[error(
        "`{volume}` was not copied: `{path}` changed meanwhile, so something else than its sandbox writes there; stop that, and try again"
    )]
    Changing { volume: String, path: String },
    /// Two directories have to change places in one step.
    #[error(
        "{path} cannot be replaced in one step ({cause}): put it on ext4, XFS, btrfs or tmpfs, not itself a mount point"
    )]
    CannotExchange { path: String, cause: String },
    /// It was deleted, or never was.
    #[error(
        "there is no archive {id} of `{volume}`: `hypervisor archives list` lists those that there are"
    )]
    NoArchive { volume: String, id: SnapshotId },
    /// Its next order finishes that.
    #[error(
        "the archive {id} is just being made or restored at `{sandbox}`: try again when that is done"
    )]
    ArchiveMoves { id: SnapshotId, sandbox: String },
    /// It can be in one place only.
    #[error("what was in this archive is `{sandbox}`'s volume by now: go on with that one")]
    ArchiveElsewhere { sandbox: String },
    /// It comes from another machine.
    #[error(
        "the archive {id} is not whole: it is still to be received from another machine; finish that, or discard it"
    )]
    ArchiveIncomplete { id: SnapshotId },
    /// It was put away here.
    #[error("there is an archive {id} of `{volume}` here already: receive it with another id")]
    ArchiveTaken { volume: String, id: SnapshotId },
    /// Releases may differ in that.
    #[error(
        "the other machine speaks version {theirs} of the protocol that volumes are sent with, and this one version {ours}: run the same release on both"
    )]
    TransferVersion { ours: u8, theirs: u8 },
    /// What the other machine has stays there.
    #[error(
        "`{volume}` is not there as a whole, for the stream broke off ({cause}): send it again, and it goes on from there"
    )]
    TransferBroken { volume: String, cause: String },
    /// What it said.
    #[error("the other machine does not go on with `{volume}`: {cause}")]
    TransferRefused {
        volume: String,
        cause: String,
        no_room: bool,
    },
    /// Nothing of what came is used.
    #[error(
        "what came for `{volume}` does not follow the protocol that volumes are sent with: {cause}; run the same release on both machines"
    )]
    TransferInvalid { volume: String, cause: &'static str },
    /// Nothing of what came is used.
    #[error("what arrived of `{volume}` is not what was sent ({cause}): send it again")]
    TransferMismatch { volume: String, cause: String },
    /// Nothing there is overwritten.
    #[error(
        "{path} has something in it, so no archive is brought back there: restore it for another workspace"
    )]
    NotEmpty { path: String },
    /// Nothing is removed then.
    #[error(
        "{path} is from a replacement that was interrupted, and does not fit to what is there now: see which of the two is the volume, move it to its place, and remove the other"
    )]
    Unclear { path: String },
    /// What the system said.
    #[error("cannot {action} {path}: {cause}")]
    Io {
        action: &'static str,
        path: String,
        cause: String,
        /// Of the operating system; 0 if it is not from there.
        code: i32,
    },
}

impl VolumeError {
    /// Which kind it is, for whoever has to do something about it: `no_snapshot`, `no_room`, or
    /// `volume` for all else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSnapshot { .. } | Self::NoBackup { .. } | Self::Id(_) => "no_snapshot",
            Self::NoRoom { .. }
            | Self::NoInodes { .. }
            | Self::TransferRefused { no_room: true, .. } => "no_room",
            _ => "volume",
        }
    }

    /// Whether the disk, or what we may have of it, is full.
    pub(crate) fn is_full(&self) -> bool {
        let full = [Errno::NOSPC, Errno::DQUOT].map(Errno::raw_os_error);
        matches!(self, Self::Io { code, .. } if full.contains(code))
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<String>,
        error: impl Into<io::Error>,
    ) -> Self {
        let error = error.into();
        Self::Io {
            action,
            path: path.into(),
            code: error.raw_os_error().unwrap_or(0),
            cause: error.to_string(),
        }
    }
}
