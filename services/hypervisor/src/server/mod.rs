//! The accept loops, and around every connection its limits and its end.
//!
//! Threads of their own (`worker`) accept connections from a `listener` and serve the requests on
//! them (`connection`) with hyper's HTTP/1 and HTTP/2. `filter` refuses malformed HTTP/1
//! before hyper reads it, `host` what hyper does not check, and `dispatch`, the `handler` of all
//! requests, says which part of the program each is for. `redirect` sends people to the origin, and
//! serves `acme`'s challenges.

mod accept;
mod acme;
mod claim;
mod connection;
mod dispatch;
mod exchange;
mod filter;
mod handler;
mod host;
mod limits;
mod linger;
mod listener;
mod overload;
mod redirect;
mod response;
mod stream;
mod worker;

pub use accept::serve;
pub use connection::Connections;
pub use dispatch::Gateway;
pub use handler::{Entrance, Inbound, RequestHandler};
pub(crate) use listener::{HTTP, HTTPS, REDIRECT};
pub use listener::{Kind, Listener, Socket};
