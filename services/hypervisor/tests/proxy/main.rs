//! What the proxy promises, each promise a test.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod bodies;
mod connections;
mod cut;
mod endings;
mod expectations;
mod failures;
mod framing;
mod gateway;
mod heads;
mod long;
mod responses;
mod retries;
mod reuse;
mod shared_origin;
mod upgrades;
