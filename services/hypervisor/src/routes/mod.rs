//! Which sandbox gets which traffic: workspaces and their routes, claims, swap and drain.

mod assign;
mod claim;
mod drain;
mod error;
mod members;
mod open;
mod probation;
mod route;
mod row;
mod swap;
mod table;

pub use claim::Claim;
pub use error::{ClaimError, SwapError};
pub use route::{Route, Workspace};
pub use swap::{SwapOrder, SwapOutcome};
pub use table::Routes;
