//! A passkey for the very act: what it is asked, and what has been confirmed with it.

use super::acts::{Acts, Challenge, Waiting};
use super::client::{self, Client};
use super::login::{self, is_for};
use super::{Auth, AuthError, Session, User, Who};
use crate::store::{AuditRow, NewNotice, Store};
use crate::timestamp::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;
use webauthn_rs::prelude::PublicKeyCredential;

/// What a user has confirmed, in which session and with which passkey.
pub(crate) struct Confirmed {
    pub(super) client: Client,
    pub(crate) session: Arc<Session>,
    pub(super) passkey: Confirmer,
}

/// The passkey with which something was confirmed.
#[derive(Clone)]
pub(super) struct Confirmer {
    pub(super) id: Uuid,
    pub(super) name: String,
}

impl Confirmed {
    /// Writes to the audit log that this user did this to what is theirs.
    pub(super) fn audit_event(&self, store: &dyn Store, event: &str, detail: impl Into<String>) {
        let user = Some(self.session.user.id);
        client::audit(store, &self.audit_row(event, user, detail));
    }

    /// What the audit log has of it.
    pub(super) fn audit_row(
        &self,
        event: &str,
        user: Option<Uuid>,
        detail: impl Into<String>,
    ) -> AuditRow {
        let passkey = Some(self.passkey.name.clone());
        let row = self
            .client
            .audit_row(event, &self.session.user, detail, passkey);
        AuditRow {
            user_id: user,
            ..row
        }
    }

    /// Tells the user's other people of this, at their next visit.
    pub(super) fn notice(&self, event: &'static str, detail: impl Into<String>) -> NewNotice {
        notice(event, detail, Some(self.passkey.id))
    }
}

/// Tells a user of a change to who gets into their account; not whoever has the passkey `by`.
pub(super) fn notice(
    event: &'static str,
    detail: impl Into<String>,
    by: Option<Uuid>,
) -> NewNotice {
    NewNotice {
        by,
        at: Timestamp::now(),
        event,
        detail: detail.into(),
    }
}

impl Auth {
    /// Has an act of this session wait for one of its user's passkeys: the act's id, and the
    /// options for the browser's `get()`.
    pub(crate) async fn begin_act<A: Send + 'static>(
        self: &Arc<Self>,
        acts: &Arc<Acts<A>>,
        session: &Arc<Session>,
        act: A,
        summary: String,
    ) -> Result<(Uuid, Value), AuthError> {
        let (acts, session) = (Arc::clone(acts), Arc::clone(session));
        self.run(move |auth, store| {
            let passkeys = store.passkeys_of(session.user.id)?.into_iter();
            let allow: Vec<_> = passkeys.map(|passkey| passkey.credential_id).collect();
            let (mut options, state) = auth.keys.start_login(&allow)?;
            options["publicKey"]["timeout"] =
                acts.lasts().as_millis().try_into().unwrap_or(0).into();
            let options = options["publicKey"].take();
            let challenge = Challenge {
                options: options.clone(),
                state,
            };
            let waiting = Waiting {
                act,
                summary,
                challenge: Some(challenge),
            };
            Ok((acts.begin(session.id, waiting), options))
        })
        .await
    }

    /// Has an act wait for its page, which alone goes on with it: that of a session that needs no
    /// passkey for it.
    pub(crate) fn begin_page<A>(
        acts: &Acts<A>,
        session: &Session,
        act: A,
        summary: String,
    ) -> Uuid {
        let waiting = Waiting {
            act,
            summary,
            challenge: None,
        };
        acts.begin(session.id, waiting)
    }

    /// Takes the act that this client's passkey has answered for. Whatever the answer is worth,
    /// the act waits no longer.
    pub(crate) async fn confirm<A: Send + 'static>(
        self: &Arc<Self>,
        acts: &Arc<Acts<A>>,
        client: Client,
        id: Uuid,
        credential: PublicKeyCredential,
    ) -> Result<(A, Confirmed), AuthError> {
        let acts = Arc::clone(acts);
        self.run(move |auth, store| {
            let session = Arc::clone(client.full()?);
            let waiting = acts.take(session.id, id);
            let Waiting {
                act,
                summary,
                challenge,
            } = waiting.ok_or(AuthError::CeremonyInvalid)?;
            let challenge = challenge.ok_or(AuthError::CeremonyInvalid)?;
            match auth.prove(store, &client, &session.user, &credential, challenge) {
                Ok(passkey) => {
                    let confirmed = Confirmed {
                        client,
                        session,
                        passkey,
                    };
                    Ok((act, confirmed))
                }
                Err(AuthError::LoginFailed) => {
                    client.audit_by(store, "act_refused", &session.user, summary);
                    Err(AuthError::NotConfirmed)
                }
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// The passkey of this user that has answered the challenge.
    fn prove(
        &self,
        store: &dyn Store,
        client: &Client,
        user: &User,
        credential: &PublicKeyCredential,
        challenge: Challenge,
    ) -> Result<Confirmer, AuthError> {
        let found = store.passkey_by_credential(credential.get_credential_id())?;
        let (passkey, owner) = found.ok_or(AuthError::LoginFailed)?;
        if !is_for(Who::Named(Some(user.id)), &owner, credential) {
            return Err(AuthError::LoginFailed);
        }
        let used = self
            .keys
            .verify(credential, challenge.state, Some(&passkey))?;
        store.use_passkey(&used)?;
        login::audit_change(store, client, user, &passkey, &used);
        Ok(Confirmer {
            id: passkey.id,
            name: passkey.name,
        })
    }

    /// The user of a session as they are now, if it has not ended meanwhile.
    pub(super) fn still(&self, store: &dyn Store, session: &Session) -> Result<User, AuthError> {
        let lasts = |it: &Arc<Session>| it.is_full() && Timestamp::now() < it.expires_at;
        let found = self.sessions.peek(&session.token).filter(lasts);
        found.ok_or(AuthError::Unauthenticated)?;
        let user = store.user_by_id(session.user.id)?;
        user.ok_or(AuthError::Unauthenticated)
    }
}
