//! What gateways of several machines hear of each other.

use super::{event, settings};
use crate::access::Access;
use crate::config;
use crate::role::Role;
use crate::store::sql::Database;
use crate::store::sql::tests::account;
use crate::store::{
    AccountStore, ArchiveStore, AuditStore, Capacity, Changed, Changes, MachineStore, MemberStore,
    MetaStore, PeopleStore, Removal, SessionStore, StoreError, UserChange, WorkspaceRow,
    WorkspaceStore,
};
use crate::timestamp::Timestamp;
use std::thread::sleep;
use std::time::{Duration, Instant};
use testkit::postgres::Postgres;

/// One of several machines with a store.
fn machine(url: &str, name: &str) -> Database {
    Database::postgres(&settings(name), url, name).unwrap()
}

fn only(store: &Database) -> Vec<Changed> {
    let news = store.news().unwrap();
    let Changes::Only(changes) = &news.changes else {
        panic!("it is not known what has changed");
    };
    store.confirm(&news, Capacity::default()).unwrap();
    changes.clone()
}

/// Two machines with a new store; the test is over where PostgreSQL is not installed.
macro_rules! two {
    () => {
        match testkit::postgres::shared().unwrap() {
            Some(server) => {
                let url = server.database().unwrap();
                (machine(&url, "one"), machine(&url, "two"), url)
            }
            None => return,
        }
    };
}

#[test]
fn each_hears_what_the_other_changes_of_what_is_kept_in_memory_and_of_nothing_else() {
    let (one, two, _url) = two!();
    let ada = account("ada");
    let id = ada.user.id;
    one.create_account(&ada).unwrap();
    one.record(&event("it happened")).unwrap();
    assert_eq!(only(&two), [], "who is new is in nobody's memory");
    one.change_user(None, id, &UserChange::SetAdmin(true), &event("made"))
        .unwrap();
    assert_eq!(only(&two), [Changed::User(id)]);
    assert_eq!(only(&two), [], "once");
    assert_eq!(only(&one), [], "and not one's own");
    let seen = [(ada.session.id, Timestamp::now())];
    one.purge_sessions(&seen, Timestamp::now(), Timestamp::from_millis(0))
        .unwrap();
    assert_eq!(only(&two), [], "when it was last used is no change");
    one.remove_session(ada.session.id).unwrap();
    assert_eq!(only(&two), [Changed::Session(ada.session.token)]);
    let row = WorkspaceRow::new("ada");
    let name = || Changed::Workspace("ada".to_owned());
    one.create_workspaces(&[row]).unwrap();
    assert_eq!(only(&two), [name()]);
    one.join("ada", id).unwrap();
    assert_eq!(only(&two), [name()]);
    one.choose(id, "ada").unwrap();
    assert_eq!(only(&two), [Changed::User(id)]);
    one.set_access("ada", Role::Live, Access::Public).unwrap();
    assert_eq!(only(&two), [name()]);
    one.leave("ada", id).unwrap();
    let mut left = only(&two);
    left.sort_by_key(|it| format!("{it:?}"));
    left.dedup();
    assert_eq!(left, [Changed::User(id), name()]);
}

#[test]
fn what_goes_with_a_user_is_told_one_by_one() {
    let (one, two, _url) = two!();
    let ada = account("ada");
    let mut admin = account("root");
    admin.user.admin = true;
    one.create_account(&admin).unwrap();
    one.create_account(&ada).unwrap();
    let removal = Removal {
        user: ada.user.id,
        by: None,
        at: Timestamp::now(),
        keep_ms: None,
        declared: Vec::new(),
    };
    one.remove_user(&removal, &mut || "x".to_owned()).unwrap();
    let heard = only(&two);
    for expected in [
        Changed::User(ada.user.id),
        Changed::Session(ada.session.token),
    ] {
        assert!(heard.contains(&expected), "{heard:?}");
    }
}

/// Whether all know what has been changed until now.
fn is_known(store: &Database) -> bool {
    let last = store.revision().unwrap();
    store.is_known(last).unwrap()
}

#[test]
fn a_change_is_known_once_every_machine_that_is_not_gone_has_confirmed_it() {
    let (one, two, _url) = two!();
    let ada = account("ada");
    one.create_account(&ada).unwrap();
    assert!(is_known(&one), "nobody has to hear of that");
    one.remove_session(ada.session.id).unwrap();
    assert!(!is_known(&one));
    // Whoever else answers for it waits as long.
    assert!(!is_known(&two));
    let heard = only(&two);
    assert_eq!(heard.len(), 1);
    assert!(is_known(&one) && is_known(&two));
    one.change_user(None, ada.user.id, &UserChange::Disable, &event("x"))
        .unwrap();
    let begun = Instant::now();
    while !is_known(&one) {
        assert!(begun.elapsed() < Duration::from_secs(5), "it is never gone");
        sleep(Duration::from_millis(50));
    }
    assert!(
        begun.elapsed() > Duration::from_secs(1),
        "two may not know yet"
    );
    two.release().unwrap();
    one.change_user(None, ada.user.id, &UserChange::Enable, &event("x"))
        .unwrap();
    assert!(is_known(&one), "one that has ended is not waited for");
}

