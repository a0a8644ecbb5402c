//! A workspace gets another home: its data go to another machine, and then its requests.
//!
//! It is done as a promotion is. Most of the data are sent while people go on; then requests are held,
//! what has changed since is sent, and the other machine starts live. If that is well, it becomes the
//! home in one step of the store, and those who were held are carried there; or else all is as it was.
//!
//! What a machine has of a workspace that is not its own (any longer) is put away before anybody else
//! gets the slot, whatever ended either program meanwhile: the store says what there is left to do.

mod arrive;
mod hand_over;
mod leave;
mod order;
mod put_away;
mod send;
mod target;

pub use arrive::ArriveError;
pub use order::{MoveOrder, MoveOutcome};
pub use target::{Arrival, Offer, OfferedReleases, Target};
