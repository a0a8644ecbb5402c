//! The `ChoirOS` hypervisor: logs people in with passkeys and proxies each to their sandbox.
//!
//! Read the modules in the order in which a request meets them: [`server`] accepts and
//! guards the connection, [`auth`] says who is calling, [`routes`] claims a sandbox for them,
//! [`runtime`] has it running, and [`proxy`] carries the bytes.

pub mod api;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod concurrency_limit;
pub mod config;
pub mod downstream;
pub mod error;
pub mod gate;
mod http1;
pub mod metrics;
pub mod peer;
pub mod proxy;
pub mod role;
pub mod routes;
pub mod runtime;
pub mod server;
pub mod shell;
pub mod store;
pub mod timestamp;
pub mod tls;
mod unix_socket;
pub mod username;

/// The primitives under [`gate`]; its model test puts loom's in their place.
mod sync {
    pub use futures_util::task::AtomicWaker;
    pub use std::sync::atomic::{AtomicUsize, Ordering};
}

/// The body of every response that this program sends.
pub type Body = axum::body::Body;
