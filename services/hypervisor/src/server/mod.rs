//! The accept loop, and around every connection its limits, its guard and its end.
//!
//! `framing` and `guard` refuse malformed HTTP/1 before hyper reads it, `host` what hyper does
//! not check, `dispatch` says which part of the program a request is for.

mod accept;
mod dispatch;
mod framing;
mod full;
mod guard;
mod host;
mod limits;
mod peer;

pub use accept::serve;
pub use dispatch::Gateway;
pub use peer::Peer;
