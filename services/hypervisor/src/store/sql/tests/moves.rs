//! A workspace is at one machine, whatever becomes of a move, and slots are taken for as long as
//! there are data in them.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::slots::room as at;
use super::{EPOCH, account, open, refused};
use crate::store::sql::Database;
use crate::store::{
    AccountStore, ArchiveRow, ArchiveState, ArchiveStore, ChangeKind, ChangeOutcome, ChangeStore,
    CommitMove, Conflict, Home, MoveRow, MoveState, MoveStore, NewChange, NewMove, NewWorkspace,
    Room, StoppedRow, StoreError, WorkspaceStore,
};
use rstest::rstest;

/// Somebody with a workspace of their own, in the first free slot of this machine.
fn settle(store: &Database, name: &str, rooms: Vec<Room>) {
    let mut new = account(name);
    new.home = Home::New(NewWorkspace {
        name: name.into(),
        rooms,
    });
    store.create_account(&new).unwrap();
}

fn begin(store: &Database, name: &str, to: Room) -> Result<(i64, MoveRow), StoreError> {
    let now = store.workspace(name).unwrap().unwrap();
    store.begin_move(&NewMove {
        change: NewChange {
            workspace: name.into(),
            kind: ChangeKind::Move,
            by: "operator".into(),
            sandbox: now.live,
            from_release: 7,
            to_release: 7,
            snapshot: None,
        },
        id: format!("of-{name}"),
        source: now.home,
        epoch: now.epoch,
        room: to,
    })
}

fn commit(change: i64, name: &str) -> CommitMove {
    CommitMove {
        change,
        workspace: name.into(),
        expect_generation: 1,
        expect_epoch: 0,
        live_release: 3,
        dev_release: 4,
        held_ms: 5,
        writes: 6,
    }
}

fn archive(of: &MoveRow) -> ArchiveRow {
    ArchiveRow {
        id: of.id.clone(),
        workspace: of.workspace.clone(),
        members: vec!["ada".into()],
        home: of.source.clone(),
        slot: of.source_slot,
        swapped: of.swapped,
        generation: 1,
        live_release: 7,
        dev_release: 7,
        at: EPOCH,
        delete_at: None,
        bytes: 1,
        state: ArchiveState::Kept,
    }
}

#[rstest]
fn one_that_has_moved_is_there_and_its_old_slot_free_once_it_is_put_away(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    settle(&store, "ada", vec![at("a", 1)]);
    settle(&store, "bob", vec![at("b", 3)]);
    store
        .set_stopped(&StoppedRow {
            sandbox: "s1-dev".into(),
            workspace: "ada".into(),
            by: "ada".into(),
            at: EPOCH,
        })
        .unwrap();
    let (change, going) = begin(&store, "ada", at("b", 3)).unwrap();
    assert_eq!((going.source_slot, going.target_slot), (Some(1), Some(2)));
    assert_eq!(going.state, MoveState::Begun);
    settle(&store, "cyd", vec![at("b", 3)]);
    let cyd = store.workspace("cyd").unwrap().unwrap();
    assert_eq!(cyd.slot, Some(3), "the second one is taken");
    let before = store.workspace("ada").unwrap().unwrap();
    assert_eq!((&*before.home, before.epoch), ("a", 0));

    let now = store.commit_move(&commit(change, "ada")).unwrap();
    assert_eq!((&*now.home, now.slot, now.epoch), ("b", Some(2), 1));
    assert_eq!((&*now.live, &*now.dev), ("s2-live", "s2-dev"));
    assert_eq!((now.live_release, now.dev_release), (3, 4));
    assert_eq!((now.generation, now.writes), (2, 6));
    assert_eq!(now.members, before.members);
    assert_eq!(store.stopped().unwrap()[0].sandbox, "s2-dev");
    let history = store.changes("ada", 9).unwrap();
    assert_eq!(history[0].outcome, Some(ChangeOutcome::Done));
    assert_eq!(history[0].detail, "from a to b");

    let row = store.move_of("ada").unwrap().unwrap();
    assert_eq!(row.state, MoveState::Done);
    refused(begin(&store, "bob", at("a", 1)), Conflict::NoSlot);
    store.source_cleared(&row, &archive(&row)).unwrap();
    store.source_cleared(&row, &archive(&row)).unwrap();
    assert_eq!(store.archives().unwrap().len(), 1, "once");
    let (_, going) = begin(&store, "bob", at("a", 1)).unwrap();
    assert_eq!(going.target_slot, Some(1));
}

#[rstest]
fn one_that_is_taken_back_is_where_it_was_and_takes_a_slot_there_until_that_is_cleared(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    settle(&store, "ada", vec![at("a", 1)]);
    let before = store.workspace("ada").unwrap();
    let (change, _) = begin(&store, "ada", at("b", 1)).unwrap();
    store.take_change_back(change, 0, "not well").unwrap();
    assert_eq!(store.workspace("ada").unwrap(), before);
    let row = store.move_of("ada").unwrap().unwrap();
    assert_eq!(row.state, MoveState::TakenBack);
    refused(
        store.commit_move(&commit(change, "ada")),
        Conflict::Generation,
    );
    refused(begin(&store, "ada", at("c", 1)), Conflict::Move);
    let begun = MoveRow {
        state: MoveState::Begun,
        ..row.clone()
    };
    store.target_cleared(&begun).unwrap();
    assert_eq!(
        store.moves().unwrap(),
        std::slice::from_ref(&row),
        "not that one"
    );
    store.target_cleared(&row).unwrap();
    assert_eq!(store.moves().unwrap(), []);
    begin(&store, "ada", at("b", 1)).unwrap();
}

#[rstest]
fn one_that_changed_meanwhile_does_not_move(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
    settle(&store, "ada", vec![at("a", 1)]);
    let (change, _) = begin(&store, "ada", at("b", 1)).unwrap();
    for wrong in [
        CommitMove {
            expect_generation: 2,
            ..commit(change, "ada")
        },
        CommitMove {
            expect_epoch: 1,
            ..commit(change, "ada")
        },
    ] {
        refused(store.commit_move(&wrong), Conflict::Generation);
    }
    let now = store.workspace("ada").unwrap().unwrap();
    assert_eq!((&*now.home, now.generation, now.epoch), ("a", 1, 0));
    assert_eq!(
        store.move_of("ada").unwrap().unwrap().state,
        MoveState::Begun
    );
}
