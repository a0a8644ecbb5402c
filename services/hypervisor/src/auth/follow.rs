//! What other gateways change of people, their sessions and their tokens, taken over into memory.

use super::in_use::{Credential, InUse};
use super::{Auth, AuthError};
use crate::store::{Changed, Hash, Store};
use crate::timestamp::Timestamp;
use uuid::Uuid;

impl Auth {
    /// Looks once more at what has changed, and ends what is not there any longer. Blocks.
    ///
    /// # Errors
    /// The store's.
    pub fn follow(&self, store: &dyn Store, changed: &Changed) -> Result<(), AuthError> {
        match changed {
            Changed::User(user) => self.follow_user(store, *user),
            Changed::Session(token) => self.follow_session(store, token),
            Changed::Token(token) => self.follow_token(store, token),
            Changed::Workspace(_) => Ok(()),
        }
    }

    /// The same if anything may have changed.
    ///
    /// # Errors
    /// The store's.
    pub fn follow_all(&self, store: &dyn Store) -> Result<(), AuthError> {
        for session in self.sessions.hashes() {
            self.follow_session(store, &session)?;
        }
        for token in self.tokens.hashes() {
            self.follow_token(store, &token)?;
        }
        let known = [users(&self.sessions), users(&self.tokens)].concat();
        known
            .into_iter()
            .try_for_each(|user| self.follow_user(store, user))
    }

    fn follow_user(&self, store: &dyn Store, user: Uuid) -> Result<(), AuthError> {
        match store.user_by_id(user)? {
            Some(found) if found.disabled_at.is_none() => self.refresh(store, user)?,
            _ => self.end_all_of(user),
        }
        Ok(())
    }

    fn follow_session(&self, store: &dyn Store, token: &Hash) -> Result<(), AuthError> {
        self.sessions.verify(token, |session| {
            let found = store.session_by_token(token, Timestamp::now())?;
            Ok(found.is_some_and(|(row, _)| row.expires_at == session.expires_at))
        })
    }

    fn follow_token(&self, store: &dyn Store, hash: &Hash) -> Result<(), AuthError> {
        self.tokens.verify(hash, |token| {
            let found = store.token_by_hash(hash, Timestamp::now())?;
            Ok(found.is_some_and(|(row, _)| row.expires_at == token.expires_at))
        })
    }
}

/// Whose those are that are in use.
fn users<C: Credential>(in_use: &InUse<C>) -> Vec<Uuid> {
    in_use.last_uses().into_keys().collect()
}
