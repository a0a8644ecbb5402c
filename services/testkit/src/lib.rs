//! What the tests of this workspace and the tools beside it share.

pub mod act;
pub mod activation;
#[cfg(feature = "browser")]
pub mod browser;
pub mod client;
pub mod cluster;
pub mod enter;
pub mod harness;
pub mod link;
pub mod malformed;
pub mod open_files;
pub mod passkey;
pub mod pebble;
pub mod person;
pub mod port;
pub mod postgres;
pub mod process;
pub mod raw;
pub mod sse;
pub mod tls;
pub mod upstream;
pub mod visitors;
pub mod wait;
