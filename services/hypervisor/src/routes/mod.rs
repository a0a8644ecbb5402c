//! Which sandbox gets which traffic: workspaces and their routes, claims, swap and drain.

mod access;
mod access_table;
mod assign;
mod claim;
mod drain;
mod error;
mod hosts;
mod members;
mod open;
mod probation;
mod route;
mod row;
mod site;
mod swap;
mod table;

pub use access::AccessError;
pub use claim::Claim;
pub use error::{ClaimError, SwapError};
pub use hosts::Host;
pub use route::{Route, Workspace};
pub use site::Site;
pub use swap::{SwapOrder, SwapOutcome};
pub use table::Routes;
