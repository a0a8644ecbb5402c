//! Making tokens, listing them, and taking them back.

use super::bearer::PREFIX;
use super::in_use::Credential as _;
use super::token::Token;
use super::{Actor, Auth, AuthError, Caller, User, client, validation};
use crate::scope::{Scope, Scopes};
use crate::store::{Store, TokenRow};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

/// The longest that a token lasts.
const MOST_DAYS: u32 = 365;

/// Tokens that a user has at once.
const MOST: u64 = 100;

/// What a token is to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for, in a few words.
    #[schema(max_length = 64, example = "nightly build")]
    pub name: String,
    /// What it is good for.
    #[schema(min_items = 1)]
    pub scopes: Scopes,
    /// For how many days.
    #[schema(minimum = 1, maximum = 365, example = 90)]
    pub days: u32,
    /// The only workspace that it is good for; without one, all of its user's.
    #[serde(default)]
    pub workspace: Option<String>,
    /// Whose it is to be, which the operator says; people make their own.
    #[serde(default)]
    pub username: Option<String>,
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedToken {
    /// The secret, which is told this once.
    #[schema(example = "choiros_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")]
    pub token: String,
    /// All else.
    #[serde(flatten)]
    pub view: TokenView,
}

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
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it last came with a request, to about a minute.
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

impl NewToken {
    /// Whether this user may have such a one. Whether its workspace is theirs is asked elsewhere.
    pub(crate) fn check(&self, user: &User) -> Result<String, AuthError> {
        let name = validation::label(Some(&self.name), "")?;
        if name.is_empty() {
            return Err(AuthError::InvalidName);
        }
        if !(1..=MOST_DAYS).contains(&self.days) {
            return Err(AuthError::InvalidDays(MOST_DAYS));
        }
        let is_admins = self.scopes.has(Scope::Admin);
        if self.scopes.is_empty() || is_admins && self.workspace.is_some() {
            return Err(AuthError::InvalidScopes);
        }
        if is_admins && !user.admin {
            return Err(AuthError::AdminOnly);
        }
        Ok(name)
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
                let used = used.map(|it| it.last_use().time());
                let mut view = TokenView::from(row);
                view.last_used_at = used.or(view.last_used_at);
                view
            };
            Ok(rows.into_iter().map(view).collect())
        })
        .await
    }

    /// Whose a token would be that this caller makes: their own, and with the operator the user's
    /// whom it names.
    ///
    /// # Errors
    /// [`AuthError::OwnTokens`], [`AuthError::NoTokens`], [`AuthError::NoUser`]; the store's.
    pub(crate) async fn owner_of(
        self: &Arc<Self>,
        caller: &Caller,
        new: &NewToken,
    ) -> Result<User, AuthError> {
        let name = new.username.clone();
        match (caller, name) {
            (Caller::Token(_), _) => Err(AuthError::NoTokens),
            (Caller::Person(session), None) => Ok((*session.user).clone()),
            (Caller::Person(session), Some(name)) if session.user.username == name => {
                Ok((*session.user).clone())
            }
            (Caller::Person(_), Some(_)) => Err(AuthError::OwnTokens),
            (Caller::Operator, None) => Err(AuthError::WhoseToken),
            (Caller::Operator, Some(name)) => self.user_named(&name).await,
        }
    }

    /// The token of this id, if it is the caller's; the operator may take back everybody's.
    ///
    /// # Errors
    /// [`AuthError::NotFound`], [`AuthError::NoTokens`]; the store's.
    pub(crate) async fn token_of(
        self: &Arc<Self>,
        caller: &Caller,
        id: Uuid,
    ) -> Result<TokenView, AuthError> {
        let caller = caller.clone();
        self.run(move |_, store| Ok(find(store, &caller, id)?.into()))
            .await
    }

    /// Makes a token of this user.
    ///
    /// # Errors
    /// Why there cannot be such a one; the store's.
    pub(crate) async fn create_token(
        self: &Arc<Self>,
        by: Actor,
        user: User,
        new: NewToken,
    ) -> Result<CreatedToken, AuthError> {
        self.run(move |_, store| {
            let made = create(store, &user, new)?;
            let TokenView {
                name,
                scopes,
                workspace,
                expires_at,
                ..
            } = &made.view;
            let place = workspace.as_deref().map(|name| format!(" in {name}"));
            let place = place.unwrap_or_default();
            let detail = format!("{name}: {scopes}{place} until {expires_at}");
            let row = by.audit_row("token_created", Some(user.id), detail);
            client::audit(store, &row);
            Ok(made)
        })
        .await
    }

    /// Ends a token, and what it opened.
    ///
    /// # Errors
    /// As of [`Auth::token_of`].
    pub(crate) async fn revoke_token(
        self: &Arc<Self>,
        by: Actor,
        id: Uuid,
    ) -> Result<(), AuthError> {
        self.run(move |auth, store| {
            let token = find(store, &by.caller(), id)?;
            store.remove_token(token.id)?;
            auth.tokens.remove(&token.token);
            let row = by.audit_row("token_revoked", Some(token.user_id), token.name);
            client::audit(store, &row);
            Ok(())
        })
        .await
    }
}

fn find(store: &dyn Store, caller: &Caller, id: Uuid) -> Result<TokenRow, AuthError> {
    let is_theirs = |token: &TokenRow| match caller {
        Caller::Operator => true,
        Caller::Person(session) => session.user.id == token.user_id,
        Caller::Token(_) => false,
    };
    if matches!(caller, Caller::Token(_)) {
        return Err(AuthError::NoTokens);
    }
    let found = store.token_by_id(id)?.filter(is_theirs);
    found.ok_or(AuthError::NotFound("token"))
}

fn create(store: &dyn Store, user: &User, new: NewToken) -> Result<CreatedToken, AuthError> {
    let name = new.check(user)?;
    let (token, now) = (Token::random()?, Timestamp::now());
    let lasts = Duration::from_hours(24) * new.days;
    let row = TokenRow {
        id: Uuid::new_v4(),
        token: token.hash(),
        user_id: user.id,
        name,
        scopes: new.scopes,
        workspace: new.workspace,
        created_at: now,
        expires_at: now.after(lasts),
        last_used_at: None,
    };
    store.add_token(&row, MOST)?;
    Ok(CreatedToken {
        token: format!("{PREFIX}{}", token.reveal()),
        view: row.into(),
    })
}
