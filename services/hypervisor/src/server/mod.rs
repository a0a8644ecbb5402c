//! The accept loop: limits, guards and shutdown around every connection.

mod peer;

pub use peer::Peer;
