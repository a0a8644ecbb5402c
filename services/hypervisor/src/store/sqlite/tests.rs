//! The promises of the store, and of its migrations.

use super::Sqlite;
use super::migrate::MIGRATIONS;
use crate::store::{
    AccountStore, AuditRow, AuditStore, Conflict, Home, InviteRow, InviteStore as _, MemberStore,
    MetaStore, NewAccount, NewNotice, PasskeyRow, PasskeyStore, PasskeyUse, RecoveryStore,
    SessionKind, SessionRow, SessionStore, StoreError, UserRow, Watch, WorkspaceRow,
    WorkspaceStore,
};
use crate::timestamp::Timestamp;
use rusqlite::Connection;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

mod ahead;
mod archives;
mod changes;
mod grants;
mod growth;
mod people;
mod slots;
mod tokens;
mod workspaces;

/// A store of each released version, as that version left it.
const FIXTURES: [&str; 7] = [
    include_str!("fixtures/v1.sql"),
    include_str!("fixtures/v2.sql"),
    include_str!("fixtures/v3.sql"),
    include_str!("fixtures/v4.sql"),
    include_str!("fixtures/v5.sql"),
    include_str!("fixtures/v6.sql"),
    include_str!("fixtures/v7.sql"),
];

const EPOCH: Timestamp = Timestamp::from_millis(1_700_000_000_000);

const NOTICE: NewNotice = NewNotice {
    by: None,
    at: EPOCH,
    event: "changed",
    detail: String::new(),
};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/hypervisor.db");
    (folder, path)
}

/// A new store.
fn open() -> (TempDir, Sqlite) {
    let (folder, path) = folder();
    (folder, Sqlite::open(&path).unwrap())
}

/// A new store in which Ada has an account.
fn with_ada() -> (TempDir, Sqlite, NewAccount) {
    let (folder, store) = open();
    let ada = account("ada");
    store.create_account(&ada).unwrap();
    (folder, store, ada)
}

fn account(name: &str) -> NewAccount {
    let user_id = Uuid::new_v4();
    let passkey_id = Uuid::new_v4();
    NewAccount {
        user: UserRow {
            id: user_id,
            username: name.into(),
            display_name: name.into(),
            admin: false,
            created_at: EPOCH,
            disabled_at: None,
        },
        passkey: PasskeyRow {
            id: passkey_id,
            user_id,
            credential_id: passkey_id.as_bytes().to_vec(),
            credential: "{}".into(),
            counter: 0,
            name: "Passkey 1".into(),
            created_at: EPOCH,
            last_used_at: None,
        },
        recovery_codes: vec![[1; 32], [2; 32]],
        invite: None,
        session: session(user_id, Some(passkey_id)),
        replaces: None,
        home: Home::None,
    }
}

fn session(user_id: Uuid, passkey_id: Option<Uuid>) -> SessionRow {
    let id = Uuid::new_v4();
    let mut token = [0; 32];
    token[..16].copy_from_slice(id.as_bytes());
    SessionRow {
        id,
        token,
        user_id,
        kind: SessionKind::Full,
        passkey_id,
        created_at: EPOCH,
        expires_at: Timestamp::from_millis(EPOCH.millis() + 1000),
        last_seen_at: EPOCH,
        address: "127.0.0.1".into(),
        user_agent: "test".into(),
    }
}

/// Everyone's sessions.
fn sessions(store: &Sqlite, now: Timestamp) -> Vec<SessionRow> {
    let users = store.users().unwrap();
    let of = |user: &UserRow| store.sessions_of(user.id, now).unwrap();
    users.iter().flat_map(of).collect()
}

fn workspace(name: &str) -> WorkspaceRow {
    WorkspaceRow::new(name)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>, expected: Conflict) {
    match result {
        Err(StoreError::Conflict(conflict)) => assert_eq!(conflict, expected),
        other => panic!("no conflict but {other:?}"),
    }
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
    Sqlite::open(&fresh).unwrap();
    for fixture in FIXTURES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch(fixture)
            .unwrap();
        let store = Sqlite::open(&path).unwrap();

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
    drop(Sqlite::open(&path).unwrap());
    let newer = u32::try_from(MIGRATIONS.len() + 1).unwrap();
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", newer).unwrap();
    drop(db);
    let refusal = Sqlite::open(&path).unwrap_err();
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
        Sqlite::open(&foreign),
        Err(StoreError::Foreign { .. })
    ));

    let text = folder.path().join("text");
    let content = "not a database, but long enough to have a header ".repeat(20);
    std::fs::write(&text, &content).unwrap();
    assert!(matches!(Sqlite::open(&text), Err(StoreError::Corrupt(_))));
    assert_eq!(std::fs::read_to_string(&text).unwrap(), content);

    let below_a_file = text.join("store.db");
    assert!(matches!(
        Sqlite::open(&below_a_file),
        Err(StoreError::Unopened { .. })
    ));
}

