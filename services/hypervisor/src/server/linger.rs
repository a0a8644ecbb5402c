//! The end of a connection that may still be sent to.

use super::stream::Stream;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::time::timeout;

/// How long a connection that we closed may still be sent to.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// Closes our side, and reads what still comes until the client closes its own, for so long at
/// most. Closing under unread bytes would make the kernel reset the connection, and the client
/// could lose the response that says why.
pub(super) async fn linger(mut stream: Stream, limit: Duration) {
    let _ = timeout(limit, async {
        stream.shutdown().await?;
        copy(&mut stream, &mut sink()).await
    })
    .await;
}
