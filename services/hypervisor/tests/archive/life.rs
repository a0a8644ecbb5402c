//! Without accidents.

use super::world::{World, files};
use hypervisor::role::Role;
use hypervisor::routes::{ArchiveError, Host, RemoveError, SwapError, SwapOrder};
use hypervisor::store::{ArchiveState, MemberStore as _};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_is_gone_and_what_they_wrote_can_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let (admin, _) = world.settle("admin").await;
    let (ada, workspace, written) = world.ada().await;
    workspace.pair().live.sandbox.start().await.unwrap();
    let written = [files(&world.volume("ada", Role::Live)), written[1].clone()];
    let removed = world.routes.remove_user(ada.id, "test").await.unwrap();
    assert_eq!(removed.archived, ["ada"]);
    assert!(removed.under_way.is_empty());
    let routes = &world.routes;
    assert!(routes.named("ada").is_none() && routes.of(ada.id).is_none());
    assert!(matches!(routes.host("ada.localhost"), Host::Unknown));
    // Whoever still knows it can do nothing with it.
    assert!(routes.claim(&workspace, Role::Live, None).await.is_err());
    assert!(routes.start(&workspace, Role::Dev).await.is_err());
    let swapped = routes.swap(&workspace, SwapOrder::default(), "test").await;
    assert!(matches!(swapped, Err(SwapError::InProgress)));
    assert!(workspace.pair().live.sandbox.start().await.is_err());
    assert!(!world.data_dir().join("ada").exists());
    let kept = world.kept().await;
    assert_eq!(
        (&*kept.workspace, &*kept.members),
        ("ada", &["ada".to_owned()][..])
    );
    assert!(kept.bytes > 0 && kept.delete_at.is_some());
    let archived = world.archived(&kept.id);
    for (name, bytes) in &written[0] {
        if name.starts_with("deep") {
            assert_eq!(archived[0].get(name), Some(bytes), "{name}");
        }
    }
    assert_eq!(archived[1], written[1]);
    world.next_finds_nothing("ada").await;
    let gone = routes.remove_user(ada.id, "test").await;
    assert!(matches!(gone, Err(RemoveError::NoUser)));

    let refused = routes.restore_archive(&kept.id, "nobody", "test").await;
    assert!(matches!(refused, Err(ArchiveError::NoUser { .. })));
    let back = routes.restore_archive(&kept.id, "admin", "test").await;
    assert_eq!(back.unwrap().workspace, "ada-2");
    let restored = routes.named("ada-2").unwrap();
    assert!(routes.is_member(admin.id, &restored));
    assert_eq!(&*routes.of(admin.id).unwrap().name, "admin");
    assert_eq!(files(&world.volume("ada-2", Role::Live)), archived[0]);
    assert_eq!(files(&world.volume("ada-2", Role::Dev)), archived[1]);
    assert_eq!(routes.releases(&restored).await.unwrap().len(), 2);
    assert_eq!(restored.pair().dev.sandbox.release(), 2);
    restored.pair().live.sandbox.start().await.unwrap();
    world.no_archive().await;
    let again = routes.restore_archive(&kept.id, "admin", "test").await;
    assert!(matches!(again, Err(ArchiveError::NoArchive { .. })));
    world.runtime.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_share_stays_and_what_is_deleted_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let (admin, _) = world.settle("admin").await;
    let (ada, workspace, _) = world.ada().await;
    world.routes.join(&workspace, admin.id).await.unwrap();
    let removed = world.routes.remove_user(ada.id, "test").await.unwrap();
    assert!(removed.archived.is_empty());
    assert_eq!(world.routes.members(&workspace), [admin.id]);
    assert_eq!(&*world.routes.named("ada").unwrap().name, "ada");
    let bob = world.settle("bob").await.0;
    world.store.join("ada", bob.id).unwrap();
    drop(world);
    let world = World::open(folder.path()).await;
    world.routes.remove_user(admin.id, "test").await.unwrap();
    let removed = world.routes.remove_user(bob.id, "test").await.unwrap();
    assert_eq!(removed.archived.len(), 2, "{removed:?}");
    for archive in world.routes.archives().await.unwrap() {
        assert_eq!(archive.state, ArchiveState::Kept);
        let deleted = world.routes.delete_archive(&archive.id, "test").await;
        deleted.unwrap();
        let again = world.routes.delete_archive(&archive.id, "test").await;
        assert!(matches!(again, Err(ArchiveError::NoArchive { .. })));
    }
    world.no_archive().await;
    let backups = fs::read_dir(folder.path().join("backups/ada/ada-live/.archived"));
    assert_eq!(backups.unwrap().count(), 0);
}
