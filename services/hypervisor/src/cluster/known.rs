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
    while store.is_shared() && begun.elapsed() < MOST {
        // If it cannot be asked, nobody else can either; whoever must stops in that time.
        if let Ok(true) = store.run(|store| store.is_known()).await {
            return;
        }
        tokio::time::sleep(EACH).await;
    }
}
