//! Random secrets that browsers hold and the store only knows by their hash.

use super::AuthError;
use crate::store::Hash;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// 256 random bits. Without `Debug`: a token in a log would be a session in a log.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token([u8; 32]);

impl Token {
    pub(super) fn random() -> Result<Self, AuthError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// As text, what is no secret but as long as one.
    pub(super) const fn of(bytes: Hash) -> Self {
        Self(bytes)
    }

    pub(super) const fn bytes(&self) -> Hash {
        self.0
    }

    pub(super) fn parse(text: impl AsRef<[u8]>) -> Option<Self> {
        // With room for what may turn out to be too long.
        let mut bytes = [0; 36];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(32) => bytes[..32].try_into().ok().map(Self),
            _ => None,
        }
    }

    pub(super) fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(super) fn hash(&self) -> Hash {
        sha256(&self.0)
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}
