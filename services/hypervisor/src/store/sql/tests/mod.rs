//! The promises of the store, and of its migrations.

use super::Database;
use crate::store::{
    AccountStore, Conflict, Home, InviteRow, InviteStore as _, MemberStore, NewAccount, NewNotice,
    PasskeyRow, PasskeyStore, PasskeyUse, RecoveryStore, SessionKind, SessionRow, SessionStore,
    StoreError, UserRow, Watch, WorkspaceRow, WorkspaceStore,
};
use crate::timestamp::Timestamp;
use engine::Engine::{self, Postgres, Sqlite};
use rstest::rstest;
use std::sync::Arc;
use uuid::Uuid;

mod ahead;
mod archives;
mod changes;
mod copy;
pub(in crate::store) mod engine;
mod grants;
mod growth;
mod moves;
mod people;
mod slots;
mod tokens;
mod workspaces;

pub(in crate::store) const EPOCH: Timestamp = Timestamp::from_millis(1_700_000_000_000);

const NOTICE: NewNotice = NewNotice {
    by: None,
    at: EPOCH,
    event: "changed",
    detail: String::new(),
};

/// A new store in this engine; the test is over where that is not installed.
macro_rules! open {
    ($engine:expr) => {
        match $engine.open() {
            Some(opened) => opened,
            None => return,
        }
    };
}
use open;

/// A new store in which Ada has an account.
macro_rules! with_ada {
    ($engine:expr) => {{
        let (folder, store) = $crate::store::sql::tests::open!($engine);
        let ada = $crate::store::sql::tests::account("ada");
        $crate::store::AccountStore::create_account(&store, &ada).unwrap();
        (folder, store, ada)
    }};
}
use with_ada;

pub(in crate::store) fn account(name: &str) -> NewAccount {
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

pub(in crate::store) fn session(user_id: Uuid, passkey_id: Option<Uuid>) -> SessionRow {
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
pub(in crate::store) fn sessions(store: &Database, now: Timestamp) -> Vec<SessionRow> {
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

#[rstest]
fn an_account_is_written_whole_or_not_at_all(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, _) = with_ada!(engine);

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

#[rstest]
fn an_invite_lets_in_one_user_until_it_ends(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
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

#[rstest]
fn a_passkey_whose_counter_does_not_grow_opens_no_session(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store, ada) = with_ada!(engine);
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

#[rstest]
fn a_login_ends_the_session_that_it_replaces(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
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

#[rstest]
fn a_removed_passkey_takes_its_sessions_along_but_the_last_one_stays(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store, ada) = with_ada!(engine);
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

#[rstest]
fn a_session_that_has_ended_adds_no_passkey(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
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

#[rstest]
fn a_recovery_code_works_once_for_its_user(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
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

#[rstest]
fn a_stale_swap_changes_nothing(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
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

#[rstest]
fn a_user_may_be_a_member_of_several_workspaces_and_chooses_among_them(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store, ada) = with_ada!(engine);
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

#[rstest]
fn concurrent_writers_all_get_through_and_exactly_one_wins_each_swap(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    let store = Arc::new(store);
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

#[rstest]
fn ended_sessions_are_forgotten_and_last_seen_never_goes_back(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store, ada) = with_ada!(engine);
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

#[rstest]
fn a_session_is_found_by_its_token_with_its_user_until_it_ends(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store, ada) = with_ada!(engine);
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
