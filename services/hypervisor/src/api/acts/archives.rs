//! Acts on people who go, and on what is kept of theirs: an admin's, and the operator's.

use super::super::Api;
use super::sentences;
use crate::auth::{Actor, AuthError, Caller};
use crate::error::HttpError;
use crate::routes::Remover;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// An act on people who go, and on what is kept of theirs.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ArchiveAct {
    /// Their account goes, and what is theirs alone becomes an archive.
    RemoveUser { user_id: Uuid },
    /// This person gets the archive as a workspace.
    RestoreArchive {
        archive_id: String,
        username: String,
    },
    /// The archive is gone.
    DeleteArchive { archive_id: String },
}

impl ArchiveAct {
    pub(super) const NAMES: &[&str] = &["remove_user", "restore_archive", "delete_archive"];

    pub(super) async fn check(&self, api: &Api, caller: &Caller) -> Result<String, HttpError> {
        caller.require_admin()?;
        match self {
            Self::RemoveUser { user_id } => {
                let user = api.auth.person(*user_id).await?;
                if api.auth.is_last_admin(&user).await? {
                    return Err(AuthError::LastAdmin.into());
                }
                let days = api.config.runtime.archive_days;
                Ok(sentences::remove_user(&user, days))
            }
            Self::RestoreArchive {
                archive_id,
                username,
            } => {
                let user = api.auth.user_named(username).await?;
                let workspace = workspace_of(api, archive_id).await?;
                Ok(sentences::restore_archive(&user, &workspace))
            }
            Self::DeleteArchive { archive_id } => {
                let workspace = workspace_of(api, archive_id).await?;
                Ok(sentences::delete_archive(&workspace))
            }
        }
    }

    pub(super) async fn perform(self, api: &Api, by: Actor) -> Result<Response, HttpError> {
        let caller = api.auth.recheck(&by).await?;
        caller.require_admin()?;
        let name = caller.name();
        match self {
            Self::RemoveUser { user_id } => remove(api, by, &caller, user_id).await,
            Self::RestoreArchive {
                archive_id,
                username,
            } => {
                let user = api.auth.user_named(&username).await?;
                let restored = api
                    .routes
                    .restore_archive(&archive_id, &user.username, &name);
                let restored = restored.await?;
                let detail = format!("{} for {}", restored.workspace, user.username);
                let row = by.audit_row("archive_restored", Some(user.id), detail);
                api.auth.audit(row).await;
                Ok(Json(restored).into_response())
            }
            Self::DeleteArchive { archive_id } => {
                let workspace = workspace_of(api, &archive_id).await?;
                api.routes.delete_archive(&archive_id, &name).await?;
                let row = by.audit_row("archive_deleted", None, workspace);
                api.auth.audit(row).await;
                Ok(StatusCode::NO_CONTENT.into_response())
            }
        }
    }
}

/// Their sessions and tokens end in the same moment, before their data are put away.
async fn remove(
    api: &Api,
    by: Actor,
    caller: &Caller,
    user_id: Uuid,
) -> Result<Response, HttpError> {
    let user = api.auth.person(user_id).await?;
    let auth = Arc::clone(&api.auth);
    let by = Remover {
        admin: caller.user().map(|user| user.id),
        name: caller.name(),
        gone: Box::new(move |store, archived| {
            let mut detail = user.username;
            if !archived.is_empty() {
                detail = format!("{detail}; archived: {}", archived.join(", "));
            }
            let row = by.audit_row("user_removed", Some(user_id), detail);
            auth.removed(store, user_id, &row);
        }),
    };
    let removed = api.routes.remove_user(user_id, by).await?;
    Ok(Json(removed).into_response())
}

/// What the workspace of an archive was called.
async fn workspace_of(api: &Api, id: &str) -> Result<String, HttpError> {
    let archives = api.routes.archives().await?;
    let found = archives.into_iter().find(|archive| archive.id == id);
    let found = found.ok_or_else(|| {
        let said = format!(
            "there is no archive {id}; `hypervisor archives list` lists those that there are"
        );
        HttpError::new(StatusCode::NOT_FOUND, "no_archive", said)
    })?;
    Ok(found.workspace)
}
