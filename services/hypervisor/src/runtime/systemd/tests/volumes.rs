//! What is asked of the unit that copies volumes, and what is made of its results.

use super::host::Host;
use crate::runtime::{Reason, RuntimeError, Sandbox, Snapshot, SnapshotId, Status};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

const ID: &str = "20260131T235959Z-1f2e";
const ASIDE: &str = "20260201T000000Z-0000";

fn id(text: &str) -> SnapshotId {
    text.parse().unwrap()
}

fn made(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","at":1,"reason":"asked","bytes":2,"files":3,"frozen_ms":4.5,"shares_blocks":true,"left_out":0}}"#
    )
}

/// Writes a result as the unit does: a new file in the old one's place.
fn write(results: &PathBuf, order: &str, said: &str) -> io::Result<()> {
    fs::create_dir_all(results)?;
    fs::write(results.join("new"), said)?;
    fs::rename(results.join("new"), results.join(format!("{order}.json")))
}

fn order_of(unit: &str) -> &str {
    let order = unit.strip_prefix("choiros-volume-sandbox-live@");
    order.and_then(|it| it.strip_suffix(".service")).unwrap()
}

/// A host whose unit says this.
async fn saying(said: impl Fn(&str) -> String + Send + 'static) -> (Host, Arc<Sandbox>) {
    let host = Host::with_orders("inactive").await;
    let results = host.results();
    host.on_order(move |unit| {
        let order = order_of(unit);
        let said = said(order);
        write(&results, order, &said)?;
        if said.contains("error") {
            return Err(io::Error::other("it exits with 1"));
        }
        Ok(())
    });
    let sandbox = host.sandbox();
    (host, sandbox)
}

