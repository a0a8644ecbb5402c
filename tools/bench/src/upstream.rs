//! What stands behind every proxy: an nginx that responds at once.

use crate::server::{Server, fill};
use anyhow::{Context, Result};
use std::net::Ipv4Addr;

const CONFIG: &str = include_str!("../peers/upstream.conf");

/// The size of a small response.
pub const SMALL: usize = 100;
/// The size of a page.
pub const PAGE: usize = 20 * 1024;
/// The size of a picture.
pub const PICTURE: usize = 1024 * 1024;

/// Starts it.
///
/// # Errors
/// It does not start.
pub async fn start() -> Result<Server> {
    listening(Ipv4Addr::LOCALHOST).await
}

/// Starts it for each of this machine's addresses in 127.0.0.0/8.
///
/// # Errors
/// It does not start.
pub async fn everywhere() -> Result<Server> {
    listening(Ipv4Addr::UNSPECIFIED).await
}

async fn listening(address: Ipv4Addr) -> Result<Server> {
    let config = fill(CONFIG, "small", &"x".repeat(SMALL));
    let files = [("page", vec![b'x'; PAGE]), ("picture", vec![b'x'; PICTURE])];
    let started = Server::nginx_with(&config, &files, address).await;
    started.context("start the upstream")
}
