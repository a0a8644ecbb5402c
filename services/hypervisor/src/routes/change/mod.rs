//! Changes of what a role's sandbox runs and of its data.
//!
//! All of them (promote, undo, fork, restore, give) are one mechanism: who comes is held, who is
//! there may finish, the sandbox is stopped, its release and volume are changed, it is started
//! and probed, and then those who were held are let in; or else everything is put back first.
//! The store knows of a change from its beginning, so that one that is broken off is taken back
//! at the next start.

mod back;
mod common;
mod error;
mod fork;
mod give;
mod order;
mod promote;
mod recover;
mod restore;
mod run;
mod undo;

pub(super) use back::{NOT_NOTED, new_id};
pub use error::ChangeError;
pub use order::{ChangeOutcome, ForkOrder, PromoteOrder, RestoreOrder, UndoOrder};
pub(super) use undo::undoable;
