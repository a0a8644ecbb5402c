//! What lets programs in, in a person's name: never further than the person, and no further than
//! its scopes.

use super::bearer::Bearer;
use super::in_use::{Credential, InUse, LastUse};
use super::{Auth, AuthError, User};
use crate::lifetime::{EndNotifier, Lifetime};
use crate::scope::{Scope, Scopes};
use crate::store::{Hash, Store, TokenRow};
use crate::timestamp::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// A user's token.
pub struct ApiToken {
    /// Its public name; not what the program holds.
    pub id: Uuid,
    /// Whose it is.
    pub user: Arc<User>,
    /// The user's name for it.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// The only workspace that it is good for, if it is not good for all of its user's.
    pub workspace: Option<String>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// What it opened ends with this.
    pub lifetime: Arc<Lifetime>,
    pub(super) created_at: Timestamp,
    hash: Hash,
    last_used_at: LastUse,
}

/// The tokens that are in use.
pub(super) type Tokens = InUse<ApiToken>;

impl ApiToken {
    fn new(row: TokenRow, user: Arc<User>, ends: &EndNotifier) -> Self {
        let never = Timestamp::from_millis(0);
        Self {
            id: row.id,
            user,
            name: row.name,
            scopes: row.scopes,
            workspace: row.workspace,
            expires_at: row.expires_at,
            lifetime: ends.lifetime(Some(row.expires_at)),
            created_at: row.created_at,
            hash: row.token,
            last_used_at: LastUse::at(row.last_used_at.unwrap_or(never)),
        }
    }

    /// The same token, of its user as they are now.
    pub(super) fn with_user(&self, user: Arc<User>) -> Self {
        Credential::with_user(self, user, Arc::clone(&self.lifetime))
    }

    /// Its user as they are now, if it has not ended meanwhile.
    pub(super) fn current_user(&self, store: &dyn Store) -> Result<User, AuthError> {
        let found = store.token_by_hash(&self.hash, Timestamp::now())?;
        let (_, user) = found.ok_or(AuthError::InvalidToken)?;
        Ok(user)
    }

    /// Asks for a scope.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`].
    pub fn require(&self, scope: Scope) -> Result<(), AuthError> {
        if self.scopes.has(scope) {
            return Ok(());
        }
        Err(AuthError::InsufficientScope(scope))
    }

    /// Asks whether it opens sandboxes of this workspace, if its user may.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`], [`AuthError::OtherWorkspace`].
    pub fn may_open(&self, workspace: &str) -> Result<(), AuthError> {
        self.require(Scope::SandboxOpen)?;
        self.require_workspace(workspace)
    }

    /// Asks whether it is good for this workspace, if its user is a member.
    ///
    /// # Errors
    /// [`AuthError::OtherWorkspace`].
    pub fn require_workspace(&self, name: &str) -> Result<(), AuthError> {
        match &self.workspace {
            Some(only) if only != name => Err(AuthError::OtherWorkspace(only.clone())),
            _ => Ok(()),
        }
    }
}

impl Credential for ApiToken {
    fn id(&self) -> Uuid {
        self.id
    }

    fn hash(&self) -> Hash {
        self.hash
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    fn lifetime(&self) -> &Arc<Lifetime> {
        &self.lifetime
    }

    fn last_use(&self) -> &LastUse {
        &self.last_used_at
    }

    fn user(&self) -> &Arc<User> {
        &self.user
    }

    fn with_user(&self, user: Arc<User>, lifetime: Arc<Lifetime>) -> Self {
        Self {
            user,
            lifetime,
            name: self.name.clone(),
            scopes: self.scopes.clone(),
            workspace: self.workspace.clone(),
            last_used_at: LastUse::at(self.last_used_at.time()),
            ..*self
        }
    }
}

impl Auth {
    /// The token that a request carried, if it was used before; a lookup in memory. Who gets none
    /// asks [`Auth::fetch_token`].
    pub fn token(&self, bearer: &Bearer) -> Option<Arc<ApiToken>> {
        if !self.store.is_current() {
            return None;
        }
        self.tokens.find(&bearer.hash?)
    }

    /// The same where it is not in memory. As with sessions the store is asked for one request at
    /// a time.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`]; the store's.
    pub async fn fetch_token(
        self: &Arc<Self>,
        bearer: &Bearer,
    ) -> Result<Arc<ApiToken>, AuthError> {
        let hashes = bearer.hash.into_iter().collect();
        let find = |auth: &Self, store: &dyn Store, hash: &Hash| auth.load_token(store, hash);
        let found = self.ask_store(hashes, find).await?;
        found.ok_or(AuthError::InvalidToken)
    }

    fn load_token(
        &self,
        store: &dyn Store,
        hash: &Hash,
    ) -> Result<Option<Arc<ApiToken>>, AuthError> {
        self.tokens.find_or_load(hash, || {
            let found = store.token_by_hash(hash, Timestamp::now())?;
            let token = |(row, user)| ApiToken::new(row, Arc::new(user), &self.ends);
            Ok(found.map(token))
        })
    }
}
