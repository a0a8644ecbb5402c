//! Acts on people, their invites and the members of workspaces: an admin's, and the operator's.

use super::super::Api;
use super::super::named::named;
use super::sentences;
use crate::auth::{Actor, AuthError, Caller, NewInvite};
use crate::error::HttpError;
use crate::store::UserChange;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An act on people.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum PeopleAct {
    /// Makes an invite, and tells its link this once.
    Invite(#[schema(inline)] NewInvite),
    /// The invite lets nobody in any more.
    RevokeInvite { invite_id: Uuid },
    /// They are logged out, and can't log in; what is theirs is kept.
    DisableUser { user_id: Uuid },
    /// They can log in again.
    EnableUser { user_id: Uuid },
    /// They log in with this username from now on.
    RenameUser { user_id: Uuid, username: String },
    /// Makes them an admin, or takes that from them.
    SetAdmin { user_id: Uuid, admin: bool },
    /// They are logged out everywhere.
    EndUserSessions { user_id: Uuid },
    /// A link with which somebody who has lost every passkey makes a new one, once.
    RecoveryLink { user_id: Uuid },
    /// They become a member of the workspace.
    AddMember { workspace: String, username: String },
    /// They are a member of the workspace no longer.
    RemoveMember { workspace: String, user_id: Uuid },
}

impl PeopleAct {
    pub(super) const NAMES: &[&str] = &[
        "invite",
        "revoke_invite",
        "disable_user",
        "enable_user",
        "rename_user",
        "set_admin",
        "end_user_sessions",
        "recovery_link",
        "add_member",
        "remove_member",
    ];

    pub(super) async fn check(&self, api: &Api, caller: &Caller) -> Result<String, HttpError> {
        caller.require_admin()?;
        match self {
            Self::Invite(new) => {
                let username = api.auth.check_invite(caller, new).await?;
                check_workspace(api, new)?;
                Ok(sentences::invite(username.as_deref(), new))
            }
            Self::RevokeInvite { invite_id } => {
                let whom = api.auth.open_invitation(*invite_id).await?.whom();
                Ok(format!(
                    "Revoke the invite for {whom}: its link lets nobody in any more."
                ))
            }
            Self::DisableUser { user_id } => check(api, *user_id, &UserChange::Disable).await,
            Self::EnableUser { user_id } => check(api, *user_id, &UserChange::Enable).await,
            Self::RenameUser { user_id, username } => {
                let rename = rename(api, *user_id, username).await?;
                check(api, *user_id, &rename).await
            }
            Self::SetAdmin { user_id, admin } => {
                check(api, *user_id, &UserChange::SetAdmin(*admin)).await
            }
            Self::EndUserSessions { user_id } => {
                check(api, *user_id, &UserChange::EndSessions).await
            }
            Self::RecoveryLink { user_id } => {
                let user = api.auth.person(*user_id).await?;
                if user.disabled_at.is_some() {
                    return Err(AuthError::UserDisabled.into());
                }
                Ok(sentences::recovery_link(&user))
            }
            Self::AddMember {
                workspace,
                username,
            } => {
                let of = named(api, workspace)?;
                api.routes.refuse_declared(&of)?;
                let user = api.auth.user_named(username).await?;
                Ok(sentences::add_member(&user, workspace))
            }
            Self::RemoveMember { workspace, user_id } => {
                let of = named(api, workspace)?;
                api.routes.may_leave(&of, *user_id)?;
                let user = api.auth.person(*user_id).await?;
                Ok(sentences::remove_member(&user, workspace))
            }
        }
    }

    pub(super) async fn perform(self, api: &Api, by: Actor) -> Result<Response, HttpError> {
        let auth = &api.auth;
        Ok(match self {
            Self::Invite(new) => {
                check_workspace(api, &new)?;
                Json(auth.invite_by(by, new).await?).into_response()
            }
            Self::RevokeInvite { invite_id } => {
                auth.revoke_invite(by, invite_id).await?;
                StatusCode::NO_CONTENT.into_response()
            }
            Self::DisableUser { user_id } => change(api, by, user_id, UserChange::Disable).await?,
            Self::EnableUser { user_id } => change(api, by, user_id, UserChange::Enable).await?,
            Self::RenameUser { user_id, username } => {
                let rename = rename(api, user_id, &username).await?;
                change(api, by, user_id, rename).await?
            }
            Self::SetAdmin { user_id, admin } => {
                change(api, by, user_id, UserChange::SetAdmin(admin)).await?
            }
            Self::EndUserSessions { user_id } => {
                change(api, by, user_id, UserChange::EndSessions).await?
            }
            Self::RecoveryLink { user_id } => {
                Json(auth.recovery_link(by, user_id).await?).into_response()
            }
            Self::AddMember {
                workspace,
                username,
            } => {
                let user = auth.user_named(&username).await?;
                join(api, by, &workspace, user.id).await?
            }
            Self::RemoveMember { workspace, user_id } => {
                leave(api, by, &workspace, user_id).await?
            }
        })
    }
}

/// What will happen to an account, if it can.
async fn check(api: &Api, user_id: Uuid, change: &UserChange) -> Result<String, HttpError> {
    let user = api.auth.person(user_id).await?;
    let takes_away = matches!(change, UserChange::Disable | UserChange::SetAdmin(false));
    if takes_away && api.auth.is_last_admin(&user).await? {
        return Err(AuthError::LastAdmin.into());
    }
    Ok(sentences::change(&user, change))
}

async fn change(
    api: &Api,
    by: Actor,
    user_id: Uuid,
    change: UserChange,
) -> Result<Response, HttpError> {
    let user = api.auth.change_user(by, user_id, change).await?;
    Ok(Json(user).into_response())
}

/// The change of a name; neither of the two may be one by which the configuration names somebody.
async fn rename(api: &Api, user_id: Uuid, text: &str) -> Result<UserChange, HttpError> {
    let user = api.auth.person(user_id).await?;
    let username = api.auth.new_username(user_id, text).await?;
    for name in [&user.username, &username] {
        if let Some(workspace) = api.routes.workspace_that_names(name) {
            let said = format!(
                "the configuration names {name} a member of {workspace}; change `workspaces.{workspace}.members` there first, and restart the gateway"
            );
            return Err(HttpError::new(StatusCode::CONFLICT, "name_reserved", said));
        }
    }
    Ok(UserChange::Rename(username))
}

/// Whether an invite may lead to the workspace that it names.
fn check_workspace(api: &Api, new: &NewInvite) -> Result<(), HttpError> {
    let Some(name) = &new.workspace else {
        return Ok(());
    };
    let workspace = named(api, name)?;
    Ok(api.routes.refuse_declared(&workspace)?)
}

async fn join(api: &Api, by: Actor, workspace: &str, user: Uuid) -> Result<Response, HttpError> {
    api.auth.recheck(&by).await?.require_admin()?;
    let of = named(api, workspace)?;
    api.routes.join(&of, user).await?;
    note(api, &by, "member_added", user, workspace).await
}

async fn leave(api: &Api, by: Actor, workspace: &str, user: Uuid) -> Result<Response, HttpError> {
    api.auth.recheck(&by).await?.require_admin()?;
    let of = named(api, workspace)?;
    api.routes.leave(&of, user).await?;
    note(api, &by, "member_removed", user, workspace).await
}

async fn note(
    api: &Api,
    by: &Actor,
    event: &str,
    user: Uuid,
    workspace: &str,
) -> Result<Response, HttpError> {
    let name = api.auth.person(user).await.map(|user| user.username);
    let name = name.unwrap_or_else(|_| user.to_string());
    let row = by.audit_row(event, Some(user), format!("{name} of {workspace}"));
    api.auth.audit(row).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}
