//! Who asks for something and who does it: people with a passkey for the very act, programs with a
//! token, and the operator.

use super::confirm::Confirmed;
use super::{ApiToken, Auth, AuthError, Principal, Session, User, client};
use crate::lifetime::Lifetime;
use crate::scope::Scope;
use crate::store::AuditRow;
use axum::extract::FromRequestParts;
use http::request::Parts;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// What the audit log calls whoever comes to the operator's socket.
const OPERATOR: &str = "the operator";

/// Who asks for something.
#[derive(Clone)]
pub(crate) enum Caller {
    /// Root or the gateway's own user, at the operator's socket.
    Operator,
    /// Somebody who is logged in, in a full session.
    Person(Arc<Session>),
    /// A program, in the name of its token's user.
    Token(Arc<ApiToken>),
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        // Nothing but the operator's socket puts one there.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        match Principal::of(&parts.extensions) {
            None => Err(AuthError::Unauthenticated),
            Some(Principal::Token(token)) => Ok(Self::Token(token)),
            Some(Principal::Person(session)) => {
                session.require_full()?;
                Ok(Self::Person(session))
            }
        }
    }
}

impl Caller {
    /// Whose account it is; none of the operator's.
    pub(crate) fn user(&self) -> Option<&User> {
        match self {
            Self::Operator => None,
            Self::Person(session) => Some(&session.user),
            Self::Token(token) => Some(&token.user),
        }
    }

    /// What the audit log calls them.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Operator => OPERATOR.to_owned(),
            Self::Person(session) => session.user.username.clone(),
            Self::Token(token) => format!("{} by the token {}", token.user.username, token.name),
        }
    }

    /// Whether they may do what is an admin's.
    pub(crate) fn is_admin(&self) -> bool {
        match self {
            Self::Operator => true,
            Self::Person(session) => session.user.admin,
            Self::Token(token) => token.user.admin && token.scopes.has(Scope::Admin),
        }
    }

    /// Asks whether they come for this workspace at all: a token may be good for another one alone.
    ///
    /// # Errors
    /// [`AuthError::OtherWorkspace`].
    pub(crate) fn require_workspace(&self, name: &str) -> Result<(), AuthError> {
        match self {
            Self::Token(token) => token.require_workspace(name),
            Self::Operator | Self::Person(_) => Ok(()),
        }
    }

    /// Asks for an admin, or the operator.
    ///
    /// # Errors
    /// [`AuthError::AdminOnly`].
    pub(crate) fn require_admin(&self) -> Result<(), AuthError> {
        if !self.is_admin() {
            return Err(AuthError::AdminOnly);
        }
        Ok(())
    }

    /// Their session, for what concerns an account of their own.
    ///
    /// # Errors
    /// [`AuthError::PersonOnly`].
    pub(crate) fn session(&self) -> Result<&Arc<Session>, AuthError> {
        match self {
            Self::Operator => Err(AuthError::PersonOnly),
            Self::Token(_) => Err(AuthError::NoTokens),
            Self::Person(session) => Ok(session),
        }
    }

    /// What they open ends with this; what the operator opens has no end.
    pub(crate) fn lifetime(&self) -> Option<&Arc<Lifetime>> {
        match self {
            Self::Operator => None,
            Self::Person(session) => Some(&session.lifetime),
            Self::Token(token) => Some(&token.lifetime),
        }
    }

    /// What the audit log has of something that they did, from this address.
    pub(crate) fn audit_row(
        &self,
        event: &str,
        user: Option<Uuid>,
        address: Option<IpAddr>,
        detail: impl Into<String>,
    ) -> AuditRow {
        AuditRow {
            address: address.map(|address| address.to_string()),
            actor: Some(self.name()),
            ..AuditRow::new(event, user, detail)
        }
    }
}

/// Who does an act.
pub(crate) enum Actor {
    /// The operator, whom the socket lets in.
    Operator,
    /// A person, whose passkey has confirmed it.
    Person(Confirmed),
    /// A program, whose token's scopes allow it.
    Token {
        /// The token.
        token: Arc<ApiToken>,
        /// Where it comes from.
        address: IpAddr,
    },
}

impl Actor {
    /// Who asked for it.
    pub(crate) fn caller(&self) -> Caller {
        match self {
            Self::Operator => Caller::Operator,
            Self::Person(by) => Caller::Person(Arc::clone(&by.session)),
            Self::Token { token, .. } => Caller::Token(Arc::clone(token)),
        }
    }

    /// What was confirmed, for an act on an account of their own.
    ///
    /// # Errors
    /// [`AuthError::PersonOnly`].
    pub(crate) fn confirmed(self) -> Result<Confirmed, AuthError> {
        match self {
            Self::Operator => Err(AuthError::PersonOnly),
            Self::Token { .. } => Err(AuthError::NoTokens),
            Self::Person(by) => Ok(by),
        }
    }

    /// What the audit log has of it.
    pub(crate) fn audit_row(
        &self,
        event: &str,
        user: Option<Uuid>,
        detail: impl Into<String>,
    ) -> AuditRow {
        match self {
            Self::Operator => Caller::Operator.audit_row(event, user, None, detail),
            Self::Person(by) => by.audit_row(event, user, detail),
            Self::Token { address, .. } => {
                let caller = self.caller();
                caller.audit_row(event, user, Some(*address), detail)
            }
        }
    }
}

impl Auth {
    /// Writes to the audit log what has been done.
    pub(crate) async fn audit(self: &Arc<Self>, row: AuditRow) {
        let event = row.event.clone();
        let noted = self.run(move |_, store| {
            client::audit(store, &row);
            Ok(())
        });
        if let Err(error) = noted.await {
            tracing::error!(%error, event, "an event is missing from the audit log");
        }
    }

    /// Whoever does an act as they are now, with the rights that they have now, if what let them in
    /// has not ended meanwhile.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`]; the store's.
    pub(crate) async fn recheck(self: &Arc<Self>, by: &Actor) -> Result<Caller, AuthError> {
        let caller = by.caller();
        self.run(move |auth, store| match caller {
            Caller::Operator => Ok(Caller::Operator),
            Caller::Person(session) => {
                let user = auth.still(store, &session)?;
                Ok(Caller::Person(Arc::new(session.with_user(user.into()))))
            }
            Caller::Token(token) => {
                let user = token.current_user(store)?;
                Ok(Caller::Token(Arc::new(token.with_user(user.into()))))
            }
        })
        .await
    }
}
