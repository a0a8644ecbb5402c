//! A slot is taken in the same step as the account that it is for.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::{account, open, refused};
use crate::store::sql::Database;
use crate::store::{
    AccountStore, Conflict, Home, MachineStore as _, MemberStore, NewAccount, NewWorkspace, Room,
    StoreError, WorkspaceRow, WorkspaceStore,
};
use rstest::rstest;
use std::sync::Arc;

/// Of a machine that has so many slots.
pub(super) fn room(machine: &str, slots: u32) -> Room {
    Room {
        machine: machine.to_owned(),
        slots: Some(slots),
    }
}

fn with_slot(name: &str, slots: u32) -> NewAccount {
    let home = Home::New(NewWorkspace {
        name: name.to_owned(),
        rooms: vec![room("", slots)],
    });
    NewAccount {
        home,
        ..account(name)
    }
}

fn sign_up(store: &Database, name: &str, slots: u32) -> Result<WorkspaceRow, StoreError> {
    let row = store.create_account(&with_slot(name, slots))?;
    Ok(row.unwrap())
}

#[rstest]
fn each_account_takes_the_first_slot_that_is_free(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
    for (name, slot) in [("ada", 1), ("bob", 2), ("cyd", 3)] {
        let row = sign_up(&store, name, 3).unwrap();
        assert_eq!(row.slot, Some(slot));
        assert_eq!(row.live, format!("s{slot}-live"));
        assert_eq!(row.members.len(), 1);
    }
    refused(sign_up(&store, "dan", 3), Conflict::NoSlot);
    assert_eq!(store.users().unwrap().len(), 3, "nor an account");
    let sql = "DELETE FROM workspaces WHERE name = 'bob'";
    store.execute(sql, &[]).unwrap();
    assert_eq!(sign_up(&store, "dan", 3).unwrap().slot, Some(2));
}

#[rstest]
fn a_taken_name_takes_neither_slot_nor_account(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
    store
        .create_workspaces(&[WorkspaceRow::new("ada")])
        .unwrap();
    refused(sign_up(&store, "ada", 3), Conflict::Workspace);
    assert!(store.users().unwrap().is_empty());
    assert_eq!(sign_up(&store, "bob", 3).unwrap().slot, Some(1));
}

#[rstest]
fn a_hundred_at_once_get_a_slot_each_as_long_as_there_are(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    let store = Arc::new(store);
    let threads: Vec<_> = (0..100)
        .map(|n| {
            let store = store.clone();
            std::thread::spawn(move || sign_up(&store, &format!("user{n}"), 90))
        })
        .collect();
    let results = threads.into_iter().map(|thread| thread.join().unwrap());
    let (placed, refusals): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
    let mut slots: Vec<_> = placed
        .into_iter()
        .map(|placed| placed.unwrap().slot.unwrap())
        .collect();
    slots.sort_unstable();
    assert_eq!(slots, (1..=90).collect::<Vec<_>>());
    assert_eq!(refusals.len(), 10);
    for refusal in refusals {
        refused(refusal, Conflict::NoSlot);
    }
}

#[rstest]
fn who_has_an_account_already_can_be_given_a_slot_too(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
    let ada = account("ada");
    store.create_account(&ada).unwrap();
    let home = with_slot("ada", 1).home;
    let row = store.settle_in(&home, ada.user.id).unwrap().unwrap();
    assert_eq!((row.slot, &*row.members), (Some(1), &[ada.user.id][..]));
    assert_eq!(store.chosen().unwrap(), [(ada.user.id, "ada".to_owned())]);
}

#[rstest]
fn each_machine_has_slots_of_its_own_and_the_first_with_room_is_the_home(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    let sign_up = |name: &str, rooms: &[(&str, u32)]| {
        let rooms = rooms.iter().map(|(machine, slots)| room(machine, *slots));
        let home = Home::New(NewWorkspace {
            name: name.to_owned(),
            rooms: rooms.collect(),
        });
        let new = account(name);
        let placed = store.create_account(&NewAccount { home, ..new });
        placed.map(|row| row.map(|row| (row.home, row.slot.unwrap())))
    };
    let at = |machine: &str, slot| Some((machine.to_owned(), slot));
    assert_eq!(
        sign_up("a", &[("one", 1), ("two", 1)]).unwrap(),
        at("one", 1)
    );
    assert_eq!(
        sign_up("b", &[("two", 2), ("one", 1)]).unwrap(),
        at("two", 1)
    );
    assert_eq!(
        sign_up("c", &[("one", 1), ("two", 2)]).unwrap(),
        at("two", 2)
    );
    refused(sign_up("d", &[("one", 1), ("two", 2)]), Conflict::NoSlot);
    refused(sign_up("e", &[]), Conflict::NoSlot);
}

#[rstest]
fn a_machine_that_has_no_name_takes_the_workspaces_of_the_only_one(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    sign_up(&store, "ada", 3).unwrap();
    let homes = || {
        let rows = store.workspaces().unwrap().into_iter();
        rows.map(|row| (row.home, row.epoch)).collect::<Vec<_>>()
    };
    store.adopt("").unwrap();
    assert_eq!(homes(), [(String::new(), 0)]);
    store.adopt("one").unwrap();
    assert_eq!(homes(), [("one".to_owned(), 1)]);
    store.adopt("two").unwrap();
    assert_eq!(homes(), [("one".to_owned(), 1)], "it is another's");
    store.adopt("").unwrap();
    assert_eq!(homes(), [(String::new(), 2)]);
    store.adopt("one").unwrap();
    let row = WorkspaceRow {
        home: "two".to_owned(),
        ..WorkspaceRow::new("theirs")
    };
    store.create_workspaces(&[row]).unwrap();
    let refused = store.adopt("").unwrap_err().to_string();
    assert!(
        refused.contains("(one, two); set cluster.machine"),
        "{refused}"
    );
}
