//! Moves of workspaces from machine to machine: the operator's order, and what the machines ask each
//! other for meanwhile.

mod arrivals;
mod target;

use super::Api;
use super::named::named;
use crate::auth::Caller;
use crate::error::{HttpError, Payload};
use crate::routes::{ChangeError, MoveOrder, MoveOutcome};
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use std::sync::Arc;
use target::Elsewhere;

/// What the operator's socket has of it, and other machines.
pub(super) fn operator() -> Router<Api> {
    Router::new()
        .route("/move/{workspace}", post(order))
        .merge(arrivals::router())
}

async fn order(
    State(api): State<Api>,
    Path(workspace): Path<String>,
    Payload(order): Payload<MoveOrder>,
) -> Result<Json<MoveOutcome>, HttpError> {
    let of = named(&api, &workspace)?;
    let by = Caller::Operator;
    let machine = order.to;
    let forwarding = api.forwarding.clone();
    // This one may be named as well, and is told so.
    let is_known = |machine: &str| {
        machine == api.config.machine() || forwarding.as_ref().is_some_and(|it| it.knows(machine))
    };
    let Some(forwarding) = forwarding.as_ref().filter(|_| is_known(&machine)) else {
        return Err(ChangeError::NoMachine { machine }.into());
    };
    let target = Arc::new(Elsewhere::new(forwarding.clone(), machine));
    // Afterwards it has none here.
    let members = api.routes.members(&of);
    let outcome = api.routes.move_to(&of, target, &by.name()).await?;
    let done = format!(
        "{workspace} from {} to {} by {}",
        outcome.from,
        outcome.to,
        by.name()
    );
    let row = by.audit_row("home_changed", None, None, done);
    api.routes.audit_for(members, row).await;
    Ok(Json(outcome))
}
