//! The passkey library, set up our way: user verification required, resident key preferred.

use super::AuthError;
use super::decoy::Decoys;
use crate::config;
use crate::store::{Hash, PasskeyRow, PasskeyUse};
use crate::timestamp::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    CredentialID, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Webauthn, WebauthnBuilder,
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
        let passkey = self
            .webauthn
            .finish_passkey_registration(credential, state)
            .map_err(|error| {
                tracing::info!(%error, "a new passkey was refused");
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
    pub(super) fn verify(
        &self,
        credential: &PublicKeyCredential,
        state: DiscoverableAuthentication,
        stored: Option<&PasskeyRow>,
    ) -> Result<PasskeyUse, AuthError> {
        let text = match stored {
            Some(row) => row.credential.clone(),
            None => self.decoys.passkey(credential.get_credential_id()),
        };
        let mut passkey: Passkey =
            serde_json::from_str(&text).map_err(|_| AuthError::Unreadable("a passkey"))?;
        let result = self
            .webauthn
            .finish_discoverable_authentication_v2(credential, state, &passkey);
        let (row, result) = match (stored, result) {
            (Some(row), Ok(result)) if result.user_verified() => (row, result),
            (_, result) => {
                let error = result.err().map(|error| error.to_string());
                tracing::info!(error, known = stored.is_some(), "a log-in was refused");
                return Err(AuthError::LoginFailed);
            }
        };
        passkey.update_credential(&result);
        Ok(PasskeyUse {
            id: row.id,
            credential: to_text(&passkey)?,
            counter: result.counter(),
            at: Timestamp::now(),
        })
    }
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
    use webauthn_rs::prelude::WebauthnError;

    #[test]
    fn a_decoy_is_of_the_form_of_a_passkey_and_is_checked_to_the_signature() {
        let config = Config::default();
        let origin = config.origin();
        let keys = Keys::new(&config.auth, &origin, &[1; 32]).unwrap();
        let origin = origin.origin().ascii_serialization();
        let mut authenticator = Authenticator::new();
        let mut signatures = 0;
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
            match result.unwrap_err() {
                WebauthnError::AuthenticationFailure => signatures += 1,
                // As of a real passkey that is synced, whereas this authenticator's is not.
                WebauthnError::CredentialBackupEligibilityInconsistent => {}
                other => panic!("{other}"),
            }
            let refused = keys.verify(&credential, state, None);
            assert!(matches!(refused, Err(AuthError::LoginFailed)));
        }
        assert!((1..16).contains(&signatures), "{signatures} of 16");
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
