//! The accept loops, and around every connection its limits and its end.
//!
//! Threads of their own (`worker`) accept connections and serve the plain requests on them to
//! sandboxes (`fast`, which reads a `head` and asks at the `desk`). A connection that is for
//! anything else goes on to hyper (`general`), for good: `framing` and `guard` refuse malformed
//! HTTP/1 before hyper reads it, `host` what hyper does not check, `dispatch` says which part of
//! the program a request is for. A connection is a `stream`, over TCP or a proxy's Unix socket, and
//! comes from a `listener`. `chunks` follows chunked bodies in either direction.

mod accept;
mod chunks;
mod desk;
mod dispatch;
mod fast;
mod framing;
mod framing_filter;
mod general;
mod head;
mod host;
mod limits;
mod linger;
mod listener;
mod overload;
mod peer;
mod stream;
mod worker;

pub use accept::serve;
pub(crate) use chunks::Chunks;
pub use desk::{Desk, Errand};
pub use dispatch::Gateway;
pub use fast::Lane;
pub(crate) use framing::{Malformed, decimal};
pub use general::Handover;
pub use head::Head;
pub(crate) use head::is_target;
pub(crate) use host::is_host;
pub use listener::Listener;
pub use peer::Peer;
pub use stream::{Detached, Source, Stream};
pub(crate) use stream::{ReadHalf, WriteHalf, poll_peek, split, try_read};
pub(crate) use worker::count as workers;
