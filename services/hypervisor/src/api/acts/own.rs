//! Acts on an account of one's own.

use super::super::Api;
use crate::auth::{Actor, AuthError, Caller, Session, passkey_name};
use crate::error::HttpError;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

/// An act on the account of whoever does it.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OwnAct {
    AddPasskey { name: Option<String> },
    RenamePasskey { passkey_id: Uuid, name: String },
    RemovePasskey { passkey_id: Uuid },
    RenewRecoveryCodes {},
    EndSession { session_id: Uuid },
    EndOtherSessions {},
}

impl OwnAct {
    pub(super) const NAMES: &[&str] = &[
        "add_passkey",
        "rename_passkey",
        "remove_passkey",
        "renew_recovery_codes",
        "end_session",
        "end_other_sessions",
    ];

    pub(super) async fn check(&self, api: &Api, caller: &Caller) -> Result<String, HttpError> {
        if let (Self::EndSession { session_id }, Caller::Operator) = (self, caller) {
            return Ok(format!("End the session {session_id}, whosever it is."));
        }
        let session = caller.session()?;
        let user = &session.user;
        let (auth, account) = (&api.auth, &user.username);
        Ok(match self {
            Self::AddPasskey { name } => adds_passkey(session, name.as_deref())?,
            Self::RenamePasskey { passkey_id, name } => {
                let new = passkey_name(name)?;
                let (old, _) = auth.passkey_of(user.id, *passkey_id).await?;
                format!("Rename the passkey “{old}” of the account {account} to “{new}”.")
            }
            Self::RemovePasskey { passkey_id } => {
                let (name, has_another) = auth.passkey_of(user.id, *passkey_id).await?;
                if !has_another {
                    return Err(AuthError::LastPasskey.into());
                }
                format!(
                    "Remove the passkey “{name}” from the account {account}: it logs nobody in any more, and other sessions that it opened end."
                )
            }
            Self::RenewRecoveryCodes {} => format!(
                "Make new recovery codes for the account {account}: those that there are work no longer."
            ),
            Self::EndSession { session_id } => {
                let other = auth.other_session(session, *session_id).await?;
                let (client, address) = (other.user_agent, other.address);
                format!("End a session of the account {account}: {client} at {address}.")
            }
            Self::EndOtherSessions {} => {
                format!("End every session of the account {account} but this one.")
            }
        })
    }

    pub(super) async fn perform(self, api: &Api, by: Actor) -> Result<Response, HttpError> {
        let auth = &api.auth;
        Ok(match self {
            Self::AddPasskey { name } => auth.add_passkey(by.confirmed()?, name).await?,
            Self::RenamePasskey { passkey_id, name } => Json(
                auth.rename_passkey(by.confirmed()?, passkey_id, name)
                    .await?,
            )
            .into_response(),
            Self::RemovePasskey { passkey_id } => {
                auth.remove_passkey(by.confirmed()?, passkey_id).await?;
                StatusCode::NO_CONTENT.into_response()
            }
            Self::RenewRecoveryCodes {} => {
                let codes = auth.renew_recovery_codes(by.confirmed()?).await?;
                Json(json!({ "recovery_codes": codes })).into_response()
            }
            Self::EndSession { session_id } => {
                auth.end_session(by, session_id).await?;
                StatusCode::NO_CONTENT.into_response()
            }
            Self::EndOtherSessions {} => {
                let ended = auth.end_other_sessions(by.confirmed()?).await?;
                Json(json!({ "ended": ended })).into_response()
            }
        })
    }
}

/// The sentence of `add_passkey`, also where a recovery code has opened the session.
pub(super) fn adds_passkey(session: &Session, name: Option<&str>) -> Result<String, HttpError> {
    let account = &session.user.username;
    let named = match name.filter(|name| !name.trim().is_empty()) {
        Some(name) => format!(" named “{}”", passkey_name(name)?),
        None => String::new(),
    };
    Ok(format!(
        "Add a passkey{named} to the account {account}: whoever has it can log in as {account}."
    ))
}
