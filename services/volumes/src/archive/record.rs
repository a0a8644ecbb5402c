//! What is known of one volume of an archive.

use serde::{Deserialize, Serialize};

/// The file that says it.
pub(super) const RECORD: &str = "archive.json";

/// A volume that was put away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// Whose volume it was.
    pub sandbox: String,
    /// When it was put away, in milliseconds since 1970.
    pub at: u64,
    /// How much data it holds; holes in files don't count.
    pub bytes: u64,
    /// How many files, links and FIFOs.
    pub files: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub sandbox: String,
    pub at: u64,
    pub bytes: u64,
    pub files: u64,
    /// The users and groups that have been the sandbox's. Its next place may have others.
    pub owners: Vec<(u32, u32)>,
    pub phase: Phase,
    /// Whether it came from another machine.
    #[serde(default)]
    pub received: bool,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// On the way from another machine. What is here is of no use yet.
    Receiving,
    /// On the way in. What is here is whole; with `copy_of`, it is a copy of the volume with that
    /// inode, which goes then.
    Coming { copy_of: Option<u64> },
    /// Here, and nowhere else.
    Kept,
    /// On the way to that sandbox. What is here goes once the volume has the inode `copy`; without,
    /// it is what becomes the volume.
    Leaving { to: String, copy: Option<u64> },
    /// That sandbox has it again.
    Left { to: String },
}

impl Record {
    pub(crate) fn archived(&self) -> Archived {
        Archived {
            sandbox: self.sandbox.clone(),
            at: self.at,
            bytes: self.bytes,
            files: self.files,
        }
    }

    pub(crate) fn is_moving(&self) -> bool {
        matches!(self.phase, Phase::Coming { .. } | Phase::Leaving { .. })
    }

    /// Remembers who owns what is its owner's.
    pub(crate) fn add_owner(&mut self, owner: (u32, u32)) {
        if !self.owners.contains(&owner) {
            self.owners.push(owner);
        }
    }
}
