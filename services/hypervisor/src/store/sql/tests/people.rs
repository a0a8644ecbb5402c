//! What admins change about people.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::{EPOCH, NOTICE, account, open, refused, session, sessions, with_ada};
use crate::store::sql::Database;
use crate::store::{
    AccountStore, AuditRow, AuditStore, Conflict, InviteRow, InviteState, InviteStore as _,
    NewAccount, PasskeyStore, PasskeyUse, PeopleStore, RecoveryStore, StoreError, UserChange,
    UserRow,
};
use crate::timestamp::Timestamp;
use rstest::rstest;
use std::sync::Barrier;
use std::thread;
use uuid::Uuid;

fn admin(store: &Database, name: &str) -> NewAccount {
    let mut account = account(name);
    account.user.admin = true;
    store.create_account(&account).unwrap();
    account
}

fn change(
    store: &Database,
    by: Option<Uuid>,
    user: Uuid,
    change: &UserChange,
) -> Result<UserRow, StoreError> {
    let row = AuditRow::new("changed", Some(user), "");
    store.change_user(by, user, change, &row)
}

fn invite(by: Option<Uuid>, hash: u8) -> InviteRow {
    InviteRow {
        id: Uuid::new_v4(),
        hash: [hash; 32],
        username: None,
        workspace: None,
        admin: false,
        created_by: by,
        created_at: EPOCH,
        expires_at: Timestamp::from_millis(i64::MAX),
    }
}

#[rstest]
fn of_two_admins_who_take_it_from_each_other_at_once_one_stays(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    for _ in 0..25 {
        let (_folder, store) = open!(engine);
        let [ada, bob] = ["ada", "bob"].map(|name| admin(&store, name).user.id);
        // A third, so that it is not the last one who is kept.
        admin(&store, "cyd");
        let barrier = Barrier::new(2);
        let take = |by, from, it: UserChange| {
            barrier.wait();
            change(&store, Some(by), from, &it)
        };
        let (one, two) = thread::scope(|scope| {
            let one = scope.spawn(|| take(ada, bob, UserChange::Disable));
            let two = scope.spawn(|| take(bob, ada, UserChange::SetAdmin(false)));
            (one.join().unwrap(), two.join().unwrap())
        });
        assert_ne!(one.is_ok(), two.is_ok());
        let late = if one.is_ok() { two } else { one };
        refused(late, Conflict::NotAdmin);
    }
}

#[rstest]
fn the_last_admin_who_may_log_in_stays_one_whoever_asks(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    let [ada, bob] = ["ada", "bob"].map(|name| admin(&store, name).user.id);
    change(&store, Some(ada), bob, &UserChange::Disable).unwrap();
    for by in [None, Some(ada)] {
        for it in [UserChange::Disable, UserChange::SetAdmin(false)] {
            refused(change(&store, by, ada, &it), Conflict::LastAdmin);
        }
    }
    refused(
        change(&store, Some(bob), ada, &UserChange::EndSessions),
        Conflict::NotAdmin,
    );
    // Who is none can be changed all the same.
    change(&store, None, bob, &UserChange::SetAdmin(false)).unwrap();
    let nobody = change(&store, None, Uuid::nil(), &UserChange::Enable);
    refused(nobody, Conflict::NoUser);
    let ada = store.user_by_name("ada").unwrap().unwrap();
    assert!(ada.admin && ada.disabled_at.is_none());
    let noted = store.audit_after(0, EPOCH, 10).unwrap();
    assert_eq!(noted.len(), 2, "what was refused is not in the log");
}

#[rstest]
fn who_is_disabled_has_no_session_and_gets_none(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
    let id = ada.user.id;
    change(&store, None, id, &UserChange::Disable).unwrap();
    assert!(sessions(&store, EPOCH).is_empty());
    let used = PasskeyUse {
        id: ada.passkey.id,
        credential: String::new(),
        counter: 7,
        counts: true,
        change: None,
        at: EPOCH,
    };
    let new = session(id, Some(ada.passkey.id));
    refused(store.log_in(&used, &new, None), Conflict::Disabled);
    let recovery = session(id, None);
    let with_code = || store.use_recovery_code(&[1; 32], &recovery, None);
    refused(with_code(), Conflict::Disabled);
    let code = store.add_recovery_code(None, id, &[9; 32], EPOCH, &NOTICE);
    refused(code, Conflict::Disabled);
    assert!(sessions(&store, EPOCH).is_empty());

    change(&store, None, id, &UserChange::Enable).unwrap();
    store.log_in(&used, &new, None).unwrap();
    assert!(with_code().unwrap(), "the code was not used up");
    let gone = session(Uuid::new_v4(), None);
    refused(store.log_in(&used, &gone, None), Conflict::Counter);
}

#[rstest]
fn a_name_is_one_persons_and_shown_where_no_other_was_given(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store, ada) = with_ada!(engine);
    let mut bob = account("bob");
    bob.user.display_name = "Robert".into();
    store.create_account(&bob).unwrap();
    let rename = |id, name: &str| change(&store, None, id, &UserChange::Rename(name.into()));
    refused(rename(bob.user.id, "ada"), Conflict::Username);
    rename(bob.user.id, "rob").unwrap();
    rename(ada.user.id, "lovelace").unwrap();
    let users = store.users().unwrap();
    let names = users
        .iter()
        .map(|user| (&*user.username, &*user.display_name));
    let names: Vec<_> = names.collect();
    assert!(names.contains(&("rob", "Robert")), "{names:?}");
    assert!(names.contains(&("lovelace", "lovelace")), "{names:?}");
}

