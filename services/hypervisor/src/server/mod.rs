//! The accept loops, and around every connection its limits and its end.
//!
//! Threads of their own (`worker`) accept connections from a `listener` and serve the requests on
//! them (`connection`) with hyper's HTTP/1 and HTTP/2. `filter` refuses malformed HTTP/1
//! before hyper reads it, `host` what hyper does not check, and `dispatch`, the `handler` of all
//! requests, says by `site` and `destination` which part of the program each is for: at a
//! sandbox's own host that is `at_sandbox`, to which `entry` leads. `redirect` sends people to the origin, and
//! serves `acme`'s challenges.

mod accept;
mod acme;
mod at_sandbox;
mod claim;
mod connection;
mod destination;
mod dispatch;
mod elsewhere;
mod entry;
mod exchange;
mod filter;
mod handler;
mod host;
mod limits;
mod linger;
mod listener;
mod overload;
mod passkey_policy;
mod paths;
mod place;
mod principal;
mod record;
mod redirect;
mod refused;
mod replies;
mod response;
mod service_worker;
mod site;
mod stream;
mod worker;

pub use accept::serve;
pub use connection::Connections;
pub use dispatch::Gateway;
pub use handler::{Entrance, Inbound, RequestHandler};
pub(crate) use listener::{GATEWAY, HTTP, HTTPS, REDIRECT};
pub use listener::{Kind, Listener, Socket};
