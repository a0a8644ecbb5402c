//! A change is answered when every gateway knows of it.

use crate::store::Handle;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::time::{Duration, Instant};

/// By then a gateway that has not heard of a change has stopped, or goes on as its operator wants.
const MOST: Duration = Duration::from_millis(2500);

/// How long it takes another gateway that is well.
const EACH: Duration = Duration::from_millis(10);

/// Around whatever may change something: holds the answer back until all know.
pub async fn answer_when_known(
    State(store): State<Handle>,
    request: Request,
    next: Next,
) -> Response {
    let changes = !request.method().is_safe();
    let response = next.run(request).await;
    // Whoever is told that it failed is promised nothing that others had to know of.
    if changes && !response.status().is_server_error() {
        known(&store).await;
    }
    response
}

async fn known(store: &Handle) {
    let begun = Instant::now();
    // Also what another gateway has changed, and could not answer: whoever asked that one before may
    // take this answer for its.
    let mut last = None;
    while store.is_shared() && begun.elapsed() < MOST {
        if last.is_none() {
            last = store.run(|store| store.revision()).await.ok();
        }
        // If it cannot be asked, nobody else can either; whoever must stops in that time.
        if let Some(last) = last
            && let Ok(true) = store.run(move |store| store.is_known(last)).await
        {
            return;
        }
        tokio::time::sleep(EACH).await;
    }
}
