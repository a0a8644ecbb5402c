//! What admins and the operator see of people, and change about them.

use super::actor::Actor;
use super::client;
use super::{Auth, AuthError, User, validation};
use crate::store::{
    Account, AuditRow, Conflict, Invitation, InviteState, SessionKind, SessionRow, Store,
    StoreError, UserChange,
};
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// A session as the operator sees it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SessionView {
    id: Uuid,
    user_id: Uuid,
    username: String,
    kind: SessionKind,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    address: String,
    user_agent: String,
}

impl Auth {
    /// The people whose username or display name has `search` in it, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn people(self: &Arc<Self>, search: &str) -> Result<Vec<Account>, AuthError> {
        let search = search.to_owned();
        self.run(move |auth, store| {
            let mut people = store.people(&search, Timestamp::now())?;
            // What is in use is written down later.
            let seen = auth.sessions.last_uses();
            for person in &mut people {
                let at = seen.get(&person.user.id).copied();
                person.last_seen_at = person.last_seen_at.max(at);
            }
            Ok(people)
        })
        .await
    }

    /// The user of this id.
    ///
    /// # Errors
    /// [`AuthError::NoUser`]; the store's.
    pub(crate) async fn person(self: &Arc<Self>, id: Uuid) -> Result<User, AuthError> {
        self.run(move |_, store| known(store.user_by_id(id)?, &id))
            .await
    }

    /// The user of this name, however it is spelled.
    ///
    /// # Errors
    /// [`AuthError::NoUser`]; the store's.
    pub(crate) async fn user_named(self: &Arc<Self>, name: &str) -> Result<User, AuthError> {
        let name = name.to_owned();
        self.run(move |_, store| {
            let found = store.user_by_name(&validation::username(&name)?)?;
            known(found, &name)
        })
        .await
    }

    /// The good sessions of this user, or of everybody, newest first.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn sessions_of(
        self: &Arc<Self>,
        user: Option<User>,
    ) -> Result<Vec<SessionView>, AuthError> {
        self.run(move |auth, store| {
            let users = match user {
                Some(user) => vec![user],
                None => store.users()?,
            };
            let mut all = Vec::new();
            for user in users {
                let rows = store.sessions_of(user.id, Timestamp::now())?;
                all.extend(rows.into_iter().map(|row| auth.view(row, &user)));
            }
            all.sort_by_key(|view| std::cmp::Reverse(view.created_at));
            Ok(all)
        })
        .await
    }

    fn view(&self, row: SessionRow, user: &User) -> SessionView {
        let in_use = self.sessions.peek(&row.token);
        SessionView {
            id: row.id,
            user_id: user.id,
            username: user.username.clone(),
            kind: row.kind,
            created_at: row.created_at,
            last_seen_at: in_use.map_or(row.last_seen_at, |session| session.last_seen_at()),
            address: row.address,
            user_agent: row.user_agent,
        }
    }

    /// The name that a user shall have, if nobody has it.
    ///
    /// # Errors
    /// [`AuthError::InvalidUsername`], [`AuthError::NameTaken`], [`AuthError::SameName`]; the store's.
    pub(crate) async fn new_username(
        self: &Arc<Self>,
        user: Uuid,
        text: &str,
    ) -> Result<String, AuthError> {
        let text = text.to_owned();
        self.run(move |_, store| {
            let username = validation::username(&text)?;
            match store.user_by_name(&username)? {
                Some(other) if other.id != user => Err(AuthError::NameTaken(username)),
                Some(_) => Err(AuthError::SameName(username)),
                None => Ok(username),
            }
        })
        .await
    }

    /// Whether they are the only admin who may log in.
    pub(crate) async fn is_last_admin(self: &Arc<Self>, user: &User) -> Result<bool, AuthError> {
        if !user.admin || user.disabled_at.is_some() {
            return Ok(false);
        }
        let id = user.id;
        self.run(move |_, store| {
            let mut others = store.users()?.into_iter().filter(|other| other.id != id);
            Ok(!others.any(|other| other.admin && other.disabled_at.is_none()))
        })
        .await
    }

    /// Changes an account, from the next request on and for all that goes on; answers with the user
    /// as they are then.
    ///
    /// # Errors
    /// Why not; nothing was changed then.
    pub(crate) async fn change_user(
        self: &Arc<Self>,
        by: Actor,
        id: Uuid,
        change: UserChange,
    ) -> Result<User, AuthError> {
        let caller = self.recheck(&by).await?;
        self.run(move |auth, store| {
            let before = known(store.user_by_id(id)?, &id)?;
            let (event, detail) = told(&change, &before);
            let row = by.audit_row(event, Some(id), detail);
            let done = store.change_user(caller.user().map(|it| it.id), id, &change, &row);
            done.map_err(|error| of_user(error, id))?;
            client::tell(&row);
            match change {
                UserChange::EndSessions => auth.end_sessions_of(id),
                UserChange::Disable => auth.end_all_of(id),
                UserChange::Enable | UserChange::Rename(_) | UserChange::SetAdmin(_) => {
                    auth.refresh(store, id)?;
                }
            }
            known(store.user_by_id(id)?, &id)
        })
        .await
    }

    /// Ends the sessions of a user that have left the store, and what they opened.
    pub(crate) fn end_sessions_of(&self, user: Uuid) {
        self.sessions.remove_where(|it| it.user.id == user);
    }

    /// The same of their tokens, too, which have left the store or are good for nothing.
    pub(crate) fn end_all_of(&self, user: Uuid) {
        self.end_sessions_of(user);
        self.tokens.remove_where(|it| it.user.id == user);
    }

    /// Ends all that a removed user has opened, and writes that they are gone.
    pub(crate) fn removed(&self, store: &dyn Store, user: Uuid, row: &AuditRow) {
        self.end_all_of(user);
        client::audit(store, row);
    }

    /// Has sessions and tokens in memory know their user as they are in the store.
    pub(super) fn refresh(&self, store: &dyn Store, user: Uuid) -> Result<(), AuthError> {
        let read = || store.user_by_id(user);
        self.sessions.refresh(user, &self.ends, read)?;
        Ok(self.tokens.refresh(user, &self.ends, read)?)
    }

    /// Every invite, newest first.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn invitations(self: &Arc<Self>) -> Result<Vec<Invitation>, AuthError> {
        self.run(|_, store| Ok(store.invites()?)).await
    }

    /// An invite that can be revoked.
    ///
    /// # Errors
    /// [`AuthError::NoInvite`] or [`AuthError::InviteEnded`]; the store's.
    pub(crate) async fn open_invitation(
        self: &Arc<Self>,
        id: Uuid,
    ) -> Result<Invitation, AuthError> {
        self.run(move |_, store| open(store, id)).await
    }

    /// The act `revoke_invite`.
    ///
    /// # Errors
    /// Why not; nothing was changed then.
    pub(crate) async fn revoke_invite(
        self: &Arc<Self>,
        by: Actor,
        id: Uuid,
    ) -> Result<(), AuthError> {
        let caller = self.recheck(&by).await?;
        self.run(move |_, store| {
            let invitation = open(store, id)?;
            let row = by.audit_row("invite_revoked", None, invitation.whom());
            let done = store.revoke_invite(caller.user().map(|it| it.id), id, &row);
            match done {
                // Somebody was faster: with a use, or the same.
                Err(StoreError::Conflict(Conflict::Invite)) => {
                    open(store, id)?;
                    return Err(AuthError::InviteInvalid);
                }
                done => done?,
            }
            client::tell(&row);
            Ok(())
        })
        .await
    }
}