#[test]
fn the_file_is_its_users_alone_and_every_commit_is_synced() {
    let (_folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    store.check().unwrap();
    let wal = path.with_file_name("hypervisor.db-wal");
    assert_eq!(mode(&wal), 0o600, "the log beside it too");
    let synchronous: i64 = store
        .connection
        .lock()
        .unwrap()
        .pragma_query_value(None, "synchronous", |row| row.get(0))
        .unwrap();
    assert_eq!(synchronous, 2, "FULL");
}

#[test]
fn a_store_that_cannot_be_written_fails_its_check() {
    let (_folder, store) = open();
    store.check().unwrap();
    let db = store.connection.lock().unwrap();
    db.pragma_update(None, "query_only", true).unwrap();
    drop(db);
    assert!(matches!(store.check(), Err(StoreError::Sqlite(_))));
}

#[test]
fn an_account_is_written_whole_or_not_at_all() {
    let (_folder, store, _) = with_ada();

    let mut same_name = account("ada");
    same_name.replaces = Some(sessions(&store, EPOCH)[0].id);
    refused(store.create_account(&same_name), Conflict::Username);

    let mut same_passkey = account("bob");
    same_passkey.passkey.credential_id = store.passkeys_of(store.users().unwrap()[0].id).unwrap()
        [0]
    .credential_id
    .clone();
    refused(store.create_account(&same_passkey), Conflict::Passkey);

    let mut no_invite = account("bob");
    no_invite.invite = Some([9; 32]);
    refused(store.create_account(&no_invite), Conflict::Invite);

    assert_eq!(store.users().unwrap().len(), 1);
    assert_eq!(sessions(&store, EPOCH).len(), 1);
}

#[test]
fn an_invite_lets_in_one_user_until_it_ends() {
    let (_folder, store) = open();
    let ends = Timestamp::from_millis(EPOCH.millis() + 10);
    for hash in [[1; 32], [2; 32]] {
        store
            .add_invite(&InviteRow {
                id: Uuid::new_v4(),
                hash,
                username: None,
                workspace: None,
                admin: false,
                created_by: None,
                created_at: EPOCH,
                expires_at: ends,
            })
            .unwrap();
    }
    assert!(store.invite(&[1; 32], EPOCH).unwrap().is_some());
    assert_eq!(store.invite(&[1; 32], ends).unwrap(), None);

    let invited = |name: &str, hash, at| {
        let mut account = account(name);
        account.invite = Some(hash);
        account.user.created_at = at;
        account
    };
    store
        .create_account(&invited("ada", [1; 32], EPOCH))
        .unwrap();
    assert_eq!(store.invite(&[1; 32], EPOCH).unwrap(), None);
    let second = invited("bob", [1; 32], EPOCH);
    refused(store.create_account(&second), Conflict::Invite);
    let late = invited("cyd", [2; 32], ends);
    refused(store.create_account(&late), Conflict::Invite);
}

#[test]
fn a_passkey_whose_counter_does_not_grow_opens_no_session() {
    let (_folder, store, ada) = with_ada();
    let log_in = |counter| {
        let used = PasskeyUse {
            id: ada.passkey.id,
            credential: "{}".into(),
            counter,
            counts: true,
            change: None,
            at: EPOCH,
        };
        store.log_in(&used, &session(ada.user.id, Some(ada.passkey.id)), None)
    };
    log_in(0).unwrap();
    log_in(0).unwrap();
    log_in(5).unwrap();
    refused(log_in(5), Conflict::Counter);
    refused(log_in(4), Conflict::Counter);
    refused(log_in(0), Conflict::Counter);
    log_in(6).unwrap();
    assert_eq!(sessions(&store, EPOCH).len(), 5);
}

#[test]
fn a_login_ends_the_session_that_it_replaces() {
    let (_folder, store, ada) = with_ada();
    let next = session(ada.user.id, None);
    let used = PasskeyUse {
        id: ada.passkey.id,
        credential: "{}".into(),
        counter: 0,
        counts: true,
        change: None,
        at: EPOCH,
    };
    store.log_in(&used, &next, Some(ada.session.id)).unwrap();
    assert_eq!(sessions(&store, EPOCH), [next]);
}

#[test]
fn a_removed_passkey_takes_its_sessions_along_but_the_last_one_stays() {
    let (_folder, store, ada) = with_ada();
    let keep = session(ada.user.id, None);
    refused(
        store.remove_passkey(ada.user.id, ada.passkey.id, keep.id, &NOTICE),
        Conflict::LastPasskey,
    );
    assert_eq!(sessions(&store, EPOCH).len(), 1);

    let second = account("ignored").passkey;
    let second = PasskeyRow {
        user_id: ada.user.id,
        ..second
    };
    let add = store.add_passkey(&second, ada.session.id, false, &NOTICE);
    add.unwrap();
    let stranger = account("bob");
    store.create_account(&stranger).unwrap();
    assert!(
        !store
            .remove_passkey(stranger.user.id, ada.passkey.id, keep.id, &NOTICE)
            .unwrap()
    );
    assert!(
        store
            .remove_passkey(ada.user.id, ada.passkey.id, keep.id, &NOTICE)
            .unwrap()
    );
    assert_eq!(sessions(&store, EPOCH), [stranger.session]);
    assert_eq!(store.passkeys_of(ada.user.id).unwrap(), [second]);
}

#[test]
fn a_session_that_has_ended_adds_no_passkey() {
    let (_folder, store, ada) = with_ada();
    let [phone, key] = ["phone", "key"].map(|name| PasskeyRow {
        user_id: ada.user.id,
        ..account(name).passkey
    });
    let add = |passkey, ends| store.add_passkey(passkey, ada.session.id, ends, &NOTICE);
    add(&phone, true).unwrap();
    refused(add(&key, true), Conflict::Session);
    refused(add(&key, false), Conflict::Session);
    let held = store.passkeys_of(ada.user.id).unwrap();
    assert_eq!(held.len(), 2);
}

#[test]
fn a_recovery_code_works_once_for_its_user() {
    let (_folder, store, ada) = with_ada();
    let bob = account("bob");
    let use_code = |user, code| {
        store
            .use_recovery_code(&code, &session(user, None), None)
            .unwrap()
    };
    assert!(!use_code(bob.user.id, [1; 32]), "an unknown user");
    assert!(!use_code(ada.user.id, [3; 32]), "a wrong code");
    assert!(use_code(ada.user.id, [1; 32]));
    assert!(!use_code(ada.user.id, [1; 32]), "the second time");
    assert_eq!(store.recovery_codes_left(ada.user.id, EPOCH).unwrap(), 1);

    store
        .replace_recovery_codes(ada.user.id, &[[4; 32]], &NOTICE)
        .unwrap();
    assert!(!use_code(ada.user.id, [2; 32]), "replaced");
    store
        .add_recovery_code(None, ada.user.id, &[5; 32], EPOCH, &NOTICE)
        .unwrap();
    assert!(!use_code(ada.user.id, [5; 32]), "ended");
    assert!(use_code(ada.user.id, [4; 32]));
}

#[test]
fn a_stale_swap_changes_nothing() {
    let (_folder, store) = open();
    store.create_workspaces(&[workspace("sandbox")]).unwrap();
    let swapped = store.swap("sandbox", 1, "ada", &Watch::None).unwrap();
    assert_eq!(
        (&*swapped.live, &*swapped.dev),
        ("sandbox-dev", "sandbox-live")
    );
    assert_eq!(swapped.generation, 2);
    refused(
        store.swap("sandbox", 1, "ada", &Watch::None),
        Conflict::Generation,
    );
    refused(
        store.swap("other", 1, "ada", &Watch::None),
        Conflict::Generation,
    );
    assert_eq!(store.workspaces().unwrap(), [swapped]);
}

#[test]
fn a_user_may_be_a_member_of_several_workspaces_and_chooses_among_them() {
    let (_folder, store, ada) = with_ada();
    let ada = ada.user.id;
    store.create_workspaces(&[workspace("one")]).unwrap();
    store.create_workspaces(&[workspace("two")]).unwrap();
    let one_is_there = [workspace("three"), workspace("one")];
    let both = store.create_workspaces(&one_is_there);
    refused(both, Conflict::Workspace);
    store.join("one", ada).unwrap();
    refused(store.join("one", ada), Conflict::Member);
    refused(store.choose(ada, "two"), Conflict::Member);
    store.join("two", ada).unwrap();
    store.choose(ada, "two").unwrap();
    assert_eq!(store.chosen().unwrap(), [(ada, "two".to_owned())]);
    let rows = store.workspaces().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.members == [ada]));

    store.leave("two", ada).unwrap();
    refused(store.leave("two", ada), Conflict::Member);
    assert!(store.chosen().unwrap().is_empty());
    assert!(store.taken_out().unwrap().is_empty(), "still in one");
    store.leave("one", ada).unwrap();
    assert_eq!(store.taken_out().unwrap(), [ada]);
    let rows = store.workspaces().unwrap();
    assert!(
        rows.iter().all(|row| row.owned),
        "no new person gets what may have her data"
    );
}

