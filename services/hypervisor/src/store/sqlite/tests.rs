//! What holds of the file.

use super::Sqlite;
use super::migrate::MIGRATIONS;
use crate::store::sql::Database;
use crate::store::sql::tests::{EPOCH, account, session, sessions};
use crate::store::{
    AccountStore, AuditRow, AuditStore, InviteStore as _, MetaStore, PasskeyStore, RecoveryStore,
    SessionKind, StoreError, WorkspaceStore,
};
use rusqlite::Connection;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// A store of each released version, as that version left it.
const FIXTURES: [&str; 9] = [
    include_str!("fixtures/v1.sql"),
    include_str!("fixtures/v2.sql"),
    include_str!("fixtures/v3.sql"),
    include_str!("fixtures/v4.sql"),
    include_str!("fixtures/v5.sql"),
    include_str!("fixtures/v6.sql"),
    include_str!("fixtures/v7.sql"),
    include_str!("fixtures/v8.sql"),
    include_str!("fixtures/v9.sql"),
];

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/hypervisor.db");
    (folder, path)
}

fn schema(path: &std::path::Path) -> Vec<String> {
    let db = Connection::open(path).unwrap();
    let mut statement = db
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_store_of_each_released_version_is_migrated_with_its_rows() {
    assert_eq!(
        FIXTURES.len(),
        MIGRATIONS.len(),
        "a fixture for each version"
    );
    let (_fresh, fresh) = folder();
    Database::sqlite(&fresh).unwrap();
    for fixture in FIXTURES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch(fixture)
            .unwrap();
        let store = Database::sqlite(&path).unwrap();

        let users = store.users().unwrap();
        let names: Vec<_> = users.iter().map(|user| &*user.username).collect();
        assert_eq!(names, ["ada@example.org", "bob"]);
        assert!(users[0].admin && !users[1].admin);
        let ada = users[0].id;
        let passkeys = store.passkeys_of(ada).unwrap();
        assert_eq!(passkeys.len(), 2);
        assert_eq!((passkeys[0].counter, &*passkeys[0].name), (7, "Laptop"));
        assert_eq!(passkeys[1].last_used_at, None);
        let (passkey, owner) = store.passkey_by_credential(&[0xc1; 20]).unwrap().unwrap();
        assert_eq!((passkey.id, owner.id), (passkeys[0].id, ada));
        assert_eq!(store.recovery_codes_left(ada, EPOCH).unwrap(), 2);
        assert!(store.invite(&[0x71; 32], EPOCH).unwrap().unwrap().admin);
        assert_eq!(store.invite(&[0x72; 32], EPOCH).unwrap(), None, "used");
        let sessions = sessions(&store, EPOCH);
        assert_eq!(sessions.len(), 2);
        assert_eq!(sessions[0].passkey_id, Some(passkeys[0].id));
        assert_eq!(sessions[1].kind, SessionKind::Recovery);
        let workspaces = store.workspaces().unwrap();
        assert_eq!(workspaces.len(), 2);
        assert_eq!(
            (workspaces[0].generation, &*workspaces[0].live),
            (4, "sandbox-dev")
        );
        assert_eq!(workspaces[0].members, [ada]);
        let audit = store.audit_of(ada, 10).unwrap();
        assert_eq!((audit.len(), &*audit[0].event), (2, "logged_in"));
        assert_eq!(
            store.get_or_insert_meta("rp_id", "other").unwrap(),
            "localhost"
        );

        assert_eq!(schema(&path), schema(&fresh), "the same as a new store");
    }
}

#[test]
fn a_store_of_a_newer_version_is_refused_with_a_sentence() {
    let (_folder, path) = folder();
    drop(Database::sqlite(&path).unwrap());
    let newer = u32::try_from(MIGRATIONS.len() + 1).unwrap();
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", newer).unwrap();
    drop(db);
    let refusal = Database::sqlite(&path).unwrap_err();
    assert!(matches!(refusal, StoreError::Newer { found, .. } if found == newer));
    assert!(
        refusal.to_string().contains("run the newer program"),
        "{refusal}"
    );
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign.db");
    let db = Connection::open(&foreign).unwrap();
    db.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(db);
    assert!(matches!(
        Database::sqlite(&foreign),
        Err(StoreError::Foreign { .. })
    ));

    let text = folder.path().join("text");
    let content = "not a database, but long enough to have a header ".repeat(20);
    std::fs::write(&text, &content).unwrap();
    assert!(matches!(
        Database::sqlite(&text),
        Err(StoreError::Corrupt(_))
    ));
    assert_eq!(std::fs::read_to_string(&text).unwrap(), content);

    let below_a_file = text.join("store.db");
    assert!(matches!(
        Database::sqlite(&below_a_file),
        Err(StoreError::Unopened { .. })
    ));
}