pub(super) fn known(found: Option<User>, whom: &impl ToString) -> Result<User, AuthError> {
    found.ok_or_else(|| AuthError::NoUser(whom.to_string()))
}

pub(super) fn of_user(error: StoreError, id: Uuid) -> AuthError {
    match error {
        StoreError::Conflict(Conflict::NoUser) => AuthError::NoUser(id.to_string()),
        StoreError::Conflict(Conflict::Disabled) => AuthError::UserDisabled,
        error => error.into(),
    }
}

fn open(store: &dyn Store, id: Uuid) -> Result<Invitation, AuthError> {
    let invitation = store.invite_by_id(id)?.ok_or(AuthError::NoInvite(id))?;
    Err(AuthError::InviteEnded(
        match invitation.state(Timestamp::now()) {
            InviteState::Open => return Ok(invitation),
            InviteState::Expired => "it has ended by itself",
            InviteState::Revoked => "it was revoked before",
            InviteState::Used => "somebody has an account by it; disable or remove them",
        },
    ))
}

/// What the audit log has of a change.
fn told(change: &UserChange, user: &User) -> (&'static str, String) {
    let name = &user.username;
    match change {
        UserChange::Disable => ("user_disabled", name.clone()),
        UserChange::Enable => ("user_enabled", name.clone()),
        UserChange::Rename(new) => ("user_renamed", format!("{name} to {new}")),
        UserChange::SetAdmin(true) => ("admin_given", name.clone()),
        UserChange::SetAdmin(false) => ("admin_taken", name.clone()),
        UserChange::EndSessions => ("sessions_ended", name.clone()),
    }
}
