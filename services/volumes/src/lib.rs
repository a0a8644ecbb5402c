//! Copies of volumes: snapshots of what a sandbox writes to, as of one moment.
//!
//! A *folder* holds volumes, and beside them what they were:
//!
//! ```text
//! <folder>/<name>/                      a volume
//! <folder>/.snapshots/<name>/<id>/      a snapshot: data/ (the tree) and snapshot.json
//! <folder>/.snapshots/<name>/<id>.part/ one that is being made
//! ```
//!
//! Backups of a volume are in a folder of their own, each as a whole tree; so are volumes that were
//! put away.
//!
//! Whoever writes to a volume may be hostile, may change it at every moment, and is less
//! privileged than this program. So nothing here follows a name that was chosen in there: all
//! is opened relative to a folder that is open already, and never through a link.

mod archive;
mod attributes;
mod backup;
mod contents;
mod error;
mod files;
mod folder;
mod freeze;
mod fresh;
mod id;
mod keep;
mod leaf;
mod links;
mod measure;
mod names;
mod pass;
mod put_back;
mod recover;
mod remove;
mod replace;
mod room;
mod seen;
mod snapshot;
mod spare;
mod take;
mod trail;
mod transfer;
mod usage;
mod volume;

pub use archive::{Archived, Archives};
pub use backup::{Backup, Backups, Check, Database};
pub use error::VolumeError;
pub use freeze::{CgroupFreezer, Freezer, NoFreezer, ProcessTree};
pub use id::SnapshotId;
pub use keep::Keep;
pub use snapshot::{Reason, Snapshot};
pub use transfer::{Received, SendPass, Sent};
pub use usage::Usage;
pub use volume::Volume;

/// What this crate's functions give.
type Result<T, E = VolumeError> = std::result::Result<T, E>;
