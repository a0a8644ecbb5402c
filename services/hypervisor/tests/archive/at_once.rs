//! In the midst of something else.

use super::world::{World, files};
use hypervisor::role::Role;
use hypervisor::routes::{MemberError, PromoteOrder, RemoveError};
use hypervisor::runtime::Status;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A release that runs this before and as the sandbox, which is `$0`.
fn script(text: &str) -> Vec<String> {
    let sandbox = Path::new(env!("CARGO_BIN_EXE_hypervisor")).with_file_name("sandbox");
    let sandbox = sandbox.to_str().unwrap();
    ["/bin/sh", "-c", text, sandbox].map(str::to_owned).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_remove_somebody_at_once_remove_them_once() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let (ada, _, written) = world.ada().await;
    let (one, other) = tokio::join!(
        world.routes.remove_user(ada.id, "one"),
        world.routes.remove_user(ada.id, "other")
    );
    let (done, refused) = if one.is_ok() {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(done.unwrap().archived, ["ada"]);
    assert!(
        matches!(
            refused,
            Err(RemoveError::NoUser | RemoveError::InProgress { .. })
        ),
        "{refused:?}"
    );
    let kept = world.kept().await;
    assert_eq!(world.archived(&kept.id), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_last_two_who_leave_at_once_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let (ada, workspace) = world.settle("ada").await;
    let (bob, _) = world.settle("bob").await;
    let routes = &world.routes;
    routes.join(&workspace, bob.id).await.unwrap();
    let (one, other) = tokio::join!(
        routes.leave(&workspace, ada.id),
        routes.leave(&workspace, bob.id)
    );
    let refusals: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert!(
        matches!(refusals[..], [MemberError::LastMember { .. }]),
        "{refusals:?}"
    );
    assert_eq!(routes.members(&workspace).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_joins_a_workspace_that_is_on_its_way_to_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let (ada, workspace, written) = world.ada().await;
    let (bob, own) = world.settle("bob").await;
    let routes = &world.routes;
    // It is on its way for as long as this is in the way.
    let archives = world.data_dir().join(".archives");
    fs::write(&archives, "").unwrap();
    let (removed, ()) = tokio::join!(routes.remove_user(ada.id, "test"), async {
        while routes.named("ada").is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let refused = routes.join(&workspace, bob.id).await;
        fs::remove_file(&archives).unwrap();
        assert!(
            matches!(refused, Err(MemberError::NoWorkspace { .. })),
            "{refused:?}"
        );
    });
    assert_eq!(removed.unwrap().archived, ["ada"]);
    let theirs = routes.workspaces_of(bob.id);
    assert_eq!(theirs.len(), 1);
    assert_eq!(theirs[0].name, own.name);
    let kept = world.kept().await;
    assert_eq!(world.archived(&kept.id), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_ignores_its_end_ends() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let (ada, workspace, _) = world.ada().await;
    let stubborn = script("trap '' TERM; \"$0\" & while :; do sleep 1; done");
    let env = BTreeMap::new();
    let added = world.routes.add_release(&workspace, stubborn, env, "ada");
    added.await.unwrap();
    let dev = workspace.pair().dev.sandbox.clone();
    dev.start().await.unwrap();
    world.routes.remove_user(ada.id, "test").await.unwrap();
    world.kept().await;
    assert_eq!(dev.view().status, Status::Stopped);
    world.next_finds_nothing("ada").await;
    world.runtime.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_is_over_first_or_the_removal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let (ada, workspace, written) = world.ada().await;
    for (secs, is_refused) in [("8", true), ("1", false)] {
        let slow = script(&format!("sleep {secs}; exec \"$0\""));
        let env = BTreeMap::new();
        let added = world.routes.add_release(&workspace, slow, env, "ada");
        added.await.unwrap();
        workspace.pair().live.sandbox.start().await.unwrap();
        let order = PromoteOrder {
            rehearse: false,
            ..PromoteOrder::default()
        };
        let promotion = world.routes.promote(&workspace, order, "ada");
        let removal = async {
            // Until it is at work: the old one is stopped for it.
            while workspace.pair().live.sandbox.view().status == Status::Running {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            world.routes.remove_user(ada.id, "test").await
        };
        let (promoted, removed) = tokio::join!(promotion, removal);
        let promoted = promoted.unwrap();
        match removed {
            Err(RemoveError::InProgress { workspace }) if is_refused => {
                assert_eq!(workspace, "ada");
                assert!(world.routes.named("ada").is_some());
            }
            Ok(removed) if !is_refused => {
                assert_eq!(removed.archived, ["ada"]);
                let kept = world.kept().await;
                let live = &world.archived(&kept.id)[0];
                for (name, bytes) in &written[0] {
                    assert_eq!(live.get(name), Some(bytes), "{name}");
                }
            }
            removed => panic!("{secs} s: {removed:?} {promoted}"),
        }
    }
    assert!(files(&world.volume("ada", Role::Live)).is_empty());
    world.runtime.shutdown().await;
}
