//! Changes are kept from their beginning, and hold whole or not at all.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::{open, refused, workspace};
use crate::role::Role;
use crate::store::sql::Database;
use crate::store::{
    ChangeKind, ChangeOutcome, ChangeStore, Commit, Conflict, NewChange, Outcome, PinnedReleases,
    ProbationStore, StoppedRow, Watch, WorkspaceStore,
};
use crate::timestamp::Timestamp;
use rstest::rstest;
use tempfile::TempDir;

fn new(kind: ChangeKind) -> NewChange {
    NewChange {
        workspace: "one".into(),
        kind,
        by: "ada".into(),
        sandbox: "one-live".into(),
        from_release: 1,
        to_release: 2,
        snapshot: Some("20260101T000000Z-0001".into()),
    }
}

fn commit(id: i64, expect_generation: u64) -> Commit {
    Commit {
        id,
        workspace: "one".into(),
        expect_generation,
        role: Role::Live,
        release: 2,
        held_ms: 84,
        writes: 7,
        is_fork: false,
        undoes: None,
        watch: Watch::None,
    }
}

fn with_one((folder, store): (TempDir, Database)) -> (TempDir, Database) {
    store.create_workspaces(&[workspace("one")]).unwrap();
    let pinned = PinnedReleases {
        workspace: "one".into(),
        live: 1,
        dev: 1,
    };
    store.set_releases(&[pinned]).unwrap();
    (folder, store)
}

#[rstest]
fn what_many_run_is_noted_at_once(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
    let names: Vec<_> = (1..=1200_u64).map(|n| (n, format!("w{n}"))).collect();
    let rows: Vec<_> = names.iter().map(|(_, name)| workspace(name)).collect();
    store.create_workspaces(&rows).unwrap();
    let pinned = |(n, name): &(u64, String)| PinnedReleases {
        workspace: name.clone(),
        live: *n,
        dev: 2 * n,
    };
    let all: Vec<_> = names.iter().map(pinned).collect();
    store.set_releases(&all[1..]).unwrap();
    for row in store.workspaces().unwrap() {
        let n: u64 = row.name[1..].parse().unwrap();
        let noted = if n == 1 { (0, 0) } else { (n, 2 * n) };
        assert_eq!((row.live_release, row.dev_release), noted, "{}", row.name);
    }
}

#[rstest]
fn a_change_that_ends_half_way_is_found_and_taken_back(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = with_one(open!(engine));
    let id = store.begin_change(&new(ChangeKind::Promote)).unwrap();
    let open = store.open_changes().unwrap();
    assert_eq!((open.len(), open[0].id, open[0].outcome), (1, id, None));
    store.take_change_back(id, 5, "broken off").unwrap();
    assert!(store.open_changes().unwrap().is_empty());
    let row = &store.workspaces().unwrap()[0];
    assert_eq!((row.generation, row.live_release), (1, 1));
    let last = &store.changes("one", 9).unwrap()[0];
    assert_eq!(last.outcome, Some(ChangeOutcome::TakenBack));
    assert_eq!((&*last.detail, last.held_ms), ("broken off", Some(5)));
}

#[rstest]
fn a_change_holds_in_one_step_or_not_at_all(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = with_one(open!(engine));
    let id = store.begin_change(&new(ChangeKind::Promote)).unwrap();
    refused(store.commit_change(&commit(id, 9)), Conflict::Generation);
    assert_eq!(store.open_changes().unwrap().len(), 1);
    let row = store.commit_change(&commit(id, 1)).unwrap();
    assert_eq!(
        (row.generation, row.live_release, row.dev_release),
        (2, 2, 1)
    );
    assert_eq!((row.writes, row.writes_shared), (7, 0));
    assert!(store.open_changes().unwrap().is_empty());
    // What holds is not taken back by mistake.
    store.take_change_back(id, 0, "late").unwrap();
    let last = &store.changes("one", 9).unwrap()[0];
    assert_eq!(last.outcome, Some(ChangeOutcome::Done));
    assert_eq!((last.generation, last.held_ms), (Some(2), Some(84)));
}

#[rstest]
fn an_undo_says_so_of_what_it_undoes_and_ends_its_probation(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = with_one(open!(engine));
    let id = store.begin_change(&new(ChangeKind::Promote)).unwrap();
    let watch = Watch::Probation {
        secs: 60,
        until: Timestamp::from_millis(1),
        change: Some(id),
        restore_data: true,
    };
    store
        .commit_change(&Commit {
            watch,
            ..commit(id, 1)
        })
        .unwrap();
    let probation = store.probation("one").unwrap().unwrap();
    assert_eq!((probation.change, probation.restore_data), (Some(id), true));
    let undo = store.begin_change(&new(ChangeKind::Undo)).unwrap();
    let cause = "it was ill".to_owned();
    store
        .commit_change(&Commit {
            release: 1,
            undoes: Some(id),
            watch: Watch::TakenBack { cause },
            ..commit(undo, 2)
        })
        .unwrap();
    let rows = store.changes("one", 9).unwrap();
    let outcomes: Vec<_> = rows.iter().filter_map(|row| row.outcome).collect();
    assert_eq!(outcomes, [ChangeOutcome::Done, ChangeOutcome::Undone]);
    let probation = store.probation("one").unwrap().unwrap();
    assert_eq!(probation.outcome, Some(Outcome::TakenBack));
}

#[rstest]
fn a_fork_shares_what_was_written_and_a_swap_takes_releases_along(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = with_one(open!(engine));
    let id = store.begin_change(&new(ChangeKind::Fork)).unwrap();
    let forked = Commit {
        role: Role::Dev,
        is_fork: true,
        ..commit(id, 1)
    };
    let row = store.commit_change(&forked).unwrap();
    assert_eq!((row.dev_release, row.writes, row.writes_shared), (2, 7, 7));
    store.set_writes("one", 9).unwrap();
    let row = store.swap("one", 2, "ada", &Watch::None).unwrap();
    assert_eq!((row.live_release, row.dev_release), (2, 1));
    assert_eq!(row.writes_shared, 9);
    let last = &store.changes("one", 1).unwrap()[0];
    assert_eq!(
        (last.kind, &*last.by, last.from_release, last.to_release),
        (ChangeKind::Swap, "ada", 1, 2)
    );
}

#[rstest]
fn who_stopped_a_sandbox_is_kept_until_it_may_run_again(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = with_one(open!(engine));
    let row = StoppedRow {
        sandbox: "one-dev".into(),
        workspace: "one".into(),
        by: "ada".into(),
        at: Timestamp::from_millis(5),
    };
    store.set_stopped(&row).unwrap();
    store.set_stopped(&row).unwrap();
    assert_eq!(store.stopped().unwrap(), [row]);
    store.unset_stopped("one", "one-dev").unwrap();
    store.unset_stopped("one", "one-dev").unwrap();
    assert!(store.stopped().unwrap().is_empty());
}
