//! What an operator does to the store, and a swap that is watched.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::{builder, sides};
use serde_json::Value;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::wait::eventually;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

async fn users(gateway: &Hypervisor) -> usize {
    let users = gateway.cli(&["users", "--json"]).await.unwrap();
    let users: Vec<Value> = serde_json::from_slice(&users.stdout).unwrap();
    users.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_store_in_use_restores_to_a_store_that_serves() {
    let mut gateway = builder().start().await.unwrap();
    Person::register(&gateway, "alice").await.unwrap();
    let (client, written) = (gateway.client(), Arc::new(AtomicUsize::new(1)));
    let counted = written.clone();
    let writer = tokio::spawn(async move {
        for n in 0.. {
            client.clear_cookies();
            Person::register_with(client.clone(), &format!("user-{n}"))
                .await
                .unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let busy = async || (written.load(Ordering::SeqCst) > 10).then_some(());
    eventually("writes", busy).await.unwrap();
    let copy = gateway.state_dir().join("copy.db");
    let copy = copy.to_str().unwrap();
    let mut before = 0;
    for _ in 0..5 {
        before = written.load(Ordering::SeqCst);
        let backup = gateway.cli(&["backup", "--to", copy]).await.unwrap();
        assert!(backup.status.success(), "{}", said(&backup));
    }
    writer.abort();
    let _ = writer.await;

    let refused = gateway.cli(&["restore", "--from", copy]).await.unwrap();
    assert!(
        said(&refused).contains("stop it first"),
        "{}",
        said(&refused)
    );
    gateway.sigterm().unwrap();
    gateway.wait_exit().await.unwrap();
    let store = gateway.state_dir().join("hypervisor.db");
    std::fs::write(&store, vec![7; 40_000]).unwrap();
    let restored = gateway.cli(&["restore", "--from", copy]).await.unwrap();
    assert!(restored.status.success(), "{}", said(&restored));
    gateway.restart().await.unwrap();
    assert!(users(&gateway).await >= before);
    let kept = std::fs::read(gateway.state_dir().join("hypervisor.db.before-restore"));
    assert_eq!(kept.unwrap(), vec![7; 40_000]);
}

#[tokio::test]
async fn a_copy_that_is_no_store_is_not_restored() {
    let mut gateway = builder().start().await.unwrap();
    Person::register(&gateway, "alice").await.unwrap();
    gateway.sigterm().unwrap();
    gateway.wait_exit().await.unwrap();
    let copy = gateway.state_dir().join("copy.db");
    for bytes in [vec![], vec![7; 40_000]] {
        std::fs::write(&copy, bytes).unwrap();
        let refused = gateway
            .cli(&["restore", "--from", copy.to_str().unwrap()])
            .await
            .unwrap();
        assert!(!refused.status.success(), "{}", said(&refused));
    }
    gateway.restart().await.unwrap();
    assert_eq!(users(&gateway).await, 1);
}

#[tokio::test]
async fn the_operator_is_told_what_is_wrong_with_the_store_and_a_user_is_not() {
    let gateway = builder().start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    let store = gateway.state_dir().join("hypervisor.db");
    let held = rusqlite::Connection::open(&store).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let nothing = serde_json::json!({});
    let (invite, logout) = tokio::join!(
        gateway.cli(&["invite"]),
        person.client.post_json("/auth/logout", &nothing),
    );
    let why = said(&invite.unwrap());
    assert!(why.contains("end what holds it"), "{why}");
    assert!(!why.contains("tell the operator"), "{why}");
    let told = logout.unwrap().text();
    assert!(told.contains("tell the operator"), "{told}");
    assert!(!told.contains("sqlite3"), "{told}");
    drop(held);
    let invite = gateway.cli(&["invite"]).await.unwrap();
    assert!(invite.status.success(), "{}", said(&invite));
}

#[tokio::test]
async fn a_broken_seal_is_told_by_health_and_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let seal = folder.path().join("state");
    let gateway = builder()
        .env("HYPERVISOR_RUNTIME_SEAL_FILE", seal.to_str().unwrap())
        .start()
        .await
        .unwrap();
    let client = gateway.client();
    let health = async || {
        let response = client.get("/health?deep").await.unwrap();
        (response.status.as_u16(), response.text())
    };
    let metric = async || client.get("/metrics").await.unwrap().text();
    let (status, text) = health().await;
    assert_eq!(status, 503, "{text}");
    assert!(metric().await.contains("\nchoiros_sealed 0\n"));
    std::fs::write(&seal, "the table is gone\n").unwrap();
    let (status, text) = health().await;
    assert!(
        status == 503 && text.contains("the table is gone"),
        "{text}"
    );
    assert_eq!(
        client.get("/health").await.unwrap().status,
        200,
        "it serves"
    );
    std::fs::write(&seal, "sealed\n").unwrap();
    assert_eq!(health().await.0, 200);
    assert!(metric().await.contains("\nchoiros_sealed 1\n"));
}

#[tokio::test]
async fn a_store_that_a_gateway_uses_is_not_restored_also_when_its_socket_is_gone() {
    let gateway = builder().start().await.unwrap();
    let copy = gateway.state_dir().join("copy.db");
    let copy = copy.to_str().unwrap();
    let backup = gateway.cli(&["backup", "--to", copy]).await.unwrap();
    assert!(backup.status.success(), "{}", said(&backup));
    std::fs::remove_file(gateway.state_dir().join("control.sock")).unwrap();
    let refused = gateway.cli(&["restore", "--from", copy]).await.unwrap();
    assert!(!refused.status.success());
    let why = said(&refused);
    assert!(why.contains("in use by hypervisor serve (pid"), "{why}");
    assert!(why.contains("stop it first"), "{why}");
    assert!(
        !gateway
            .state_dir()
            .join("hypervisor.db.before-restore")
            .exists()
    );
}

#[tokio::test]
async fn a_gateway_that_is_started_in_the_midst_of_a_restore_waits_for_its_end() {
    let mut gateway = builder().start().await.unwrap();
    gateway.sigterm().unwrap();
    gateway.wait_exit().await.unwrap();
    let path = gateway.state_dir().join("hypervisor.db.lock");
    let lock = std::fs::File::options().write(true).open(&path).unwrap();
    lock.lock().unwrap();
    std::fs::write(&path, "hypervisor restore (pid 1)").unwrap();
    gateway.respawn().await.unwrap();
    let waits = async || {
        gateway
            .process()
            .transcript()
            .contains("the store is in use")
            .then_some(())
    };
    eventually("the gateway to wait", waits).await.unwrap();
    let client = gateway.client();
    let early = tokio::spawn(async move { client.get("/health").await });
    drop(lock);
    assert_eq!(early.await.unwrap().unwrap().status, 200, "it waited, too");
    gateway.healthy().await.unwrap();
}

async fn generation_and_live(gateway: &Hypervisor) -> (u64, String) {
    let rows = gateway.cli(&["sandboxes", "--json"]).await.unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&rows.stdout).unwrap();
    let live = rows.iter().find(|row| row["role"] == "live").unwrap();
    let name = live["sandbox"].as_str().unwrap().to_owned();
    (live["generation"].as_u64().unwrap(), name)
}

#[tokio::test]
async fn a_swap_on_probation_is_taken_back_when_live_falls_ill() {
    let (_live, dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let probation = ["swap", "--probation", "60"];
    let swap = gateway.cli(&probation);
    let falls_ill = async {
        let swapped = async || (generation_and_live(&gateway).await.0 == 2).then_some(());
        eventually("the swap", swapped).await.unwrap();
        dev.set_healthy(false);
    };
    let (swap, ()) = tokio::join!(swap, falls_ill);
    let swap = swap.unwrap();
    assert_eq!(swap.status.code(), Some(1));
    assert!(
        said(&swap).contains("taken back, and sandbox-live is live again"),
        "{}",
        said(&swap)
    );
    let live_again = (3, "sandbox-live".to_owned());
    assert_eq!(generation_and_live(&gateway).await, live_again);
}

#[tokio::test]
async fn a_swap_stays_when_live_is_healthy_on_probation() {
    let (_live, _dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let swap = gateway.cli(&["swap", "--probation", "1"]).await.unwrap();
    assert!(swap.status.success(), "{}", said(&swap));
    let swapped = (2, "sandbox-dev".to_owned());
    assert_eq!(generation_and_live(&gateway).await, swapped);
}

#[tokio::test]
async fn copies_of_the_store_are_numbered_and_the_old_ones_go() {
    let gateway = builder().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copies = folder.path().to_str().unwrap();
    // Of before there were numbers, of a run that was killed, and somebody else's.
    let old = folder.path().join("hypervisor.20200101T000000Z.db");
    let part = folder
        .path()
        .join("hypervisor.000009.20200101T000000Z.db.part");
    let other = folder.path().join("other.db");
    for file in [&old, &part, &other] {
        std::fs::write(file, "").unwrap();
    }
    let rule = ["--keep-last", "2", "--keep-daily", "0"];
    for _ in 0..4 {
        let args = [&["backup", "--into", copies][..], &rule].concat();
        let backup = gateway.cli(&args).await.unwrap();
        assert!(backup.status.success(), "{}", said(&backup));
    }
    let left = std::fs::read_dir(folder.path()).unwrap();
    let mut left: Vec<_> = left
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left[0].starts_with("hypervisor.000003."), "{left:?}");
    assert!(left[1].starts_with("hypervisor.000004."), "{left:?}");
    assert_eq!(left[2], "other.db");
    let both = ["backup", "--into", copies, "--to", "x"];
    assert!(!gateway.cli(&both).await.unwrap().status.success());
}
