//! Acts on a workspace, which its members and admins may do.

use super::super::Api;
use super::super::access::AccessOrder;
use super::super::order::Order;
use super::of::Of;
use crate::auth::{Actor, Caller};
use crate::error::HttpError;
use crate::routes::{ForkOrder, PromoteOrder, RestoreOrder, SwapOrder, UndoOrder};
use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// An act on a workspace.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum WorkspaceAct {
    SetAccess(Of<AccessOrder>),
    Swap(Of<SwapOrder>),
    Promote(Of<PromoteOrder>),
    Undo(Of<UndoOrder>),
    Fork(Of<ForkOrder>),
    Restore(Of<RestoreOrder>),
}

impl WorkspaceAct {
    pub(super) const NAMES: &[&str] = &["set_access", "swap", "promote", "undo", "fork", "restore"];

    pub(super) async fn check(&self, api: &Api, caller: &Caller) -> Result<String, HttpError> {
        match self {
            Self::SetAccess(set) => set.check(api, caller).await,
            Self::Swap(swap) => swap.check(api, caller).await,
            Self::Promote(promote) => promote.check(api, caller).await,
            Self::Undo(undo) => undo.check(api, caller).await,
            Self::Fork(fork) => fork.check(api, caller).await,
            Self::Restore(restore) => restore.check(api, caller).await,
        }
    }

    pub(super) async fn perform(self, api: &Api, by: Actor) -> Result<Response, HttpError> {
        match self {
            Self::SetAccess(set) => perform(set, api, &by).await,
            Self::Swap(swap) => perform(swap, api, &by).await,
            Self::Promote(promote) => perform(promote, api, &by).await,
            Self::Undo(undo) => perform(undo, api, &by).await,
            Self::Fork(fork) => perform(fork, api, &by).await,
            Self::Restore(restore) => perform(restore, api, &by).await,
        }
    }
}

async fn perform<O: Order>(of: Of<O>, api: &Api, by: &Actor) -> Result<Response, HttpError> {
    Ok(Json(of.perform(api, by).await?).into_response())
}
