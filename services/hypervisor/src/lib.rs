//! The `ChoirOS` hypervisor: logs people in with passkeys and proxies each to their sandbox.
//!
//! Read the modules in the order in which a request meets them: `server` accepts and
//! guards the connection, `auth` says who is calling, `routes` claims a sandbox for them,
//! `runtime` has it running, and `proxy` carries the bytes.

pub mod access;
pub mod api;
pub mod auth;
pub mod cli;
mod clock;
mod cluster;
mod concurrency_limit;
pub mod config;
mod cookie_names;
pub mod database_check;
mod downstream;
mod error;
mod forwarding;
mod free_memory;
mod gate;
mod http1;
pub mod lifetime;
mod local_executor;
pub mod metrics;
mod notice;
pub mod peer;
mod pem;
mod private_folder;
pub mod proxy;
pub mod request_context;
pub mod role;
pub mod routes;
pub mod runtime;
mod sandbox_name;
pub mod scope;
pub mod server;
pub mod shell;
pub mod store;
pub mod timestamp;
mod tls;
mod unix_socket;
mod username;

/// The primitives under [`gate`]; its model test puts loom's in their place.
mod sync {
    pub use futures_util::task::AtomicWaker;
    pub use std::sync::atomic::{AtomicUsize, Ordering};
}

/// The body of every response that this program sends.
pub type Body = axum::body::Body;
