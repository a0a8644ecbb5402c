//! Carries requests to the gateway of another machine, where they are served as if they had come
//! there, and takes such requests from others.
//!
//! Machines know each other by certificates (mutual TLS). What a gateway says of where a request
//! comes from is believed as a trusted proxy's is; who sends it, the other asks itself. Requests go
//! over HTTP/2, but for those that become a tunnel, each of which has a connection of its own.

mod connections;
mod counters;
mod error;
mod identity;
mod machines;
mod name;
mod order;
mod orders;
mod protocol;
mod stream;
#[cfg(test)]
mod tests;
mod tunnel;
mod verifier;

pub use connections::Connections;
pub use error::{ForwardError, IdentityError};
pub use machines::Forwarding;
pub use protocol::PeerStream;
pub use stream::{VOLUME, pass, passable};
