//! Backups of volumes, and what becomes of them.

use crate::common::builder;
use crate::workspace::Workspace;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;
use testkit::person::Person;

/// A workspace with a folder for its backups.
async fn house() -> (TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    let backups = folder.path().to_str().unwrap();
    let builder = builder().env("HYPERVISOR_RUNTIME_BACKUPS_DIR", backups);
    let gateway = builder.start().await.unwrap();
    let person = Person::register(&gateway, "ada").await.unwrap();
    (folder, Workspace { gateway, person })
}

#[tokio::test]
async fn a_backup_is_restored_as_a_snapshot_is() {
    let (folder, house) = house().await;
    house.note("/", "one").await;
    let made = house.ok(&["backup"]).await;
    let id = made["id"].as_str().unwrap();
    let databases = made["databases"].as_array().unwrap();
    assert!(!databases.is_empty(), "{made}");
    assert!(databases.iter().all(|it| it["fault"].is_null()), "{made}");
    let rows = house.ok(&["backups"]).await;
    assert_eq!(
        (&rows[0]["id"], &rows[0]["role"]),
        (&made["id"], &"live".into())
    );
    assert_eq!(rows[0]["damaged"], 0);
    let latest = folder.path().join("sandbox/sandbox-live/latest");
    assert_eq!(fs::read_link(latest).unwrap(), Path::new(id));

    house.note("/", "two").await;
    house.note("/dev/", "of dev").await;
    house
        .ok(&["restore", "sandbox", "live", id, "--rehearse"])
        .await;
    assert_eq!(house.notes("/").await, ["one"]);
    assert_eq!(house.notes("/dev/").await, ["one"]);
    // What was there is kept, and the backup is what it was.
    let view = house.view().await;
    let kept = view["snapshots"]["live"].as_array().unwrap();
    assert!(kept.iter().any(|it| it["reason"] == "aside"), "{view}");
    house.note("/", "three").await;
    house.ok(&["restore", "sandbox", "live", id]).await;
    assert_eq!(house.notes("/").await, ["one"]);

    let none = "20200101T000000Z-0000";
    let said = house.refused(&["restore", "sandbox", "live", none]).await;
    assert!(said.contains("neither a snapshot nor a backup"), "{said}");
    // It is of live.
    let said = house.refused(&["restore", "sandbox", "dev", id]).await;
    assert!(said.contains("neither a snapshot nor a backup"), "{said}");
}

#[tokio::test]
async fn a_damaged_database_is_told_and_so_is_that_there_are_no_backups() {
    let (_folder, house) = house().await;
    house.note("/", "one").await;
    let live = house
        .gateway
        .state_dir()
        .join("sandboxes/sandbox/sandbox-live");
    fs::write(live.join("broken.db"), b"SQLite format 3\0and nothing else").unwrap();
    let said = house.refused(&["backup"]).await;
    assert!(said.contains("broken.db is damaged"), "{said}");
    assert_eq!(house.ok(&["backups"]).await[0]["damaged"], 1);

    let house = Workspace::start().await;
    let said = house.refused(&["backup"]).await;
    assert!(said.contains("runtime.backups_dir is not set"), "{said}");
}

/// The root helper's command.
fn order(folder: &Path, order: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hypervisor"));
    command.args(["volume", "--sandbox", "live", order]);
    command.arg("--folder").arg(folder.join("volumes"));
    command.arg("--backups").arg(folder.join("backups"));
    command
}

fn done(folder: &Path, what: &str) -> Output {
    order(folder, what).output().unwrap()
}

#[test]
fn a_backup_that_is_killed_leaves_no_half_one() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("volumes/live");
    for number in 0..2000 {
        let sub = live.join(format!("{}", number % 20));
        fs::create_dir_all(&sub).unwrap();
        fs::write(sub.join(format!("{number}")), vec![7; 2000]).unwrap();
    }
    let mut killed = 0;
    for round in 0..12 {
        let mut command = order(folder.path(), "backup");
        let mut run = command.stdout(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(5 + round * 25));
        run.kill().unwrap();
        killed += usize::from(!run.wait().unwrap().success());
        let listed = done(folder.path(), "backups");
        assert!(listed.status.success());
        let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
        for backup in listed["ok"].as_array().unwrap() {
            assert_eq!(backup["files"], 2000);
        }
    }
    assert!(killed > 0);
    let last = done(folder.path(), "backup");
    assert!(
        last.status.success(),
        "{}",
        String::from_utf8_lossy(&last.stderr)
    );
    let names = |path: &str| {
        let names = fs::read_dir(folder.path().join(path)).unwrap();
        let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
        names.collect::<Vec<_>>()
    };
    let unfinished = |name: &String| name.contains(".part") || name.contains(".gone");
    assert!(!names("backups").iter().any(unfinished));
    assert_eq!(names("volumes/.snapshots/live"), ["lock"]);
    let copy = names("backups/latest/data/7");
    assert_eq!(copy.len(), 100);
}

#[test]
fn databases_are_checked_as_their_owner_where_root_asks() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("volumes/live");
    fs::create_dir_all(&live).unwrap();
    let made = "PRAGMA journal_mode = wal; CREATE TABLE notes(text); INSERT INTO notes VALUES (1);";
    let database = rusqlite::Connection::open(live.join("notes.db")).unwrap();
    database.execute_batch(made).unwrap();
    if rustix::process::geteuid().is_root() {
        // Whoever has it must come to it.
        let open = |path: &Path| fs::set_permissions(path, PermissionsExt::from_mode(0o711));
        open(folder.path()).unwrap();
        for name in ["", "notes.db", "notes.db-wal"] {
            std::os::unix::fs::chown(live.join(name), Some(61_234), Some(61_234)).unwrap();
        }
    }
    // A folder that is named from where one is, too.
    let mut command = Command::new(env!("CARGO_BIN_EXE_hypervisor"));
    command.args(["volume", "--sandbox", "live", "--folder", "volumes"]);
    command.args(["--backups", "backups", "backup"]);
    let output = command.current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checked = serde_json::json!([{ "file": "notes.db" }]);
    assert_eq!(said["ok"]["databases"], checked);
}

#[test]
fn an_order_without_a_folder_for_backups_says_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("volumes/live")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hypervisor"));
    command.args(["volume", "--sandbox", "live", "backup"]);
    command.arg("--folder").arg(folder.path().join("volumes"));
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no folder for backups is given"), "{said}");
}