#[test]
fn a_gateway_stops_by_itself_before_it_counts_as_gone() {
    let Some(server) = testkit::postgres::shared().unwrap() else {
        return;
    };
    let url = server.database().unwrap();
    let strict = config::Store {
        grace_secs: 0,
        ..settings("strict")
    };
    let strict = Database::postgres(&strict, &url, "strict").unwrap();
    let patient = machine(&url, "patient");
    assert!(strict.is_current() && patient.is_current());
    let there = |store: &Database, name: &str| {
        let all = store.machines().unwrap();
        all.iter().any(|it| it.name == name && it.is_there)
    };
    only(&strict);
    while strict.is_current() {
        assert!(
            there(&patient, "strict"),
            "others had stopped waiting before"
        );
        sleep(Duration::from_millis(50));
    }
    assert!(patient.is_current(), "known sessions go on there");
    only(&strict);
    assert!(strict.is_current() && there(&patient, "strict"));
}

#[test]
fn a_history_that_is_not_the_one_that_was_known_is_looked_at_as_a_whole() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let url = server.database().unwrap();
    let (one, two) = (machine(&url, "one"), machine(&url, "two"));
    one.check().unwrap();
    only(&two);
    // As after a failover to a standby that had not heard of it.
    server
        .sql(&url, "UPDATE writes SET name = gen_random_uuid()")
        .unwrap();
    let news = two.news().unwrap();
    assert_eq!(news.changes, Changes::Anything);
    two.confirm(&news, Capacity::default()).unwrap();
    one.check().unwrap();
    assert_eq!(only(&two), []);
}

#[test]
fn what_is_old_is_forgotten_while_a_gateway_runs_but_for_the_last() {
    let (one, _two, url) = two!();
    for _ in 0..3 {
        one.check().unwrap();
    }
    let server = testkit::postgres::shared().unwrap().unwrap();
    let old = "UPDATE writes SET at = at - interval '2 hours'";
    server.sql(&url, old).unwrap();
    let count = || server.sql(&url, "SELECT count(*) FROM writes").unwrap();
    assert_eq!(count(), "4");
    for _ in 0..1000 {
        only(&one);
    }
    assert_eq!(count(), "1");
    one.check().unwrap();
}

#[test]
fn revisions_have_no_gap_whoever_writes_and_whatever_is_undone() {
    let (one, two, url) = two!();
    std::thread::scope(|scope| {
        for store in [&one, &two] {
            for writer in 0..3 {
                scope.spawn(move || {
                    for n in 0..20 {
                        if n % 3 == 0 {
                            // It exists after the first.
                            let row = WorkspaceRow::new("taken");
                            let _ = store.create_workspaces(&[row]);
                        } else {
                            store.record(&event(&format!("{writer} {n}"))).unwrap();
                        }
                    }
                });
            }
        }
    });
    let server = testkit::postgres::shared().unwrap().unwrap();
    let gaps = "DO $$ BEGIN ASSERT (SELECT max(number) = count(*) - 1 FROM writes); END $$";
    server.sql(&url, gaps).unwrap();
}

#[test]
fn one_machine_without_a_name_is_alone() {
    let (one, two, url) = two!();
    let alone = || Database::postgres(&settings("alone"), &url, "");
    let held = alone().unwrap_err();
    assert!(held.to_string().contains("cluster.machine"), "{held}");
    one.release().unwrap();
    two.release().unwrap();
    let alone = alone().unwrap();
    assert!(matches!(two.check(), Err(StoreError::Replaced)));
    let held = Database::postgres(&settings("two"), &url, "two").unwrap_err();
    assert!(matches!(held, StoreError::Held { .. }), "{held}");
    alone.release().unwrap();
    machine(&url, "two").check().unwrap();
}

#[test]
fn the_workspaces_of_the_only_machine_stay_where_their_data_are() {
    let Some(server) = testkit::postgres::shared().unwrap() else {
        return;
    };
    let url = server.database().unwrap();
    let first = Database::postgres(&settings("first"), &url, "").unwrap();
    let ada = account("ada");
    first.create_account(&ada).unwrap();
    first
        .create_workspaces(&[WorkspaceRow::new("ada")])
        .unwrap();
    first.join("ada", ada.user.id).unwrap();
    first.release().unwrap();
    let refused = Database::postgres(&settings("second"), &url, "b").unwrap_err();
    assert!(matches!(refused, StoreError::NotHere { .. }), "{refused}");
    let first = Database::postgres(&settings("first"), &url, "a").unwrap();
    first.adopt("a").unwrap();
    machine(&url, "b").adopt("b").unwrap();
    let homes = first.workspaces().unwrap().into_iter().map(|row| row.home);
    assert_eq!(homes.collect::<Vec<_>>(), ["a"]);
}

#[test]
fn whoever_waits_is_woken_by_a_change() {
    let (one, two, _url) = two!();
    let ada = account("ada");
    one.create_account(&ada).unwrap();
    // Whatever came before it listened.
    two.wait_for_news(Duration::from_secs(1));
    std::thread::scope(|scope| {
        let woken = scope.spawn(|| {
            let begun = Instant::now();
            two.wait_for_news(Duration::from_secs(20));
            begun.elapsed()
        });
        sleep(Duration::from_millis(200));
        one.remove_session(ada.session.id).unwrap();
        assert!(woken.join().unwrap() < Duration::from_secs(10));
    });
}
