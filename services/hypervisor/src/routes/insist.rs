//! What must not fail is tried until it is done.

use std::fmt::Display;
use std::time::Duration;
use tracing::error;

const PAUSE: Duration = Duration::from_secs(1);

/// What `work` comes to in the end; `failed` says of whom, and what could not be done yet.
pub(super) async fn until_done<T, E: Display, F: Future<Output = Result<T, E>>>(
    of: &str,
    failed: &str,
    mut work: impl FnMut() -> F,
) -> T {
    loop {
        match work().await {
            Ok(done) => return done,
            Err(error) => error!(of, %error, "{failed}; trying again"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
