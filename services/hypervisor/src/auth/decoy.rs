//! Passkeys of accounts that do not exist, for a server that must not reveal who has one.

use super::AuthError;
use super::token::sha256;
use crate::store::Hash;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webauthn_rs::fake::{FakePasskeyDistribution, WebauthnFakeCredentialGenerator};
use webauthn_rs::prelude::CredentialID;

/// Derives everything from a secret of this installation, so that a decoy stays the same and
/// nobody else can tell it from a real one.
pub(super) struct Decoys {
    secret: Hash,
    ids: WebauthnFakeCredentialGenerator<FakePasskeyDistribution>,
}

impl Decoys {
    pub(super) fn new(secret: &Hash) -> Result<Self, AuthError> {
        Ok(Self {
            secret: *secret,
            ids: WebauthnFakeCredentialGenerator::new(secret)?,
        })
    }

    /// The credential ids of an account that does not exist; one at least, as every account
    /// that does exist has one.
    pub(super) fn ids(&self, username: &str) -> Result<Vec<CredentialID>, AuthError> {
        for salt in 0..=u8::MAX {
            let seed = [username.as_bytes(), &[salt]].concat();
            let ids = self.ids.generate(&seed)?;
            if !ids.is_empty() {
                return Ok(ids);
            }
        }
        Ok(Vec::new())
    }

    /// A passkey of this id, in the library's form. Its public key is the curve's generator;
    /// whoever asks for it must never let a credential pass.
    pub(super) fn passkey(&self, id: &[u8]) -> String {
        let eligible = sha256(&[&self.secret, id].concat())[0] & 1 == 1;
        let id = URL_SAFE_NO_PAD.encode(id);
        format!(
            r#"{{"cred":{{"cred_id":"{id}","cred":{{"type_":"ES256","key":{{"EC_EC2":{{"curve":"SECP256R1","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}}}}}},"counter":0,"transports":null,"user_verified":true,"backup_eligible":{eligible},"backup_state":false,"registration_policy":"required","extensions":{{"cred_protect":"Ignored","hmac_create_secret":"NotRequested","appid":"NotRequested","cred_props":{{"Unsigned":{{"rk":true}}}}}},"attestation":{{"data":"None","metadata":"None"}},"attestation_format":"none"}}}}"#
        )
    }
}
