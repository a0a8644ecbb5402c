//! Hints that another gateway has changed something. One that is lost costs no more than the time
//! until the next look.

use super::connect::Server;
use futures_util::{StreamExt as _, stream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_postgres::AsyncMessage;

const PAUSE: Duration = Duration::from_secs(1);

/// Gives `hint` for each, on a connection of its own, as long as somebody may wait for it.
pub(super) async fn listen(server: Server, hint: Arc<Notify>) {
    while Arc::strong_count(&hint) > 1 {
        if let Err(error) = hints(&server, &hint).await {
            tracing::debug!(%error, "no hints of other gateways' changes");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Until the connection breaks.
async fn hints(server: &Server, hint: &Notify) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = server.connect().await?;
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let heard = async {
        while let Some(message) = messages.next().await {
            if let AsyncMessage::Notification(_) = message? {
                hint.notify_one();
            }
        }
        Ok(())
    };
    let (heard, asked) = tokio::join!(heard, async {
        client.batch_execute("LISTEN choiros").await?;
        // Whatever came before this is not heard.
        hint.notify_one();
        std::future::pending::<Result<(), tokio_postgres::Error>>().await
    });
    heard.and(asked)
}