#[tokio::test]
async fn each_order_is_a_unit_and_its_result_is_read() {
    let (host, sandbox) = saying(|order| match order.split(':').next() {
        Some("list") => format!(r#"{{"ok":[{},{}]}}"#, made(ID), made(ASIDE)),
        Some("prune") => format!(r#"{{"ok":["{ASIDE}"]}}"#),
        Some("snapshot") => format!(r#"{{"ok":{}}}"#, made(ID)),
        Some("replace" | "put-back") => format!(r#"{{"ok":{}}}"#, made(ASIDE)),
        _ => r#"{"ok":null}"#.to_owned(),
    })
    .await;
    let (first, aside) = (id(ID), id(ASIDE));
    sandbox.recover_volume().await.unwrap();
    sandbox.prepare_snapshot(&first).await.unwrap();
    let snapshot = sandbox.snapshot(&first, Reason::Promote).await.unwrap();
    assert_eq!(snapshot.id, first);
    let Snapshot { bytes, files, .. } = snapshot;
    assert_eq!((bytes, files), (2, 3));
    let replaced = sandbox.replace_volume(&sandbox, &first, &aside);
    assert_eq!(replaced.await.unwrap().id, aside);
    let put_back = sandbox.put_back(&first, &aside).await.unwrap();
    assert_eq!(put_back.id, aside);
    let all = sandbox.snapshots().await.unwrap();
    assert_eq!(all.len(), 2);
    // What is held and not there takes no room in a unit's name.
    let held = [first.clone(), id("20200101T000000Z-0000")];
    let pruned = sandbox.prune_snapshots(&held).await.unwrap();
    assert_eq!(pruned, [aside]);
    sandbox.remove_snapshot(&first).await.unwrap();
    let orders: Vec<_> = host
        .calls()
        .iter()
        .map(|call| order_of(call.strip_prefix("start ").unwrap()).to_owned())
        .collect();
    assert_eq!(
        orders,
        [
            "recover".to_owned(),
            format!("prepare:{ID}"),
            format!("snapshot:{ID}:promote"),
            format!("replace:sandbox-live:{ID}:{ASIDE}"),
            format!("put-back:{ID}:{ASIDE}"),
            "list".to_owned(),
            "list".to_owned(),
            format!("prune:{ID}"),
            format!("remove:{ID}"),
        ]
    );
}

#[tokio::test]
async fn what_went_wrong_is_told_in_the_units_own_words() {
    for (code, expected) in [
        (r#","code":"no_room""#, "NoRoom(\"why\")"),
        (r#","code":"no_snapshot""#, "NoSnapshot(\"why\")"),
        (r#","code":"volume""#, "Volume(\"why\")"),
        ("", "Volume(\"why\")"),
    ] {
        let (_host, sandbox) = saying(move |_| format!(r#"{{"error":"why"{code}}}"#)).await;
        let error = sandbox.snapshots().await.unwrap_err();
        assert_eq!(format!("{error:?}"), expected);
    }
}

#[tokio::test]
async fn a_result_of_an_order_before_is_not_taken_for_this_ones() {
    let (host, sandbox) = saying(|_| r#"{"ok":[]}"#.to_owned()).await;
    sandbox.snapshots().await.unwrap();
    host.on_order(|_| Ok(()));
    let error = sandbox.snapshots().await.unwrap_err().to_string();
    assert!(error.contains("left no result"), "{error}");
    host.on_order(|_| Err(io::Error::other("no")));
    let error = sandbox.snapshots().await.unwrap_err().to_string();
    let journal = "`journalctl -u choiros-volume-sandbox-live@list.service`";
    assert!(error.contains(journal), "{error}");
    host.denies.store(true, Ordering::Relaxed);
    let error = sandbox.snapshots().await.unwrap_err().to_string();
    assert!(error.contains("by a polkit rule"), "{error}");
    let results = host.results();
    host.denies.store(false, Ordering::Relaxed);
    host.on_order(move |unit| write(&results, order_of(unit), "{"));
    let error = sandbox.snapshots().await.unwrap_err().to_string();
    assert!(error.contains("cannot read the result"), "{error}");
}

#[tokio::test]
async fn many_who_ask_for_the_same_each_get_a_result_of_their_own() {
    let (host, sandbox) = saying(|_| r#"{"ok":[]}"#.to_owned()).await;
    let all = (0..8).map(|_| sandbox.snapshots());
    for all in futures_util::future::join_all(all).await {
        all.unwrap();
    }
    assert_eq!(host.calls().len(), 8);
}

#[tokio::test]
async fn a_volume_is_replaced_under_nothing_that_runs() {
    let (host, sandbox) = saying(|_| format!(r#"{{"ok":{}}}"#, made(ASIDE))).await;
    sandbox.ready().await.unwrap();
    let error = sandbox.put_back(&id(ID), &id(ASIDE)).await.unwrap_err();
    assert!(error.to_string().contains("stop it first"), "{error}");
    assert_eq!(host.calls(), ["start"]);

    // Nor under one that was not seen yet.
    let host = Host::with_orders("active").await;
    let sandbox = host.sandbox();
    assert_eq!(sandbox.view().status, Status::Stopped);
    let error = sandbox.put_back(&id(ID), &id(ASIDE)).await.unwrap_err();
    assert!(error.to_string().contains("stop it first"), "{error}");
    assert!(host.calls().is_empty());
}

#[tokio::test]
async fn a_host_without_the_unit_copies_no_volumes() {
    let host = Host::new("inactive").await;
    let sandbox = host.sandbox();
    let error = sandbox.snapshots().await.unwrap_err();
    assert!(matches!(error, RuntimeError::Unsupported(_)), "{error:?}");
    assert!(error.to_string().contains("runtime.volume_unit"), "{error}");
    sandbox.recover_volume().await.unwrap();
    assert!(host.calls().is_empty());
}

#[tokio::test]
async fn backups_are_orders_as_well() {
    let backup = format!(
        r#"{{"id":"{ID}","at":1,"bytes":2,"files":3,"new_bytes":2,"left_out":0,"frozen_ms":4.5,"databases":[{{"file":"a.db","fault":"is damaged"}}]}}"#
    );
    let (_host, sandbox) = saying(move |order| match order.split(':').next() {
        Some("backup") => format!(r#"{{"ok":{backup}}}"#),
        Some("backups") => format!(r#"{{"ok":[{backup}]}}"#),
        Some("import") => format!(r#"{{"ok":{}}}"#, made(ASIDE)),
        _ => r#"{"error":"another order","code":"volume"}"#.to_owned(),
    })
    .await;
    let made = sandbox.back_up(&id(ID)).await.unwrap();
    assert_eq!((&made.id, made.is_whole()), (&id(ID), false));
    assert_eq!(sandbox.backups().await.unwrap().len(), 1);
    let imported = sandbox.import_backup(&id(ID), &id(ASIDE)).await.unwrap();
    assert_eq!(imported.id, id(ASIDE));
}

#[tokio::test]
async fn a_volume_is_mended_after_what_still_replaces_it() {
    for late in [
        "choiros-volume-sandbox-live@replace:sandbox-dev:20260131T235959Z-1f2e:20260201T000000Z-0000.service",
        "choiros-volume-sandbox-live@put-back:20260131T235959Z-1f2e:20260201T000000Z-0000.service",
    ] {
        let done: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&done);
        let (host, sandbox) = saying(move |order| {
            seen.lock().unwrap().push(order.to_owned());
            r#"{"ok":null}"#.to_owned()
        })
        .await;
        *host.late.lock().unwrap() = Some(late);
        sandbox.recover_volume().await.unwrap();
        assert_eq!(*done.lock().unwrap(), [order_of(late), "recover"]);
    }
}
