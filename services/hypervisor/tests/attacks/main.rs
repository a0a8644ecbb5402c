//! What the page of a sandbox tries against the person who looks at it, and that it gets nothing.
//!
//! The page is an ordinary one, its script an ordinary module, the browser a real Chromium whose
//! authenticator says yes to every prompt: whatever is asked for is confirmed.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
mod cookies;
mod own;
mod shared;
mod site;
