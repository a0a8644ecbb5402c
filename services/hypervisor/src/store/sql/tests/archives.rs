//! A person goes in one step with what was theirs alone, and an archive is a workspace again.

use super::engine::Engine::{self, Postgres, Sqlite};
use super::slots::room;
use super::{EPOCH, account, open, refused, session};
use crate::store::sql::Database;
use crate::store::{
    AccountStore, ArchiveRow, ArchiveState, ArchiveStore, AuditStore as _, ChangeStore as _,
    Conflict, Home, MemberStore, NewAccount, NewWorkspace, Removal, Revival, SessionStore as _,
    StoppedRow, StoreError, WorkspaceStore,
};
use crate::timestamp::Timestamp;
use rstest::rstest;
use uuid::Uuid;

fn with_slot(store: &Database, name: &str, admin: bool) -> Uuid {
    let home = Home::New(NewWorkspace {
        name: name.to_owned(),
        rooms: vec![room("", 3)],
    });
    let new = account(name);
    let mut new = NewAccount { home, ..new };
    new.user.admin = admin;
    store.create_account(&new).unwrap();
    new.user.id
}

fn removal(user: Uuid) -> Removal {
    Removal {
        by: None,
        user,
        at: EPOCH,
        keep_ms: Some(1000),
        declared: vec!["declared".to_owned()],
    }
}

fn remove(store: &Database, user: Uuid) -> Result<Vec<ArchiveRow>, StoreError> {
    store.remove_user(&removal(user), &mut || format!("id-{user}"))
}

fn restore(store: &Database, id: &str, user: Uuid) -> Result<String, StoreError> {
    let revival = Revival {
        id: id.to_owned(),
        user,
        names: ["ada", "ada-2"].map(str::to_owned).to_vec(),
        room: room("", 3),
    };
    let row = store.restore_archive(&revival)?;
    assert_eq!(
        (&row.archive, &row.members),
        (&Some(id.to_owned()), &vec![user])
    );
    Ok(row.name)
}

fn names(store: &Database) -> Vec<String> {
    let rows = store.workspaces().unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

#[rstest]
fn who_goes_leaves_nothing_but_archives_and_what_others_share(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    let admin = with_slot(&store, "admin", true);
    let ada = with_slot(&store, "ada", false);
    let shared = crate::store::WorkspaceRow::new("shared");
    let declared = crate::store::WorkspaceRow::new("declared");
    store.create_workspaces(&[shared, declared]).unwrap();
    for user in [admin, ada] {
        store.join("shared", user).unwrap();
    }
    store.join("declared", ada).unwrap();
    let stopped = StoppedRow {
        sandbox: "s2-dev".to_owned(),
        workspace: "ada".to_owned(),
        by: "ada".to_owned(),
        at: EPOCH,
    };
    store.set_stopped(&stopped).unwrap();
    let rows = remove(&store, ada).unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&*rows[0].workspace, rows[0].slot), ("ada", Some(2)));
    assert_eq!(rows[0].members, ["ada"]);
    let at = rows[0].at;
    assert_eq!(
        rows[0].delete_at,
        Some(Timestamp::from_millis(at.millis() + 1000))
    );
    assert_eq!(store.users().unwrap().len(), 1);
    assert!(store.sessions_of(ada, EPOCH).unwrap().is_empty());
    refused(remove(&store, ada), Conflict::NoUser);
    // Its slot is not free before its data are away.
    assert_eq!(names(&store), ["ada", "admin", "declared", "shared"]);
    store.archived(&rows[0].id, 77).unwrap();
    assert_eq!(names(&store), ["admin", "declared", "shared"]);
    assert!(store.stopped().unwrap().is_empty());
    let kept = &store.archives().unwrap()[0];
    assert_eq!((kept.state, kept.bytes), (ArchiveState::Kept, 77));
    refused(store.archived(&rows[0].id, 0), Conflict::Archive);
    let _ = store.audit_of(ada, 10).unwrap();
    let bob = with_slot(&store, "bob", false);
    assert_eq!(names(&store), ["admin", "bob", "declared", "shared"]);
    let of_bob = remove(&store, bob).unwrap();
    assert_eq!(of_bob[0].slot, Some(2), "the first that is free");
}

#[rstest]
fn the_last_admin_who_may_log_in_stays(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
    let (one, two) = (
        with_slot(&store, "one", true),
        with_slot(&store, "two", true),
    );
    let sql = "UPDATE users SET disabled_at = 1 WHERE username = 'two'";
    store.execute(sql, &[]).unwrap();
    refused(remove(&store, one), Conflict::LastAdmin);
    assert_eq!(store.users().unwrap().len(), 2);
    assert!(store.archives().unwrap().is_empty());
    remove(&store, two).unwrap();
    refused(remove(&store, one), Conflict::LastAdmin);
}

#[rstest]
fn a_clock_that_is_behind_deletes_nothing_early(#[values(Sqlite, Postgres)] engine: Engine) {
    let (_folder, store) = open!(engine);
    with_slot(&store, "admin", true);
    let ada = with_slot(&store, "ada", false);
    let seen = session(ada, None).last_seen_at;
    let mut removal = removal(ada);
    removal.at = Timestamp::from_millis(0);
    let rows = store
        .remove_user(&removal, &mut || "id".to_owned())
        .unwrap();
    assert!(rows[0].at >= seen, "{rows:?}");
    assert!(rows[0].delete_at > Some(seen), "{rows:?}");
}

#[rstest]
fn an_archive_is_a_workspace_again_or_stays_what_it_was(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let (_folder, store) = open!(engine);
    let admin = with_slot(&store, "admin", true);
    let ada = with_slot(&store, "ada", false);
    let watch = crate::store::Watch::None;
    store.swap("ada", 1, "ada", &watch).unwrap();
    let id = remove(&store, ada).unwrap()[0].id.clone();
    refused(restore(&store, &id, admin), Conflict::Archive);
    store.archived(&id, 1).unwrap();
    with_slot(&store, "ada", false);
    assert_eq!(restore(&store, &id, admin).unwrap(), "ada-2");
    refused(restore(&store, &id, admin), Conflict::Archive);
    refused(store.delete_archive(&id), Conflict::Archive);
    let row = &store.workspaces().unwrap()[1];
    assert_eq!(
        (&*row.live, &*row.dev),
        ("s3-dev", "s3-live"),
        "as it was swapped"
    );
    assert_eq!((row.slot, row.generation), (Some(3), 3));
    store.not_restored(&id).unwrap();
    assert_eq!(names(&store), ["ada", "admin"]);
    let bob = with_slot(&store, "bob", false);
    refused(restore(&store, &id, bob), Conflict::NoSlot);
    assert_eq!(store.archives().unwrap()[0].state, ArchiveState::Kept);
    let of_bob = remove(&store, bob).unwrap()[0].id.clone();
    store.archived(&of_bob, 1).unwrap();
    assert_eq!(restore(&store, &id, admin).unwrap(), "ada-2");
    store.restored(&id).unwrap();
    assert_eq!(store.workspaces().unwrap()[1].archive, None);
    store.archive_deleted(&of_bob).unwrap();
    assert_eq!(store.archives().unwrap().len(), 2, "it is kept");
    store.archive_deleted(&id).unwrap();
    store.delete_archive(&of_bob).unwrap();
    store.archive_deleted(&of_bob).unwrap();
    assert!(store.archives().unwrap().is_empty());
}
