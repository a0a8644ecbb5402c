//! Who asks: a person in a browser, or a program with a person's token.

use super::{ApiToken, AuthError, Session, User};
use crate::lifetime::Lifetime;
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

    /// Asks whether it may open sandboxes of this workspace, if its user may.
    ///
    /// # Errors
    /// As of [`ApiToken::may_open`].
    pub fn may_open(&self, workspace: &str) -> Result<(), AuthError> {
        match self {
            Self::Person(_) => Ok(()),
            Self::Token(token) => token.may_open(workspace),
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
