//! A software authenticator: makes passkeys and answers log-ins as a browser and a phone would.
//!
//! Options and answers are JSON, as they go over the wire. What a well-behaved authenticator
//! would never do is there as well, for tests of those who must not trust one.

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::value::{Integer, Value as Cbor};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;

/// An authenticator with its passkeys. A clone is what a thief would have.
#[derive(Clone)]
pub struct Authenticator {
    /// Whether it asks for PIN or biometrics.
    pub verifies_user: bool,
    /// Whether it counts its uses.
    pub counts: bool,
    /// What it says of copies of its passkeys.
    pub backup: Backup,
    /// Whether the page that asks says that it is in a frame of another origin.
    pub framed: bool,
    /// What stands behind its data, where nothing may.
    pub trailing: Vec<u8>,
    passkeys: Vec<Passkey>,
}

/// Whether passkeys can be copied to other devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backup {
    /// Whether they can be.
    pub eligible: bool,
    /// Whether they have been.
    pub done: bool,
}

#[derive(Clone)]
struct Passkey {
    id: Vec<u8>,
    key: SigningKey,
    rp_id: String,
    user_handle: Vec<u8>,
    counter: u32,
}

impl Default for Authenticator {
    fn default() -> Self {
        Self {
            verifies_user: true,
            counts: true,
            backup: Backup::default(),
            framed: false,
            trailing: Vec::new(),
            passkeys: Vec::new(),
        }
    }
}

impl Authenticator {
    /// A well-behaved authenticator without passkeys.
    pub fn new() -> Self {
        Self::default()
    }

    /// `navigator.credentials.create()` on a page of `origin`: a resident passkey, with «none»
    /// attestation.
    ///
    /// # Errors
    /// The options are not creation options, or exclude a passkey that is here.
    pub fn create(&mut self, options: &Value, origin: &str) -> Result<Value> {
        let options = &options["publicKey"];
        let excluded = ids(&options["excludeCredentials"])?;
        ensure!(
            !self.passkeys.iter().any(|held| excluded.contains(&held.id)),
            "a passkey for this account is here already"
        );
        let passkey = Passkey {
            id: random::<32>()?.to_vec(),
            key: new_key()?,
            rp_id: text(&options["rp"]["id"])?.to_owned(),
            user_handle: bytes(&options["user"]["id"])?,
            counter: 0,
        };
        let client_data = self.client_data("webauthn.create", options, origin)?;
        let mut data = self.authenticator_data(&passkey, HAS_CREDENTIAL);
        data.extend([0; 16]); // the model's AAGUID: none
        data.extend(u16::try_from(passkey.id.len())?.to_be_bytes());
        data.extend(&passkey.id);
        data.extend(cbor(&public_key(&passkey.key)?)?);
        data.extend(&self.trailing);
        let object = cbor(&Cbor::Map(vec![
            ("fmt".into(), "none".into()),
            ("attStmt".into(), Cbor::Map(Vec::new())),
            ("authData".into(), Cbor::Bytes(data)),
        ]))?;
        let response = json!({
            "id": encode(&passkey.id),
            "rawId": encode(&passkey.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": { "credProps": { "rk": true } },
            "response": {
                "clientDataJSON": encode(&client_data),
                "attestationObject": encode(&object),
                "transports": ["internal"],
            },
        });
        self.passkeys.push(passkey);
        Ok(response)
    }

    /// `navigator.credentials.get()` on a page of `origin`: the newest passkey that the options
    /// allow.
    ///
    /// # Errors
    /// The options are not request options, or allow none that is here.
    pub fn get(&mut self, options: &Value, origin: &str) -> Result<Value> {
        let rp_id = text(&options["publicKey"]["rpId"])?;
        let allowed = ids(&options["publicKey"]["allowCredentials"])?;
        let fits = |held: &Passkey| {
            held.rp_id == rp_id && (allowed.is_empty() || allowed.contains(&held.id))
        };
        let index = self.passkeys.iter().rposition(fits);
        self.get_with(
            index.context("no passkey for this is here")?,
            options,
            origin,
        )
    }

    /// Answers with its passkey number `index`, whatever the options allow.
    ///
    /// # Errors
    /// The options are not request options, or there is no such passkey.
    pub fn get_with(&mut self, index: usize, options: &Value, origin: &str) -> Result<Value> {
        let client_data = self.client_data("webauthn.get", &options["publicKey"], origin)?;
        let counts = u32::from(self.counts);
        let passkey = self.passkeys.get_mut(index).context("no such passkey")?;
        passkey.counter += counts;
        let passkey = &self.passkeys[index];
        let mut data = self.authenticator_data(passkey, 0);
        data.extend(&self.trailing);
        let signed = [&data[..], &Sha256::digest(&client_data)].concat();
        let signature: DerSignature = passkey.key.sign(&signed);
        Ok(json!({
            "id": encode(&passkey.id),
            "rawId": encode(&passkey.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&client_data),
                "authenticatorData": encode(&data),
                "signature": encode(signature.as_bytes()),
                "userHandle": encode(&passkey.user_handle),
            },
        }))
    }

    /// Has the next use of every passkey count from here.
    pub fn count_from(&mut self, counter: u32) {
        for passkey in &mut self.passkeys {
            passkey.counter = counter;
        }
    }

    fn authenticator_data(&self, passkey: &Passkey, flags: u8) -> Vec<u8> {
        let verified = if self.verifies_user { USER_VERIFIED } else { 0 };
        let mut data = Sha256::digest(&passkey.rp_id).to_vec();
        let eligible = if self.backup.eligible {
            BACKUP_ELIGIBLE
        } else {
            0
        };
        let backed_up = if self.backup.done { BACKED_UP } else { 0 };
        data.push(flags | USER_PRESENT | verified | eligible | backed_up);
        data.extend(passkey.counter.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, options: &Value, origin: &str) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(&json!({
            "type": kind,
            "challenge": text(&options["challenge"])?,
            "origin": origin,
            "crossOrigin": self.framed,
        }))?)
    }
}

/// The public key as COSE has it.
fn public_key(key: &SigningKey) -> Result<Cbor> {
    let point = key.verifying_key().to_sec1_point(false);
    let (Some(x), Some(y)) = (point.x(), point.y()) else {
        bail!("a public key has two coordinates");
    };
    let entry = |label: i8, value: Cbor| (Cbor::Integer(Integer::from(label)), value);
    Ok(Cbor::Map(vec![
        entry(1, 2.into()),    // EC2
        entry(3, (-7).into()), // ES256
        entry(-1, 1.into()),   // P-256
        entry(-2, Cbor::Bytes(x.to_vec())),
        entry(-3, Cbor::Bytes(y.to_vec())),
    ]))
}

fn new_key() -> Result<SigningKey> {
    loop {
        // One number in 2^32 is none of the curve.
        if let Ok(key) = SigningKey::from_slice(&random::<32>()?) {
            return Ok(key);
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("random numbers")?;
    Ok(bytes)
}

fn cbor(value: &Cbor) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes)?;
    Ok(bytes)
}

fn ids(descriptors: &Value) -> Result<Vec<Vec<u8>>> {
    let list = descriptors.as_array().into_iter().flatten();
    list.map(|descriptor| bytes(&descriptor["id"])).collect()
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    Ok(URL_SAFE_NO_PAD.decode(text(value)?)?)
}

fn text(value: &Value) -> Result<&str> {
    value
        .as_str()
        .with_context(|| format!("a string, not {value}"))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
