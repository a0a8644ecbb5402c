//! What takes a passkey: what each act is asked for with, whether it can be done, and its doing.

use super::super::Api;
use super::access::SetAccess;
use super::of::Of;
use crate::auth::{AuthError, Confirmed, Session, passkey_name};
use crate::error::HttpError;
use crate::routes::{ForkOrder, PromoteOrder, RestoreOrder, SwapOrder, UndoOrder};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// An act with its parameters.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Act {
    AddPasskey { name: Option<String> },
    RenamePasskey { passkey_id: Uuid, name: String },
    RemovePasskey { passkey_id: Uuid },
    RenewRecoveryCodes {},
    Invite {},
    EndSession { session_id: Uuid },
    EndOtherSessions {},
    SetAccess(SetAccess),
    Swap(Of<SwapOrder>),
    Promote(Of<PromoteOrder>),
    Undo(Of<UndoOrder>),
    Fork(Of<ForkOrder>),
    Restore(Of<RestoreOrder>),
}

impl Act {
    /// What will happen, in a sentence; refused if it can't, so that nobody is asked for a passkey
    /// in vain.
    pub(super) async fn check(
        &self,
        api: &Api,
        session: &Arc<Session>,
    ) -> Result<String, HttpError> {
        let user = &session.user;
        let (auth, account) = (&api.auth, &user.username);
        Ok(match self {
            Self::AddPasskey { .. } => self.summary_for(session)?,
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
            Self::Invite {} => {
                auth.may_invite(user)?;
                "Make a link with which one more person can sign up on this server.".into()
            }
            Self::EndSession { session_id } => {
                let other = auth.other_session(session, *session_id).await?;
                let (client, address) = (other.user_agent, other.address);
                format!("End a session of the account {account}: {client} at {address}.")
            }
            Self::EndOtherSessions {} => {
                format!("End every session of the account {account} but this one.")
            }
            Self::SetAccess(set) => set.check(api, session).await?,
            Self::Swap(swap) => swap.check(api, session).await?,
            Self::Promote(promote) => promote.check(api, session).await?,
            Self::Undo(undo) => undo.check(api, session).await?,
            Self::Fork(fork) => fork.check(api, session).await?,
            Self::Restore(restore) => restore.check(api, session).await?,
        })
    }

    /// Its name.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::AddPasskey { .. } => "add_passkey",
            Self::RenamePasskey { .. } => "rename_passkey",
            Self::RemovePasskey { .. } => "remove_passkey",
            Self::RenewRecoveryCodes {} => "renew_recovery_codes",
            Self::Invite {} => "invite",
            Self::EndSession { .. } => "end_session",
            Self::EndOtherSessions {} => "end_other_sessions",
            Self::SetAccess(_) => "set_access",
            Self::Swap(_) => "swap",
            Self::Promote(_) => "promote",
            Self::Undo(_) => "undo",
            Self::Fork(_) => "fork",
            Self::Restore(_) => "restore",
        }
    }

    /// The sentence of an act on the user's own account that can always be done.
    pub(super) fn summary_for(&self, session: &Session) -> Result<String, HttpError> {
        let account = &session.user.username;
        let named = match self {
            Self::AddPasskey { name: Some(name) } if !name.trim().is_empty() => {
                format!(" named “{}”", passkey_name(name)?)
            }
            _ => String::new(),
        };
        Ok(format!(
            "Add a passkey{named} to the account {account}: whoever has it can log in as {account}."
        ))
    }

    /// Does it. Session and rights are looked at once more.
    pub(super) async fn perform(self, api: &Api, by: Confirmed) -> Result<Response, HttpError> {
        let auth = &api.auth;
        Ok(match self {
            Self::AddPasskey { name } => auth.add_passkey(by, name).await?,
            Self::RenamePasskey { passkey_id, name } => {
                Json(auth.rename_passkey(by, passkey_id, name).await?).into_response()
            }
            Self::RemovePasskey { passkey_id } => {
                auth.remove_passkey(by, passkey_id).await?;
                StatusCode::NO_CONTENT.into_response()
            }
            Self::RenewRecoveryCodes {} => {
                let codes = auth.renew_recovery_codes(by).await?;
                Json(json!({ "recovery_codes": codes })).into_response()
            }
            Self::Invite {} => Json(auth.invite_by(by).await?).into_response(),
            Self::EndSession { session_id } => {
                auth.end_session(by, session_id).await?;
                StatusCode::NO_CONTENT.into_response()
            }
            Self::EndOtherSessions {} => {
                let ended = auth.end_other_sessions(by).await?;
                Json(json!({ "ended": ended })).into_response()
            }
            Self::SetAccess(set) => set.perform(api, by).await?.into_response(),
            Self::Swap(swap) => Json(swap.perform(api, by).await?).into_response(),
            Self::Promote(promote) => Json(promote.perform(api, by).await?).into_response(),
            Self::Undo(undo) => Json(undo.perform(api, by).await?).into_response(),
            Self::Fork(fork) => Json(fork.perform(api, by).await?).into_response(),
            Self::Restore(restore) => Json(restore.perform(api, by).await?).into_response(),
        })
    }
}
