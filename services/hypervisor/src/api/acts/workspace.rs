//! Acts on a workspace, which its members and admins may do.

use super::super::Api;
use super::super::access::{self, AccessOrder};
use super::of::Of;
use crate::auth::{Actor, Caller};
use crate::error::HttpError;
use crate::routes::{ForkOrder, PromoteOrder, RestoreOrder, Routes, SwapOrder, UndoOrder};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

/// An act on a workspace.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum WorkspaceAct {
    /// Lets these look at a sandbox.
    SetAccess(#[schema(inline)] Of<AccessOrder>),
    /// Live and dev exchange their sandboxes, volumes included.
    Swap(#[schema(inline)] Of<SwapOrder>),
    /// Live takes dev's release, or another.
    Promote(#[schema(inline)] Of<PromoteOrder>),
    /// Live takes back the release that it had before the last promotion.
    Undo(#[schema(inline)] Of<UndoOrder>),
    /// Dev's volume becomes a copy of live's.
    Fork(#[schema(inline)] Of<ForkOrder>),
    /// A volume becomes what a snapshot of it has.
    Restore(#[schema(inline)] Of<RestoreOrder>),
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
        let by = &by;
        match self {
            Self::SetAccess(set) => set.perform(api, by, "access_set", access::set).await,
            Self::Swap(swap) => swap.perform(api, by, "swapped", Routes::swap).await,
            Self::Promote(promote) => {
                let promoted = promote.perform(api, by, "promoted", Routes::promote);
                promoted.await
            }
            Self::Undo(undo) => {
                let undone = undo.perform(api, by, "promotion_undone", Routes::undo);
                undone.await
            }
            Self::Fork(fork) => fork.perform(api, by, "forked", Routes::fork).await,
            Self::Restore(restore) => {
                let restored = restore.perform(api, by, "restored", Routes::restore);
                restored.await
            }
        }
    }
}
