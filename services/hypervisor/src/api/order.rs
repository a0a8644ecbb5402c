//! What orders about a workspace's routes, releases and volumes will do, as whoever confirms them
//! reads it.

use crate::error::HttpError;
use crate::role::Role;
use crate::routes::{
    ForkOrder, PromoteOrder, RestoreOrder, Routes, SwapOrder, UndoOrder, Workspace,
};

/// What can be ordered of a workspace.
pub trait Order {
    /// What will happen, in a sentence.
    ///
    /// # Errors
    /// Why it can't.
    fn sentence(&self, routes: &Routes, workspace: &Workspace) -> Result<String, HttpError>;
}

impl Order for SwapOrder {
    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, HttpError> {
        let pair = workspace.pair();
        let (live, dev) = (pair.live.sandbox.name(), pair.dev.sandbox.name());
        let unless = if self.force {
            "even if it is not healthy"
        } else {
            "if it is healthy"
        };
        Ok(format!(
            "Swap live and dev of the workspace {}: {dev} becomes live with its own data, {unless}, and {live} becomes dev with the data that live had.",
            workspace.name
        ))
    }
}

impl Order for PromoteOrder {
    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, HttpError> {
        let pair = workspace.pair();
        let release = self.release.unwrap_or_else(|| pair.dev.sandbox.release());
        let first = if self.rehearse {
            " It is tried first in dev, whose data become a copy of live's."
        } else {
            ""
        };
        Ok(format!(
            "Promote release {release} to live of the workspace {}, which has release {} now. Live's data stay.{first}",
            workspace.name,
            pair.live.sandbox.release()
        ))
    }
}

impl Order for UndoOrder {
    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, HttpError> {
        let data = if self.with_data {
            "Its data become what they were before the promotion; what was written since is kept as a snapshot."
        } else {
            "Its data stay as they are."
        };
        Ok(format!(
            "Undo the last promotion of the workspace {}: live gets the release back that it had before. {data}",
            workspace.name
        ))
    }
}

impl Order for ForkOrder {
    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, HttpError> {
        Ok(format!(
            "Fork the workspace {}: dev's data become a copy of live's; what dev has now is kept as a snapshot.",
            workspace.name
        ))
    }
}

impl Order for RestoreOrder {
    fn sentence(&self, _: &Routes, workspace: &Workspace) -> Result<String, HttpError> {
        let first = match self.role {
            Role::Live if self.rehearse => " They are tried first in dev, whose data they become.",
            _ => "",
        };
        Ok(format!(
            "Restore the {} sandbox of the workspace {}: its data become those of the snapshot {}; what it has now is kept as a snapshot.{first}",
            self.role, workspace.name, self.snapshot
        ))
    }
}
