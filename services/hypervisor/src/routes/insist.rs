//! What must not fail is tried until it is done.

use std::fmt::Display;
use std::time::Duration;
use tracing::error;

/// Between two tries of what somebody waits for.
pub(super) const SOON: Duration = Duration::from_secs(1);
/// Between two tries of what nobody waits for, and what costs much.
pub(super) const LATER: Duration = Duration::from_secs(5);

/// What `work` comes to in the end; `failed` says of whom, and what could not be done yet.
pub(super) async fn until_done<T, E: Display, F: Future<Output = Result<T, E>>>(
    pause: Duration,
    of: &str,
    failed: &str,
    mut work: impl FnMut() -> F,
) -> T {
    loop {
        match work().await {
            Ok(done) => return done,
            Err(error) => error!(of, %error, "{failed}; trying again"),
        }
        tokio::time::sleep(pause).await;
    }
}
