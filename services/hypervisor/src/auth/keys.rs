//! The passkey library, set up our way: user verification required, resident key preferred.

use super::AuthError;
use super::credential;
use super::decoy::Decoys;
use crate::config;
use crate::store::{Hash, PasskeyRow, PasskeyUse};
use crate::timestamp::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    AuthenticationResult, Credential, CredentialID, DiscoverableAuthentication, Passkey,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Webauthn,
    WebauthnBuilder, WebauthnError,
};

pub(super) struct Keys {
    webauthn: Webauthn,
    decoys: Decoys,
}

/// A new passkey that has proved what it must.
pub(super) struct Verified {
    credential_id: CredentialID,
    credential: String,
}

impl Verified {
    /// As it is kept, from now on a passkey of this user.
    pub(super) fn belongs_to(self, user_id: Uuid, name: String) -> PasskeyRow {
        PasskeyRow {
            id: Uuid::new_v4(),
            user_id,
            credential_id: self.credential_id,
            credential: self.credential,
            counter: 0,
            name,
            created_at: Timestamp::now(),
            last_used_at: None,
        }
    }
}

impl Keys {
    pub(super) fn new(
        settings: &config::Auth,
        origin: &Url,
        secret: &Hash,
    ) -> Result<Self, AuthError> {
        let webauthn = WebauthnBuilder::new(&settings.rp_id, origin)?
            .rp_name(&settings.rp_name)
            .timeout(Duration::from_secs(settings.ceremony_secs))
            .build()?;
        Ok(Self {
            webauthn,
            decoys: Decoys::new(secret)?,
        })
    }

    /// Options for a browser's `create()`, and what the finish needs. The user's `known`
    /// passkeys are not to be registered twice.
    pub(super) fn start_registration(
        &self,
        user: Uuid,
        username: &str,
        display_name: &str,
        known: Vec<CredentialID>,
    ) -> Result<(Value, PasskeyRegistration), AuthError> {
        let (options, state) =
            self.webauthn
                .start_passkey_registration(user, username, display_name, Some(known))?;
        let mut options = json!({ "publicKey": options.public_key });
        // The library discourages resident keys; without them nobody could log in unnamed.
        options["publicKey"]["authenticatorSelection"]["residentKey"] = "preferred".into();
        Ok((options, state))
    }

    pub(super) fn finish_registration(
        &self,
        credential: &RegisterPublicKeyCredential,
        state: &PasskeyRegistration,
    ) -> Result<Verified, AuthError> {
        credential::check_new(credential).map_err(|fault| {
            tracing::info!(fault, "a new passkey was refused");
            AuthError::PasskeyInvalid
        })?;
        let passkey = self
            .webauthn
            .finish_passkey_registration(credential, state)
            .map_err(|error| {
                tracing::info!(error = short(&error), "a new passkey was refused");
                AuthError::PasskeyInvalid
            })?;
        Ok(Verified {
            credential_id: passkey.cred_id().clone(),
            credential: to_text(&passkey)?,
        })
    }

    /// Options for a browser's `get()`, and what the finish needs. With nothing to `allow` the
    /// browser offers the passkeys that it has.
    pub(super) fn start_login(
        &self,
        allow: &[CredentialID],
    ) -> Result<(Value, DiscoverableAuthentication), AuthError> {
        let (options, state) = self.webauthn.start_discoverable_authentication()?;
        let mut options = json!({ "publicKey": options.public_key });
        let descriptors = allow.iter().map(descriptor).collect();
        options["publicKey"]["allowCredentials"] = Value::Array(descriptors);
        Ok((options, state))
    }

    /// What [`Keys::start_login`] should allow for a username that has no account.
    pub(super) fn decoys_of(&self, username: &str) -> Result<Vec<CredentialID>, AuthError> {
        self.decoys.ids(username)
    }

    /// Checks a response against the passkey that it names. If there is none, the same is done
    /// with a decoy, so that the time does not tell.
    ///
    /// The library refuses a passkey whose backup flags or counter are not as they were. Password
    /// managers change both, so it is told what the response says of them, and [`change`] judges
    /// that once the signature has proved it.
    pub(super) fn verify(
        &self,
        credential: &PublicKeyCredential,
        state: DiscoverableAuthentication,
        stored: Option<&PasskeyRow>,
    ) -> Result<PasskeyUse, AuthError> {
        let eligible = credential::check_assertion(credential).map_err(|fault| {
            tracing::info!(fault, "a passkey's response was refused");
            AuthError::LoginFailed
        })?;
        let text = match stored {
            Some(row) => row.credential.clone(),
            None => self.decoys.passkey(credential.get_credential_id()),
        };
        let passkey: Passkey =
            serde_json::from_str(&text).map_err(|_| AuthError::Unreadable("a passkey"))?;
        let kept = Credential::from(passkey);
        let asked = Credential {
            backup_eligible: eligible,
            counter: 0,
            ..kept.clone()
        };
        let result = self.webauthn.finish_discoverable_authentication_v2(
            credential,
            state,
            Passkey::from(asked),
        );
        let (row, result) = match (stored, result) {
            (Some(row), Ok(result)) if result.user_verified() => (row, result),
            (_, result) => {
                let error = result.err().map(|error| short(&error));
                tracing::info!(error, known = stored.is_some(), "a log-in was refused");
                return Err(AuthError::LoginFailed);
            }
        };
        let change = change(&kept, row.counter, &result)?;
        let used = Credential {
            backup_eligible: result.backup_eligible(),
            backup_state: result.backup_state(),
            counter: result.counter(),
            ..kept
        };
        Ok(PasskeyUse {
            id: row.id,
            credential: to_text(&Passkey::from(used))?,
            counter: result.counter(),
            counts: !(change.is_synced),
            change: change.told,
            at: Timestamp::now(),
        })
    }
}

