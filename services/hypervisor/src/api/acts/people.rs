//! Acts on people and their invites, which admins may do, and the operator.

use super::super::Api;
use super::super::operator::named;
use crate::auth::{Actor, Caller, NewInvite};
use crate::error::HttpError;
use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// An act on people.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum PeopleAct {
    Invite(NewInvite),
}

impl PeopleAct {
    pub(super) const NAMES: &[&str] = &["invite"];

    pub(super) async fn check(&self, api: &Api, caller: &Caller) -> Result<String, HttpError> {
        match self {
            Self::Invite(new) => check_invite(api, caller, new).await,
        }
    }

    pub(super) async fn perform(self, api: &Api, by: Actor) -> Result<Response, HttpError> {
        match self {
            Self::Invite(new) => {
                check_workspace(api, &new)?;
                Ok(Json(api.auth.invite_by(by, new).await?).into_response())
            }
        }
    }
}

async fn check_invite(api: &Api, caller: &Caller, new: &NewInvite) -> Result<String, HttpError> {
    let username = api.auth.check_invite(caller, new).await?;
    check_workspace(api, new)?;
    let whom = match username {
        Some(username) => format!("{username} can sign up"),
        None => "one more person can sign up".to_owned(),
    };
    let role = if new.admin { " as an admin" } else { "" };
    let place = match &new.workspace {
        Some(workspace) => format!(", and is a member of the workspace {workspace}"),
        None => String::new(),
    };
    Ok(format!(
        "Make a link with which {whom}{role} on this server{place}."
    ))
}

/// Whether an invite may lead to the workspace that it names.
fn check_workspace(api: &Api, new: &NewInvite) -> Result<(), HttpError> {
    let Some(name) = &new.workspace else {
        return Ok(());
    };
    let workspace = named(api, name)?;
    Ok(api.routes.refuse_declared(&workspace)?)
}
