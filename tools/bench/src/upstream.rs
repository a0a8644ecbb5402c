//! What stands behind every proxy: an nginx that answers at once.

use crate::peers::{Server, fill};
use anyhow::Result;

const CONFIG: &str = include_str!("../peers/upstream.conf");

/// The size of a small answer.
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
    let config = fill(CONFIG, "small", &"x".repeat(SMALL));
    let files = [("page", vec![b'x'; PAGE]), ("picture", vec![b'x'; PICTURE])];
    Server::nginx_with(&config, &files).await
}