#[rstest]
fn people_are_found_by_a_part_of_either_name_whatever_its_case(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    for (name, shown) in [
        ("zoë@example.org", "ZOË"),
        ("a_b%c", "Дарья"),
        ("bob", "bob"),
    ] {
        let mut account = account(name);
        account.user.display_name = shown.into();
        store.create_account(&account).unwrap();
    }
    let found = |search: &str| {
        let people = store.people(search, EPOCH).unwrap().into_iter();
        let mut names: Vec<_> = people.map(|person| person.user.username).collect();
        names.sort();
        names
    };
    assert_eq!(found("").len(), 3);
    assert_eq!(found(" Zoë "), ["zoë@example.org"]);
    assert_eq!(found("zOË@Ex"), ["zoë@example.org"]);
    assert_eq!(found("дар"), ["a_b%c"]);
    assert_eq!(found("_"), ["a_b%c"], "no wildcard");
    assert_eq!(found("%"), ["a_b%c"]);
    assert!(found("x".repeat(10_000).as_str()).is_empty());
}

#[rstest]
fn an_invite_is_revoked_or_used_but_not_both(#[values(Sqlite, Postgres)] engine: Engine) {
    for _ in 0..25 {
        let (_folder, store) = open!(engine);
        let invite = invite(None, 1);
        store.add_invite(&invite).unwrap();
        let mut ada = account("ada");
        ada.invite = Some(invite.hash);
        let row = AuditRow::new("invite_revoked", None, "");
        let barrier = Barrier::new(2);
        let (used, revoked) = thread::scope(|scope| {
            let used = scope.spawn(|| {
                barrier.wait();
                store.create_account(&ada)
            });
            let revoked = scope.spawn(|| {
                barrier.wait();
                store.revoke_invite(None, invite.id, &row)
            });
            (used.join().unwrap(), revoked.join().unwrap())
        });
        let found = store.invite_by_id(invite.id).unwrap().unwrap();
        let now = Timestamp::now();
        if used.is_ok() {
            refused(revoked, Conflict::Invite);
            assert_eq!(found.state(now), InviteState::Used);
            assert_eq!(found.used_by.as_deref(), Some("ada"));
        } else {
            refused(used, Conflict::Invite);
            revoked.unwrap();
            assert_eq!(found.state(now), InviteState::Revoked);
        }
    }
}

#[rstest]
fn invites_of_who_is_no_admin_any_longer_let_nobody_in(#[values(Sqlite, Postgres)] engine: Engine) {
    for it in [UserChange::Disable, UserChange::SetAdmin(false)] {
        let (_folder, store) = open!(engine);
        let [ada, bob] = ["ada", "bob"].map(|name| admin(&store, name).user.id);
        store.add_invite(&invite(Some(bob), 1)).unwrap();
        store.add_invite(&invite(Some(ada), 2)).unwrap();
        change(&store, Some(ada), bob, &it).unwrap();
        assert!(store.invite(&[1; 32], EPOCH).unwrap().is_none());
        assert!(store.invite(&[2; 32], EPOCH).unwrap().is_some());
        let late = store.add_invite(&invite(Some(bob), 3));
        refused(late, Conflict::NotAdmin);
        let by: Vec<_> = store.invites().unwrap();
        let by: Vec<_> = by.iter().map(|it| it.created_by.as_deref()).collect();
        assert_eq!(by, [Some("ada"), Some("bob")]);
    }
}

#[rstest]
fn an_invite_to_a_workspace_that_is_not_there_is_not_made(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    let nowhere = InviteRow {
        workspace: Some("x".into()),
        ..invite(None, 1)
    };
    refused(store.add_invite(&nowhere), Conflict::NoWorkspace);
}

#[rstest]
fn the_audit_log_is_read_in_pages_from_either_end(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada) = with_ada!(engine);
    for n in 0..5 {
        let user = (n % 2 == 0).then_some(ada.user.id);
        let mut row = AuditRow::new("event", user, n.to_string());
        row.at = Timestamp::from_millis(n);
        row.actor = Some("bob".into());
        store.record(&row).unwrap();
    }
    let told = |entries: Vec<crate::store::AuditEntry>| {
        let told = entries.into_iter().map(|it| it.row.detail);
        told.collect::<Vec<_>>()
    };
    let latest = store.audit_before(i64::MAX, None, 2).unwrap();
    let id = latest[1].id;
    assert_eq!(latest[0].row.actor.as_deref(), Some("bob"));
    assert_eq!(told(latest), ["4", "3"]);
    assert_eq!(told(store.audit_before(id, None, 2).unwrap()), ["2", "1"]);
    let hers = store.audit_before(i64::MAX, Some(ada.user.id), 9).unwrap();
    assert_eq!(told(hers), ["4", "2", "0"]);
    let first = store.audit_after(0, Timestamp::from_millis(1), 2).unwrap();
    let id = first[1].id;
    assert_eq!(told(first), ["1", "2"]);
    let rest = store.audit_after(id, Timestamp::from_millis(0), 9).unwrap();
    assert_eq!(told(rest), ["3", "4"]);
}
