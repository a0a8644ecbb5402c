//! Acts on tokens: a person's own, with a passkey, and everybody's, by the operator. None can be
//! done with a token.

use super::super::Api;
use crate::auth::{Actor, AuthError, Caller, NewToken, User};
use crate::error::HttpError;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

/// An act on a token.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum TokenAct {
    CreateToken(NewToken),
    RevokeToken { token_id: Uuid },
}

impl TokenAct {
    pub(super) const NAMES: &[&str] = &["create_token", "revoke_token"];

    pub(super) async fn check(&self, api: &Api, caller: &Caller) -> Result<String, HttpError> {
        match self {
            Self::CreateToken(new) => {
                let (user, name) = check(api, caller, new).await?;
                let (account, scopes, days) = (user.username, &new.scopes, new.days);
                let place = match &new.workspace {
                    Some(workspace) => format!(" in the workspace {workspace} alone"),
                    None => String::new(),
                };
                Ok(format!(
                    "Make the token “{name}” of the account {account}: for {days} days whoever has it may, as {account}{place}: {scopes}."
                ))
            }
            Self::RevokeToken { token_id } => {
                let token = api.auth.token_of(caller, *token_id).await?;
                Ok(format!(
                    "Revoke the token “{}”, and end what it has opened.",
                    token.name
                ))
            }
        }
    }

    pub(super) async fn perform(self, api: &Api, by: Actor) -> Result<Response, HttpError> {
        let caller = api.auth.recheck(&by).await?;
        match self {
            Self::CreateToken(new) => {
                let (user, _) = check(api, &caller, &new).await?;
                let made = api.auth.create_token(by, user, new).await?;
                Ok(Json(made).into_response())
            }
            Self::RevokeToken { token_id } => {
                api.auth.revoke_token(by, token_id).await?;
                Ok(StatusCode::NO_CONTENT.into_response())
            }
        }
    }
}

/// Whose such a token would be, and its name.
async fn check(api: &Api, caller: &Caller, new: &NewToken) -> Result<(User, String), HttpError> {
    let user = api.auth.owner_of(caller, new).await?;
    let name = new.check(&user)?;
    let Some(workspace) = &new.workspace else {
        return Ok((user, name));
    };
    let theirs = api.routes.named(workspace);
    if theirs.is_some_and(|workspace| api.routes.is_member(user.id, &workspace)) {
        return Ok((user, name));
    }
    Err(AuthError::NoMember(user.username, workspace.clone()).into())
}
