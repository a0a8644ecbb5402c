//! The program is killed at each step of a removal, a restore and a deletion, and the next one
//! finishes it, with every byte.

use super::world::{Files, World, files};
use hypervisor::role::Role;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const PLACE: &str = "ARCHIVE_PLACE";
const DO: &str = "ARCHIVE_DO";

const REMOVAL: [&str; 5] = [
    "removal_stored",
    "removal_stopped",
    "removal_archived_live",
    "removal_archived_dev",
    "removal_archived",
];
const RESTORE: [&str; 5] = [
    "restore_stored",
    "restore_brought_live",
    "restore_brought_dev",
    "restore_restored",
    "deletion_removed",
];
const DELETION: [&str; 2] = ["deletion_stored", "deletion_removed"];

/// What is killed.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let (Ok(place), Ok(what)) = (std::env::var(PLACE), std::env::var(DO)) else {
        return;
    };
    let world = World::open(Path::new(&place)).await;
    let (verb, of) = what.split_once(' ').unwrap();
    match verb {
        "remove" => {
            let user = of.parse().unwrap();
            let removed = world.routes.remove_user(user, "test").await;
            removed.unwrap();
        }
        "restore" => {
            let restored = world.routes.restore_archive(of, "admin", "test").await;
            restored.unwrap();
            // Until nothing of it is left, which a step may be in.
            world.no_archive().await;
        }
        "delete" => world.routes.delete_archive(of, "test").await.unwrap(),
        _ => panic!("{what}"),
    }
}

/// A place with Ada and an admin; its archives are on another file system every other time.
async fn place(apart: bool) -> (TempDir, Option<TempDir>, uuid::Uuid, [Files; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = apart.then(|| {
        let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::create_dir(folder.path().join("sandboxes")).unwrap();
        symlink(elsewhere.path(), folder.path().join("sandboxes/.archives")).unwrap();
        elsewhere
    });
    let world = World::open(folder.path()).await;
    world.settle("admin").await;
    let (ada, _, written) = world.ada().await;
    (folder, elsewhere, ada.id, written)
}

async fn killed_at(step: &str, folder: &Path, what: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "kills::child", "--nocapture"])
        .env(PLACE, folder)
        .env(DO, what)
        .env("FAIL_POINT", step);
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = run.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let by_kill = output.status.signal().is_some();
    assert!(by_kill, "{step}: not killed: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_is_finished_and_the_next_finds_nothing() {
    if std::env::var(PLACE).is_ok() {
        return;
    }
    for (at, step) in REMOVAL.into_iter().enumerate() {
        for apart in [at % 2 == 0, at % 2 == 1] {
            let (folder, _elsewhere, ada, written) = place(apart).await;
            killed_at(step, folder.path(), &format!("remove {ada}")).await;
            let world = World::open(folder.path()).await;
            let kept = world.kept().await;
            assert_eq!(world.archived(&kept.id), written, "{step}");
            assert!(world.routes.named("ada").is_none(), "{step}");
            world.next_finds_nothing("ada").await;
            world.runtime.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_finished_with_every_byte() {
    if std::env::var(PLACE).is_ok() {
        return;
    }
    for (at, step) in RESTORE.into_iter().enumerate() {
        for apart in [at % 2 == 0, at % 2 == 1] {
            let (folder, _elsewhere, ada, written) = place(apart).await;
            let world = World::open(folder.path()).await;
            world.routes.remove_user(ada, "test").await.unwrap();
            let id = world.kept().await.id;
            drop(world);
            killed_at(step, folder.path(), &format!("restore {id}")).await;
            let world = World::open(folder.path()).await;
            world.no_archive().await;
            let restored = world.routes.named("ada").expect(step);
            assert_eq!(restored.pair().generation(), 3, "{step}");
            for (role, files_of) in [Role::Live, Role::Dev].into_iter().zip(&written) {
                assert_eq!(files(&world.volume("ada", role)), *files_of, "{step}");
            }
            let releases = world.routes.releases(&restored).await.unwrap();
            assert_eq!(releases.len(), 2, "{step}");
            restored.pair().live.sandbox.start().await.unwrap();
            world.runtime.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_finished() {
    if std::env::var(PLACE).is_ok() {
        return;
    }
    for step in DELETION {
        let (folder, _elsewhere, ada, _) = place(false).await;
        let world = World::open(folder.path()).await;
        world.routes.remove_user(ada, "test").await.unwrap();
        let id = world.kept().await.id;
        drop(world);
        killed_at(step, folder.path(), &format!("delete {id}")).await;
        World::open(folder.path()).await.no_archive().await;
    }
}
