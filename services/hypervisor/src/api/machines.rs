//! The machines that have the store, for the operator.

use super::Api;
use crate::error::HttpError;
use crate::store::MachineRow;
use axum::Json;
use axum::extract::State;

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<MachineRow>>, HttpError> {
    Ok(Json(api.store.run(|store| store.machines()).await?))
}
