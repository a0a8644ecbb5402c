//! Members that change, and swaps on probation: whole or not at all.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::{EPOCH, account, refused, with_ada, workspace};
use crate::access::Access::{Members, Public, Users};
use crate::role::Role;
use crate::store::sql::Database;
use crate::store::{
    AccountStore, AuditRow, AuditStore, Conflict, MemberStore, Move, NewAccount, Outcome,
    ProbationStore, Settlement, Watch, WorkspaceStore,
};
use rstest::rstest;
use tempfile::TempDir;
use uuid::Uuid;

fn moves(user: Uuid, from: Option<&str>, to: Option<&str>) -> Move {
    Move {
        user,
        from: from.map(Into::into),
        to: to.map(Into::into),
    }
}

/// Ada in `one` and Bob in `two`.
fn two((folder, store, ada): (TempDir, Database, NewAccount)) -> (TempDir, Database, Uuid, Uuid) {
    let bob = account("bob");
    store.create_account(&bob).unwrap();
    let both = [workspace("one"), workspace("two")];
    store.create_workspaces(&both).unwrap();
    store.join("one", ada.user.id).unwrap();
    store.join("two", bob.user.id).unwrap();
    (folder, store, ada.user.id, bob.user.id)
}

#[rstest]
fn two_workspaces_exchange_their_members_in_one_step(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada, bob) = two(with_ada!(engine));
    let change = Settlement {
        moves: vec![
            moves(ada, Some("one"), Some("two")),
            moves(bob, Some("two"), Some("one")),
        ],
        ..Settlement::default()
    };
    store.settle(&change).unwrap();
    let rows = store.workspaces().unwrap();
    assert_eq!(
        (&*rows[0].members, &*rows[1].members),
        (&[bob][..], &[ada][..])
    );
}

#[rstest]
fn a_settlement_that_does_not_fit_changes_nothing(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada, bob) = two(with_ada!(engine));
    let before = store.workspaces().unwrap();
    let event = AuditRow {
        at: EPOCH,
        event: "workspace_changed".into(),
        user_id: Some(ada),
        address: None,
        detail: String::new(),
        passkey: None,
        actor: None,
    };
    let good = Settlement {
        create: vec![workspace("three")],
        retire: vec![("two".into(), true)],
        moves: vec![moves(ada, Some("one"), Some("three"))],
        audit: vec![event],
    };
    let mut stale = good.clone();
    stale.moves.push(moves(bob, Some("one"), Some("three")));
    refused(store.settle(&stale), Conflict::Member);
    let mut unknown = good.clone();
    unknown.retire.push(("four".into(), true));
    refused(store.settle(&unknown), Conflict::Workspace);
    let mut taken = good.clone();
    taken.create.push(workspace("one"));
    refused(store.settle(&taken), Conflict::Workspace);
    assert_eq!(store.workspaces().unwrap(), before);
    assert!(store.audit_of(ada, 5).unwrap().is_empty());

    store.settle(&good).unwrap();
    let rows = store.workspaces().unwrap();
    assert_eq!(rows[1].members, [ada]);
    assert!(rows[2].retired && rows[2].members == [bob]);
    assert_eq!(store.audit_of(ada, 5).unwrap().len(), 1);
}

#[rstest]
fn who_was_taken_out_is_known_until_they_are_in_again(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ada, _) = two(with_ada!(engine));
    let settle = |change| {
        store.settle(&Settlement {
            moves: vec![change],
            ..Settlement::default()
        })
    };
    settle(moves(ada, Some("one"), None)).unwrap();
    assert_eq!(store.taken_out().unwrap(), [ada]);
    assert!(store.workspaces().unwrap()[0].members.is_empty());
    settle(moves(ada, None, Some("two"))).unwrap();
    assert!(store.taken_out().unwrap().is_empty());
}

#[rstest]
fn a_swap_notes_what_it_means_for_a_probation(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ..) = two(with_ada!(engine));
    let probation = |secs| Watch::Probation {
        secs,
        until: EPOCH,
        change: None,
        restore_data: false,
    };
    let outcome = || {
        let row = store.probation("one").unwrap().unwrap();
        (row.generation, row.outcome)
    };
    store.swap("one", 1, "ada", &probation(60)).unwrap();
    assert_eq!(outcome(), (2, None));
    let cause = "it is ill".to_owned();
    store
        .swap("one", 2, "ada", &Watch::TakenBack { cause })
        .unwrap();
    assert_eq!(outcome(), (2, Some(Outcome::TakenBack)));
    assert_eq!(store.probation("one").unwrap().unwrap().detail, "it is ill");

    store.swap("one", 3, "ada", &probation(60)).unwrap();
    store.swap("one", 4, "ada", &Watch::None).unwrap();
    assert_eq!(outcome(), (4, Some(Outcome::Overtaken)));
    let passed = |generation| {
        store
            .end_probation("one", generation, Outcome::Passed, "")
            .unwrap();
    };
    passed(4);
    assert_eq!(
        outcome(),
        (4, Some(Outcome::Overtaken)),
        "it has ended before"
    );

    store.swap("one", 5, "ada", &probation(u64::MAX)).unwrap();
    passed(5);
    assert_eq!(outcome(), (6, None), "of another generation");
    passed(6);
    assert_eq!(outcome(), (6, Some(Outcome::Passed)));
    assert_eq!(store.probations().unwrap()[0].secs, u64::MAX);

    refused(
        store.swap("two", 9, "ada", &probation(1)),
        Conflict::Generation,
    );
    assert_eq!(store.probation("two").unwrap(), None);
}

#[rstest]
fn access_belongs_to_the_role_and_a_swap_leaves_it(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store, ..) = two(with_ada!(engine));
    let access = || {
        let rows = store.workspaces().unwrap().into_iter();
        let rows = rows.map(|row| (row.access_live, row.access_dev));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(access(), [(Members, Members); 2]);
    store.set_access("one", Role::Live, Public).unwrap();
    store.set_access("one", Role::Dev, Users).unwrap();
    assert_eq!(access(), [(Public, Users), (Members, Members)]);
    let swapped = store.swap("one", 1, "ada", &Watch::None).unwrap();
    assert_eq!((swapped.access_live, swapped.access_dev), (Public, Users));
    let unknown = store.set_access("three", Role::Live, Public);
    refused(unknown, Conflict::NoWorkspace);
}