#[test]
fn concurrent_writers_all_get_through_and_exactly_one_wins_each_swap() {
    let (_folder, path) = folder();
    let store = Arc::new(Sqlite::open(&path).unwrap());
    store.create_workspaces(&[workspace("sandbox")]).unwrap();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = Arc::clone(&store);
            std::thread::spawn(move || {
                store
                    .create_account(&account(&format!("user{writer}")))
                    .unwrap();
                (1..=10)
                    .filter(|generation| {
                        store
                            .swap("sandbox", *generation, "ada", &Watch::None)
                            .is_ok()
                    })
                    .count()
            })
        })
        .collect();
    let wins: usize = writers
        .into_iter()
        .map(|writer| writer.join().unwrap())
        .sum();
    let generation = store.workspaces().unwrap()[0].generation;
    assert_eq!(generation, 1 + wins as u64);
    assert_eq!(store.users().unwrap().len(), 8);
}

#[test]
fn what_was_written_is_there_after_a_restart_and_another_process_can_read_it() {
    let (_folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
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
    let beside = Sqlite::open(&path).unwrap();
    assert_eq!(beside.user_by_name("ada").unwrap(), Some(ada.user.clone()));
    drop((store, beside));
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.passkeys_of(ada.user.id).unwrap(), [ada.passkey]);
    assert_eq!(store.audit_of(ada.user.id, 5).unwrap(), [event]);
}

