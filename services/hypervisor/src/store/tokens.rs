//! What is kept of tokens, which let programs in.

use super::{Hash, StoreError, UserRow};
use crate::scope::Scopes;
use crate::timestamp::Timestamp;
use uuid::Uuid;

/// A token of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its public name; not what the program holds.
    pub id: Uuid,
    /// The hash of what the program holds.
    pub token: Hash,
    /// Whose it is.
    pub user_id: Uuid,
    /// The user's name for it.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// The only workspace that it is good for, if it is not good for all of its user's.
    pub workspace: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it last came with a request, to about a minute.
    pub last_used_at: Option<Timestamp>,
}

/// Tokens. They are looked up in memory, and here at their first request after a start.
pub trait TokenStore {
    /// Keeps a new one; a user has no more than `most` that are good.
    ///
    /// # Errors
    /// `Conflict::Tokens` if the user has as many, `Conflict::NoUser` if they are gone or disabled.
    fn add_token(&self, token: &TokenRow, most: u64) -> Result<(), StoreError>;

    /// A user's tokens that are good at `now`, newest first.
    fn tokens_of(&self, user: Uuid, now: Timestamp) -> Result<Vec<TokenRow>, StoreError>;

    /// The token of this hash if it is good at `now`, and whose it is: nobody's who is disabled.
    fn token_by_hash(
        &self,
        hash: &Hash,
        now: Timestamp,
    ) -> Result<Option<(TokenRow, UserRow)>, StoreError>;

    /// The token of this id, if there is one still.
    fn token_by_id(&self, id: Uuid) -> Result<Option<TokenRow>, StoreError>;

    /// Ends a token; says whether there was one.
    fn remove_token(&self, id: Uuid) -> Result<bool, StoreError>;

    /// Notes when tokens were last used, and forgets those that ended before `past`.
    fn purge_tokens(
        &self,
        used: &[(Uuid, Timestamp)],
        now: Timestamp,
        past: Timestamp,
    ) -> Result<(), StoreError>;
}
