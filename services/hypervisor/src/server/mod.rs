//! The accept loops, and around every connection its limits and its end.
//!
//! Threads of their own (`worker`) accept connections and serve the plain requests on them to
//! sandboxes (`fast`, which reads a `head` and asks at the `desk`). A connection that is for anything else goes on to
//! hyper (`general`), for good: `framing` and `guard` refuse malformed HTTP/1 before hyper reads
//! it, `host` what hyper does not check, `dispatch` says which part of the program a request is
//! for.

mod accept;
mod desk;
mod dispatch;
mod fast;
mod framing;
mod full;
mod general;
mod guard;
mod head;
mod host;
mod limits;
mod peer;
mod worker;

pub use accept::serve;
pub use desk::{Desk, Errand};
pub use dispatch::Gateway;
pub use fast::Lane;
pub use general::Handover;
pub use head::Head;
pub use peer::Peer;

pub(crate) use framing::{Malformed, chunk_size, decimal, trailer};
