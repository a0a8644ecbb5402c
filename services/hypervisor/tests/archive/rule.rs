//! Archives are deleted when they are due, and by no clock that is ahead for a while.

use super::world::{World, eventually};
use hypervisor::auth::Auth;
use hypervisor::store::{ArchiveState, MetaStore as _};
use std::sync::Arc;
use std::time::Duration;

/// The year 2100.
const FAR: i64 = 4_102_444_800_000;

async fn with_rule(world: &World) -> Arc<Auth> {
    let auth = Auth::open(&world.config, world.store.clone()).await;
    let auth = auth.unwrap();
    world.routes.delete_archives_in_time(&auth);
    auth
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_by_every_clock_is_deleted_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open_with(folder.path(), |config| config.runtime.archive_days = 0).await;
    let (ada, ..) = world.ada().await;
    world.routes.remove_user(ada.id, "test").await.unwrap();
    assert_eq!(world.kept().await.delete_at, None);
    drop(world);
    let world = World::open(folder.path()).await;
    let (bob, _) = world.settle("bob").await;
    world.routes.remove_user(bob.id, "test").await.unwrap();
    // The clock is said to be in 2100, now and in this period of running, but not in the one before.
    let say = |before: i64| {
        let text = format!("{before} {FAR} {FAR} 0");
        world.store.set_meta("clock_readings", &text).unwrap();
    };
    say(1_700_000_000_000);
    let auth = with_rule(&world).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.routes.archives().await.unwrap().len(), 2);
    drop(auth);
    say(FAR);
    let _auth = with_rule(&world).await;
    let one_left = async || {
        let archives = world.routes.archives().await.unwrap();
        (archives.len() == 1).then_some(archives)
    };
    let left = eventually("what is due is deleted", one_left).await;
    assert_eq!((&*left[0].workspace, left[0].delete_at), ("ada", None));
    assert_eq!(left[0].state, ArchiveState::Kept);
}
