//! Writes users, each with a workspace, a session and a grant of its live sandbox, straight into a stopped hypervisor's store.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// As long as a browser's usually is.
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                          Chrome/141.0.0.0 Safari/537.36";
const INSERT_USER: &str = "INSERT INTO users (id, username, display_name, admin, created_at) \
    VALUES (?1, ?2, ?2, 0, ?3)";
const INSERT_PASSKEY: &str = "INSERT INTO passkeys
                              (id, user_id, credential_id, credential, counter, name, created_at)
                              VALUES (?1, ?2, ?1, '{}', 0, 'Passkey 1', ?3)";
const INSERT_WORKSPACE: &str = "INSERT INTO workspaces (name, generation, live, dev) \
                                VALUES (?1, 1, ?2, ?3) ON CONFLICT DO NOTHING";
const LASTS: Duration = Duration::from_hours(30 * 24);

/// Writes this many users, each with a passkey, a workspace `w<number>`, a session and what lets its
/// browser in at the workspace's live sandbox.
///
/// # Errors
/// The store is in use, or not of the version that this program knows.
pub fn fill(store: &Path, users: u32) -> Result<()> {
    let mut db = Connection::open(store)?;
    // Of use for filling alone: nothing here has to outlive a power cut.
    db.execute_batch("PRAGMA synchronous = off; PRAGMA cache_size = -500000;")?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let now = i64::try_from(now.as_millis())?;
    let tx = db.transaction()?;
    for number in 0..users {
        user(&tx, number, now).with_context(|| format!("write user {number}"))?;
        session(&tx, number, now).with_context(|| format!("write session {number}"))?;
        grant(&tx, number, now).with_context(|| format!("write grant {number}"))?;
    }
    tx.commit()?;
    db.execute_batch("PRAGMA wal_checkpoint(truncate);")?;
    Ok(())
}

fn user(tx: &Transaction, number: u32, now: i64) -> rusqlite::Result<()> {
    let id = id("user", number);
    tx.prepare_cached(INSERT_USER)?.execute(params![
        id,
        format!("user{number}@example.org"),
        now
    ])?;
    tx.prepare_cached(INSERT_PASSKEY)?
        .execute(params![passkey(number), id, now])?;
    let workspace = workspace(number);
    // A declared one is there since the first start.
    tx.prepare_cached(INSERT_WORKSPACE)?.execute(params![
        workspace,
        format!("{workspace}-live"),
        format!("{workspace}-dev")
    ])?;
    tx.prepare_cached("INSERT INTO members (user_id, workspace) VALUES (?1, ?2)")?
        .execute(params![id, workspace])?;
    Ok(())
}

fn session(tx: &Transaction, number: u32, now: i64) -> Result<()> {
    let ends = now + i64::try_from(LASTS.as_millis())?;
    tx.prepare_cached("INSERT INTO sessions VALUES (?1, ?2, ?3, 'full', ?4, ?5, ?6, ?5, ?7, ?8)")?
        .execute(params![
            id("session", number),
            Sha256::digest(token("session", number)).as_slice(),
            id("user", number),
            passkey(number),
            now,
            ends,
            format!("203.0.113.{}", number % 256),
            USER_AGENT,
        ])?;
    Ok(())
}

fn grant(tx: &Transaction, number: u32, now: i64) -> rusqlite::Result<()> {
    let hash = Sha256::digest(token("grant", number));
    tx.prepare_cached("INSERT INTO grants VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            hash.as_slice(),
            id("session", number),
            host(number),
            now
        ])?;
    Ok(())
}

/// The name of a user's workspace.
pub fn workspace(user: u32) -> String {
    format!("w{user}")
}

/// The host of its live sandbox.
pub fn host(user: u32) -> String {
    format!("{}.localhost", workspace(user))
}

/// The `Cookie` header of a user's browser there, where the gateway has this port.
pub fn cookie(user: u32, port: u16) -> String {
    let grant = URL_SAFE_NO_PAD.encode(token("grant", user));
    format!("choiros-grant-{port}={grant}")
}

fn token(kind: &str, user: u32) -> [u8; 32] {
    Sha256::digest(format!("token of {kind} {user}")).into()
}

fn passkey(user: u32) -> [u8; 16] {
    id("passkey", user)
}

/// Sixteen bytes that are always the same, and as unordered as random ones.
fn id(kind: &str, number: u32) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(format!("{kind} {number}")).into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}

#[cfg(test)]
mod tests {
    use super::{cookie, fill, host};
    use http::{HeaderMap, HeaderValue, header};
    use hypervisor::auth::Auth;
    use hypervisor::config::Config;
    use hypervisor::store::Database;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_filled_store_lets_its_users_in_at_their_own_hosts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        drop(Database::sqlite(&path).unwrap());
        fill(&path, 3).unwrap();
        let store = Arc::new(Database::sqlite(&path).unwrap());
        let config = Config::default();
        let port = config.origin().port().unwrap();
        let auth = Auth::open(&config, store).await.unwrap();
        for (user, known) in [(0, true), (2, true), (3, false)] {
            let cookie = HeaderValue::from_str(&cookie(user, port)).unwrap();
            let headers = HeaderMap::from_iter([(header::COOKIE, cookie)]);
            let found = auth.fetch_granted(&headers, &host(user)).await.unwrap();
            assert_eq!(found.is_some(), known, "user {user}");
            let elsewhere = auth.fetch_granted(&headers, &host(user + 1)).await.unwrap();
            assert!(elsewhere.is_none(), "user {user}");
        }
    }
}