/// What is different about a passkey since its last use.
struct Change {
    /// Whether copies of it are as they should be: a password manager has it, or had.
    is_synced: bool,
    /// The difference, for the audit log.
    told: Option<String>,
}

/// Judges what a response says of its passkey, by what was known. A synced one may change; that of
/// one device has been copied if it does.
fn change(
    kept: &Credential,
    counter: u32,
    result: &AuthenticationResult,
) -> Result<Change, AuthError> {
    let is_synced = kept.backup_eligible || result.backup_eligible();
    let counts_up = result.counter() > counter || (result.counter() == 0 && counter == 0);
    if !is_synced && !counts_up {
        return Err(AuthError::PasskeyChanged);
    }
    let mut told = Vec::new();
    if kept.backup_eligible != result.backup_eligible() {
        told.push(if result.backup_eligible() {
            "it can be synced now".to_owned()
        } else {
            "it can no longer be synced".to_owned()
        });
    }
    if !counts_up {
        told.push(format!(
            "its counter went from {counter} to {}",
            result.counter()
        ));
    }
    Ok(Change {
        is_synced,
        told: (!told.is_empty()).then(|| told.join(", ")),
    })
}

/// What the library says, without what it may quote.
fn short(error: &WebauthnError) -> String {
    error.to_string().chars().take(160).collect()
}

fn descriptor(id: &CredentialID) -> Value {
    use base64::Engine;
    let id = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(id);
    json!({ "type": "public-key", "id": id })
}

fn to_text(passkey: &Passkey) -> Result<String, AuthError> {
    serde_json::to_string(passkey).map_err(|_| AuthError::Unreadable("a passkey"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use testkit::passkey::Authenticator;

    #[test]
    fn a_decoy_is_of_the_form_of_a_passkey_and_is_checked_to_the_signature() {
        let config = Config::default();
        let origin = config.origin();
        let keys = Keys::new(&config.auth, &origin, &[1; 32]).unwrap();
        let origin = origin.origin().ascii_serialization();
        let mut authenticator = Authenticator::new();
        for index in 0..16 {
            let user = Uuid::new_v4();
            let (options, state) = keys.start_registration(user, "a", "a", vec![]).unwrap();
            let credential = authenticator.create(&options, &origin).unwrap();
            let credential = serde_json::from_value(credential).unwrap();
            let real = keys.finish_registration(&credential, &state).unwrap();

            let decoy = keys.decoys.passkey(&real.credential_id);
            let passkey: Passkey = serde_json::from_str(&decoy).unwrap();
            assert_eq!(passkey.cred_id(), &real.credential_id);
            let paths = |text: &str| paths(&serde_json::from_str(text).unwrap());
            assert_eq!(paths(&decoy), paths(&real.credential));

            let (options, state) = keys.start_login(&[]).unwrap();
            let credential = authenticator.get_with(index, &options, &origin).unwrap();
            let credential = serde_json::from_value(credential).unwrap();
            let result = keys.webauthn.finish_discoverable_authentication_v2(
                &credential,
                state.clone(),
                &passkey,
            );
            // As of a real passkey that is synced, whereas this authenticator's is not.
            let other = WebauthnError::CredentialBackupEligibilityInconsistent;
            let error = result.unwrap_err();
            assert!(
                [WebauthnError::AuthenticationFailure, other].contains(&error),
                "{error}"
            );
            let refused = keys.verify(&credential, state, None);
            assert!(matches!(refused, Err(AuthError::LoginFailed)));
        }
    }

    /// The paths of all members of a JSON value.
    fn paths(value: &Value) -> Vec<String> {
        let members = value.as_object().into_iter().flatten();
        members
            .flat_map(|(key, value)| {
                let below = paths(value);
                let below = below.into_iter().map(move |path| format!("{key}.{path}"));
                std::iter::once(key.clone()).chain(below)
            })
            .collect()
    }
}