#[test]
fn the_file_is_its_users_alone_and_every_commit_is_synced() {
    let (_folder, path) = folder();
    let engine = Arc::new(Sqlite::open(&path).unwrap());
    let store = Database::new(Arc::clone(&engine));
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    store.check().unwrap();
    let wal = path.with_file_name("hypervisor.db-wal");
    assert_eq!(mode(&wal), 0o600, "the log beside it too");
    let synchronous: i64 = engine
        .connection()
        .pragma_query_value(None, "synchronous", |row| row.get(0))
        .unwrap();
    assert_eq!(synchronous, 2, "FULL");
}

#[test]
fn a_store_that_cannot_be_written_fails_its_check() {
    let (_folder, path) = folder();
    let engine = Arc::new(Sqlite::open(&path).unwrap());
    let store = Database::new(Arc::clone(&engine));
    store.check().unwrap();
    let db = engine.connection();
    db.pragma_update(None, "query_only", true).unwrap();
    drop(db);
    assert!(matches!(store.check(), Err(StoreError::Sqlite(_))));
}

#[test]
fn what_was_written_is_there_after_a_restart_and_another_process_can_read_it() {
    let (_folder, path) = folder();
    let store = Database::sqlite(&path).unwrap();
    let ada = account("ada");
    store.create_account(&ada).unwrap();
    let event = AuditRow {
        at: EPOCH,
        event: "registered".into(),
        user_id: Some(ada.user.id),
        address: None,
        detail: String::new(),
        passkey: None,
        actor: None,
    };
    store.record(&event).unwrap();
    let beside = Database::sqlite(&path).unwrap();
    assert_eq!(beside.user_by_name("ada").unwrap(), Some(ada.user.clone()));
    drop((store, beside));
    let store = Database::sqlite(&path).unwrap();
    assert_eq!(store.passkeys_of(ada.user.id).unwrap(), [ada.passkey]);
    assert_eq!(store.audit_of(ada.user.id, 5).unwrap(), [event]);
}

#[test]
fn when_there_is_room_again_after_a_full_disk_the_same_store_goes_on() {
    let (_folder, path) = folder();
    let engine = Arc::new(Sqlite::open(&path).unwrap());
    let store = Database::new(Arc::clone(&engine));
    let ada = account("ada");
    store.create_account(&ada).unwrap();
    let pages = |most: i64| {
        let db = engine.connection();
        let count: i64 = db
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        db.pragma_update_and_check(None, "max_page_count", count + most, |_| Ok(()))
            .unwrap();
    };
    pages(2);
    let event = |n: usize| AuditRow {
        at: EPOCH,
        event: format!("event {n}"),
        user_id: Some(ada.user.id),
        address: None,
        detail: "x".repeat(500),
        passkey: None,
        actor: None,
    };
    let mut written = 0;
    let full = loop {
        match store.record(&event(written)) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(full.to_string().contains("make room"), "{full}");
    let more = std::iter::repeat_with(|| session(ada.user.id, None)).take(100);
    let mut bob = account("bob");
    bob.recovery_codes = more.map(|session| session.token).collect();
    assert!(store.create_account(&bob).is_err(), "nor this");
    assert_eq!(
        store.users().unwrap(),
        std::slice::from_ref(&ada.user),
        "it is read"
    );
    pages(1000);
    store.record(&event(written)).unwrap();
    let audit = store.audit_of(ada.user.id, u32::MAX).unwrap();
    assert_eq!(
        audit.len(),
        written + 1,
        "all that was acknowledged, and no more"
    );
    assert_eq!(sessions(&store, EPOCH).len(), 1);
}
