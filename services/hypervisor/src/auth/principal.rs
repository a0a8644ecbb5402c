//! Who asks: a person in a browser, or a program with a person's token.

use super::{ApiToken, AuthError, Session, User};
use crate::lifetime::Lifetime;
use crate::scope::Scope;
use axum::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use std::sync::Arc;

/// Who asks.
#[derive(Clone)]
pub enum Principal {
    /// A person, by their session.
    Person(Arc<Session>),
    /// A program, by their token.
    Token(Arc<ApiToken>),
}

impl Principal {
    /// The person, or in whose name the program asks.
    pub fn user(&self) -> &Arc<User> {
        match self {
            Self::Person(session) => &session.user,
            Self::Token(token) => &token.user,
        }
    }

    /// What it opens ends with this.
    pub fn lifetime(&self) -> &Arc<Lifetime> {
        match self {
            Self::Person(session) => &session.lifetime,
            Self::Token(token) => &token.lifetime,
        }
    }

    /// Whether it may do all that an admin may.
    pub fn is_admin(&self) -> bool {
        self.user().admin && self.require(Scope::Admin).is_ok()
    }

    /// Asks for a scope. A person in a browser has all of them.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`]; [`AuthError::RecoverySession`].
    pub fn require(&self, scope: Scope) -> Result<(), AuthError> {
        match self {
            Self::Person(session) => session.require_full(),
            Self::Token(token) => token.require(scope),
        }
    }

    /// The only workspace that it is good for, if it is not good for all of its user's.
    pub fn workspace(&self) -> Option<&str> {
        match self {
            Self::Person(_) => None,
            Self::Token(token) => token.workspace.as_deref(),
        }
    }

    /// Asks whether it is good for this workspace, if its user is a member.
    ///
    /// # Errors
    /// [`AuthError::OtherWorkspace`].
    pub fn require_workspace(&self, name: &str) -> Result<(), AuthError> {
        match self.workspace() {
            Some(only) if only != name => Err(AuthError::OtherWorkspace(only.to_owned())),
            _ => Ok(()),
        }
    }

    /// Has the handlers of a request know it.
    pub(crate) fn insert_into(self, extensions: &mut Extensions) {
        match self {
            Self::Person(session) => drop(extensions.insert(session)),
            Self::Token(token) => drop(extensions.insert(token)),
        }
    }

    /// The one that was inserted.
    pub(crate) fn of(extensions: &Extensions) -> Option<Self> {
        if let Some(token) = extensions.get::<Arc<ApiToken>>() {
            return Some(Self::Token(token.clone()));
        }
        let session = extensions.get::<Arc<Session>>()?;
        Some(Self::Person(session.clone()))
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        Self::of(&parts.extensions).ok_or(AuthError::Unauthenticated)
    }
}
