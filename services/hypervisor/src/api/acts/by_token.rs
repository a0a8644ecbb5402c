//! `POST /api/acts`: what takes a person a passkey, a program does at once, within the scopes of
//! its token.

use super::super::Api;
use super::act::Act;
use crate::auth::{Actor, AuthError, Caller, Principal};
use crate::error::{HttpError, Payload};
use crate::peer::Peer;
use crate::scope::Scope;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

/// The scope that an act of this name takes; without one, no token is good for it.
pub(super) fn scope_of(act: &str) -> Option<Scope> {
    match act {
        "swap" | "promote" | "undo" | "fork" | "restore" => Some(Scope::SandboxesPromote),
        "invite" | "revoke_invite" | "disable_user" | "enable_user" | "rename_user"
        | "set_admin" | "remove_user" | "end_user_sessions" | "recovery_link" | "add_member"
        | "remove_member" | "restore_archive" | "delete_archive" => Some(Scope::Admin),
        // What concerns an account itself, and who may look at a sandbox.
        _ => None,
    }
}

/// Do an act at once.
#[utoipa::path(
    post, path = "/api/acts", tag = "acts", security(("token" = [])),
    request_body = Act,
    responses(
        (status = 200, description = "What came of it"),
        (status = 204, description = "It is done"),
        (status = 403, description = "The token, or its user, may not"),
        (status = 404, description = "There is nothing of that name or id"),
        (status = 409, description = "It cannot be done as things are; the sentence says why"),
        (status = 422, description = "A parameter is none"),
    )
)]
pub(in crate::api) async fn act(
    State(api): State<Api>,
    principal: Principal,
    Extension(peer): Extension<Peer>,
    Payload(act): Payload<Act>,
) -> Result<Response, HttpError> {
    let Principal::Token(token) = principal else {
        return Err(AuthError::Unauthenticated.into());
    };
    let scope = scope_of(act.name()).ok_or(AuthError::NoTokens)?;
    token.require(scope)?;
    act.check(&api, &Caller::Token(token.clone())).await?;
    let address = peer.client;
    act.perform(&api, Actor::Token { token, address }).await
}

#[cfg(test)]
mod tests {
    use super::super::act::names;
    use super::*;

    #[test]
    fn no_token_is_good_for_what_concerns_an_account_itself() {
        let own = [
            "add_passkey",
            "rename_passkey",
            "remove_passkey",
            "renew_recovery_codes",
            "end_session",
            "end_other_sessions",
            "create_token",
            "revoke_token",
            "set_access",
        ];
        for name in names() {
            assert_eq!(scope_of(name).is_none(), own.contains(&name), "{name}");
        }
        assert_eq!(scope_of("anything"), None);
    }
}