#[test]
fn ended_sessions_are_forgotten_and_last_seen_never_goes_back() {
    let (_folder, store, ada) = with_ada();
    let at = |millis| Timestamp::from_millis(EPOCH.millis() + millis);
    store
        .purge_sessions(&[(ada.session.id, at(20))], at(30), EPOCH)
        .unwrap();
    store
        .purge_sessions(&[(ada.session.id, at(10))], at(30), EPOCH)
        .unwrap();
    assert_eq!(sessions(&store, EPOCH)[0].last_seen_at, at(20));
    let set_back = &[(ada.session.id, at(5))];
    store.purge_sessions(set_back, at(6), EPOCH).unwrap();
    let seen = sessions(&store, EPOCH)[0].last_seen_at;
    assert_eq!(seen, at(6), "but not ahead of the clock");
    assert!(sessions(&store, at(1000)).is_empty());
    store.purge_sessions(&[], at(1000), at(999)).unwrap();
    assert_eq!(sessions(&store, EPOCH).len(), 1, "ended, and not for good");
    store.purge_sessions(&[], at(1000), at(1000)).unwrap();
    assert!(sessions(&store, EPOCH).is_empty());
    assert!(!store.remove_session(ada.session.id).unwrap());
}

#[test]
fn a_session_is_found_by_its_token_with_its_user_until_it_ends() {
    let (_folder, store, ada) = with_ada();
    let bob = account("bob");
    store.create_account(&bob).unwrap();
    let find = |token, now| store.session_by_token(token, now).unwrap();
    let token = &ada.session.token;
    let last = Timestamp::from_millis(ada.session.expires_at.millis() - 1);
    assert_eq!(find(token, last), Some((ada.session.clone(), ada.user)));
    assert_eq!(find(token, ada.session.expires_at), None);
    assert_eq!(find(&[9; 32], EPOCH), None);
    assert_eq!(
        store.sessions_of(bob.user.id, EPOCH).unwrap(),
        [bob.session]
    );
    store.remove_session(ada.session.id).unwrap();
    assert_eq!(find(token, EPOCH), None);
}
