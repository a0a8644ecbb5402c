//! Listing tokens.

use super::super::{Auth, AuthError};
use crate::scope::Scopes;
use crate::store::TokenRow;
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// A token as its user sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// Its public name.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// The only workspace that it is good for, if it is not good for all of its user's.
    pub workspace: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it last came with a request, to about a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

impl From<TokenRow> for TokenView {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: row.scopes,
            workspace: row.workspace,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }
    }
}

impl Auth {
    /// A user's tokens that are good, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn tokens_of(self: &Arc<Self>, user: Uuid) -> Result<Vec<TokenView>, AuthError> {
        self.run(move |auth, store| {
            let rows = store.tokens_of(user, Timestamp::now())?;
            let view = |row: TokenRow| {
                // What is in use is written down later.
                let used = auth.tokens.peek(&row.token);
                let used = used.map(|it| it.last_used_at.time());
                let mut view = TokenView::from(row);
                view.last_used_at = used.or(view.last_used_at);
                view
            };
            Ok(rows.into_iter().map(view).collect())
        })
        .await
    }
}
