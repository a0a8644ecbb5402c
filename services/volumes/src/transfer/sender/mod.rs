//! Sending a volume.

mod batch;
mod leaf;
mod state;
mod walk;

pub(crate) use state::SENT;

use crate::Result;
use crate::error::VolumeError;
use crate::id::SnapshotId;
use crate::measure::Measure;
use crate::replace::measure;
use crate::take::{SLACK, stamps_tell, sync};
use crate::transfer::digest::Tree;
use crate::transfer::frames::{Close, Hello};
use crate::transfer::wire::{Kind, Wire};
use crate::transfer::{SendPass, Sent};
use crate::volume::Volume;
use rustix::fd::{AsFd as _, OwnedFd};
use state::State;
use std::io::{Read, Write};
use walk::Walk;

/// So often at most a pass begins anew for what the receiver has lost.
const MOST_WALKS: u32 = 3;

impl Volume {
    /// Sends the volume to whoever receives it at the other end of `stream`, as
    /// [`Archives::receive`](crate::Archives::receive) does. What the other machine has already is
    /// not sent, and what did not change since the pass before of this id is not read. The volume is
    /// not changed.
    ///
    /// # Errors
    /// If the stream ends early, the other machine gives up, something can't be read, or, in the last
    /// pass, changes meanwhile. The next pass goes on from there.
    pub fn send(
        &self,
        id: &SnapshotId,
        pass: SendPass,
        stream: &mut (impl Read + Write),
    ) -> Result<Sent> {
        let mut wire = Wire::new(stream, &self.name);
        let sent = match pass {
            SendPass::Ahead => self.send_ahead(id, &mut wire),
            SendPass::Last => self.send_last(id, &mut wire),
        };
        if let Err(error) = &sent {
            wire.give_up(error);
        }
        sent
    }

    /// Others may work on the volume meanwhile.
    fn send_ahead<S: Read + Write>(&self, id: &SnapshotId, wire: &mut Wire<'_, S>) -> Result<Sent> {
        let mut state = State::read(&self.locked()?, id)?;
        let tree = self.tree_if_there()?;
        let size = match &tree {
            Some(tree) => measure(tree, &self.tree_path())?,
            None => Measure::default(),
        };
        if let Some(tree) = tree.as_ref().filter(|tree| stamps_tell(tree.as_fd())) {
            state.begin();
            sync(tree.as_fd(), &self.tree_path())?;
        }
        let most = size.inodes().saturating_mul(2) + SLACK;
        let sent = self.send_tree(wire, tree.as_ref(), &mut state, (&size, Some(most)))?;
        state.write(&self.locked()?, id)?;
        Ok(sent)
    }

    /// What was sent ahead counts, if time stamps say what changed since.
    fn send_last<S: Read + Write>(&self, id: &SnapshotId, wire: &mut Wire<'_, S>) -> Result<Sent> {
        let store = self.locked()?;
        let mut state = State::read(&store, id)?;
        state.begin();
        let tree = self.tree_if_there()?;
        let size = (&Measure::default(), None);
        let sent = self.send_tree(wire, tree.as_ref(), &mut state, size)?;
        store.discard(&format!("{id}{SENT}"))?;
        Ok(sent)
    }

    /// Sends so much, and no more than so many names if that is a bound.
    fn send_tree<S: Read + Write>(
        &self,
        wire: &mut Wire<'_, S>,
        tree: Option<&OwnedFd>,
        state: &mut State,
        (size, most): (&Measure, Option<u64>),
    ) -> Result<Sent> {
        let hello = Hello {
            exists: tree.is_some(),
            bytes: size.bytes,
            files: size.inodes(),
        };
        wire.send(Kind::Hello, &hello.to_bytes())?;
        wire.flush()?;
        wire.version()?;
        let mut frame = Vec::new();
        wire.expect(Kind::Ready, &mut frame)?;
        let mut sent = Sent::default();
        let mut close = Close {
            last: most.is_none(),
            whole: true,
            tree: Tree::default(),
        };
        if let Some(tree) = tree {
            let mut walk = Walk::new(self, wire, state, most)?;
            let mut walks = 0;
            loop {
                (close.tree, close.whole) = walk.run(tree)?;
                walks += 1;
                if !walk.lost_some() {
                    break;
                }
                if walks == MOST_WALKS {
                    return Err(VolumeError::TransferMismatch {
                        volume: self.name.clone(),
                        cause: "the other machine loses what it has".to_owned(),
                    });
                }
            }
            sent = walk.sent;
        }
        wire.send(Kind::Close, &close.to_bytes())?;
        wire.flush()?;
        wire.expect(Kind::Done, &mut frame)?;
        Ok(sent)
    }

    /// A sandbox that never ran has none.
    fn tree_if_there(&self) -> Result<Option<OwnedFd>> {
        match self.tree() {
            Ok(tree) => Ok(Some(tree)),
            Err(VolumeError::NoVolume { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
