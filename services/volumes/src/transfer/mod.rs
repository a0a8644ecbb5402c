//! Sending a volume to another machine, where it becomes an archive that any sandbox can have.
//!
//! The sender walks through its tree and says, step by step, what is there ([`op`]); with a file come
//! the digests of its blocks. The receiver does the same to a tree of its own, says which blocks it
//! does not have, gets those, and writes them at once into their places: so whatever pass breaks off,
//! the next one of the same id sends again one block at most.
//!
//! A pass ahead, while the sandbox runs, leaves little for the last one: what is as it was then is not
//! read again, on either side. In the end the receiver writes all out, reads back from the disk what
//! it wrote, and compares the digest of its whole tree with the sender's.
//!
//! ```text
//! <folder>/.snapshots/<name>/<id>.sent/  what was sent ahead: sender/state.rs
//! <archives>/<id>/<role>/data/           the receiver's tree
//! <archives>/<id>/<role>/index           what of it was found right: receiver/index.rs
//! <archives>/<id>/<role>/links/          a name for each file that has several
//! ```

mod blocks;
mod digest;
mod frames;
mod op;
mod receiver;
mod sender;
mod wire;

pub(crate) use sender::SENT;

use serde::{Deserialize, Serialize};

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
