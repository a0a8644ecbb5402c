//! What a browser hands over, held to its form before the library sees it: the library takes more
//! than the standard allows, and says what it does not understand in full in the log.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value;
use serde::Deserialize;
use std::io::Cursor;
use webauthn_rs::prelude::{PublicKeyCredential, RegisterPublicKeyCredential};

/// WebAuthn, section 4: a credential id has 1023 bytes at most.
const LONGEST_ID: usize = 1023;

// Generous bounds: an RSA signature has 512 bytes, attestation certificates a few kilobytes.
const LONGEST_CLIENT_DATA: usize = 8 * 1024;
const LONGEST_AUTHENTICATOR_DATA: usize = 8 * 1024;
const LONGEST_ATTESTATION: usize = 32 * 1024;
const LONGEST_SIGNATURE: usize = 1024;
const LONGEST_HANDLE: usize = 64;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// What is wrong, in a few words for the log.
type Verdict<T = ()> = Result<T, &'static str>;

/// What a page signs that it asked for.
#[derive(Deserialize)]
struct ClientData {
    #[serde(default, rename = "crossOrigin")]
    cross_origin: Option<bool>,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<serde_json::Value>,
}

/// Checks a new passkey.
pub(super) fn check_new(credential: &RegisterPublicKeyCredential) -> Verdict {
    let response = &credential.response;
    id(&credential.id, &credential.raw_id)?;
    bounded(&response.attestation_object, LONGEST_ATTESTATION)?;
    client_data(&response.client_data_json)?;
    let Some(Value::Map(object)) = whole(&response.attestation_object) else {
        return Err("the attestation object is not one CBOR map");
    };
    let named = |name| object.iter().find(|(key, _)| key.as_text() == Some(name));
    let data = named("authData").and_then(|(_, value)| value.as_bytes());
    let data = AuthenticatorData::parse(data.ok_or("there is no authenticator data")?)?;
    match data.credential_id {
        Some(id) if id == &credential.raw_id[..] => Ok(()),
        Some(_) => Err("the authenticator data is of another credential"),
        None => Err("the authenticator data has no credential"),
    }
}

/// Checks an assertion, and says whether its passkey can be backed up, by its own unproved word.
pub(super) fn check_assertion(credential: &PublicKeyCredential) -> Verdict<bool> {
    let response = &credential.response;
    id(&credential.id, &credential.raw_id)?;
    bounded(&response.signature, LONGEST_SIGNATURE)?;
    bounded(
        response.user_handle.as_deref().unwrap_or_default(),
        LONGEST_HANDLE,
    )?;
    client_data(&response.client_data_json)?;
    let data = AuthenticatorData::parse(&response.authenticator_data)?;
    if data.credential_id.is_some() {
        return Err("an assertion has no credential of its own");
    }
    Ok(data.flags & BACKUP_ELIGIBLE != 0)
}

fn id(id: &str, raw: &[u8]) -> Verdict {
    if !(1..=LONGEST_ID).contains(&raw.len()) {
        return Err("a credential id has 1 to 1023 bytes");
    }
    if id.len() > 2 * LONGEST_ID || id != URL_SAFE_NO_PAD.encode(raw) {
        return Err("id and rawId differ");
    }
    Ok(())
}

/// A page in a frame of another origin may ask for nothing, whatever the frame says it is for.
fn client_data(bytes: &[u8]) -> Verdict {
    bounded(bytes, LONGEST_CLIENT_DATA)?;
    let data: ClientData =
        serde_json::from_slice(bytes).map_err(|_| "the client data is not its JSON")?;
    if data.cross_origin == Some(true) || data.top_origin.is_some() {
        return Err("the page that asked is in a frame of another origin");
    }
    Ok(())
}

fn bounded(bytes: &[u8], most: usize) -> Verdict {
    if bytes.len() > most {
        return Err("a field is too long");
    }
    Ok(())
}

/// The one CBOR value that these bytes are, without any behind it.
fn whole(bytes: &[u8]) -> Option<Value> {
    let mut rest = Cursor::new(bytes);
    let value = ciborium::from_reader(&mut rest).ok()?;
    (rest.position() == bytes.len() as u64).then_some(value)
}

/// WebAuthn, section 6.1.
struct AuthenticatorData<'a> {
    flags: u8,
    credential_id: Option<&'a [u8]>,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of it: what its flags do not announce may not be there.
    fn parse(bytes: &'a [u8]) -> Verdict<Self> {
        bounded(bytes, LONGEST_AUTHENTICATOR_DATA)?;
        let short = "the authenticator data is too short";
        let (head, mut rest) = bytes.split_at_checked(37).ok_or(short)?;
        let flags = head[32];
        let mut credential_id = None;
        if flags & HAS_CREDENTIAL != 0 {
            let (head, behind) = rest.split_at_checked(18).ok_or(short)?;
            let length = usize::from(u16::from_be_bytes([head[16], head[17]]));
            let (id, behind) = behind.split_at_checked(length).ok_or(short)?;
            credential_id = Some(id);
            rest = after_map(behind).ok_or("the public key is no CBOR map")?;
        }
        if flags & HAS_EXTENSIONS != 0 {
            rest = after_map(rest).ok_or("the extensions are no CBOR map")?;
        }
        if !rest.is_empty() {
            return Err("something stands behind the authenticator data");
        }
        if flags & USER_PRESENT == 0 || flags & USER_VERIFIED == 0 {
            return Err("nobody confirmed with PIN or biometrics");
        }
        Ok(Self {
            flags,
            credential_id,
        })
    }
}

/// What stands behind a CBOR map.
fn after_map(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = Cursor::new(bytes);
    let value: Value = ciborium::from_reader(&mut rest).ok()?;
    let read = usize::try_from(rest.position()).ok()?;
    value.is_map().then(|| &bytes[read..])
}
