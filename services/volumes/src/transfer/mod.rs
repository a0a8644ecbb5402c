//! Sending a volume to another machine, where it becomes an archive that any sandbox can have.

use crate::Result;
use crate::archive::Archives;
use crate::error::VolumeError;
use crate::id::SnapshotId;
use crate::volume::Volume;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// How the volume is while it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendPass {
    /// Somebody may write to it: what changes meanwhile is left to the last pass.
    Ahead,
    /// Nobody writes to it. Afterwards the other machine has it whole.
    Last,
}

/// What one pass took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// How many files, links and FIFOs the volume has.
    pub files: u64,
    /// How many bytes of files were read: what did not change since the pass before is not.
    pub read: u64,
    /// How many bytes of files went to the other machine: what it has already does not.
    pub sent: u64,
}

/// What one pass brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// How many files, links and FIFOs are here.
    pub files: u64,
    /// How many bytes of files came.
    pub received: u64,
    /// Whether it is a whole archive now.
    pub whole: bool,
}

impl Volume {
    /// Sends the volume to whoever receives it at the other end of `stream`.
    ///
    /// # Errors
    /// If the stream ends early, or something can't be read.
    pub fn send(
        &self,
        _id: &SnapshotId,
        _pass: SendPass,
        _stream: &mut (impl Read + Write),
    ) -> Result<Sent> {
        Err(VolumeError::io(
            "send",
            self.tree_path(),
            io::ErrorKind::Unsupported,
        ))
    }
}

impl Archives {
    /// Receives what [`Volume::send`] sends at the other end of `stream`, as the archive `id` of
    /// this sandbox.
    ///
    /// # Errors
    /// If the stream ends early, or something can't be written.
    pub fn receive(
        &self,
        _id: &SnapshotId,
        sandbox: &str,
        _stream: &mut (impl Read + Write),
    ) -> Result<Received> {
        Err(VolumeError::io(
            "receive",
            sandbox,
            io::ErrorKind::Unsupported,
        ))
    }
}
