//! What a sandbox uses: from its control group, and of the disk by an order.

use super::host::Host;
use crate::runtime::{Consumption, Sandbox, Usage};
use std::fs;
use std::sync::Arc;

/// A host whose kernel and whose unit say something.
async fn saying(said: &'static str) -> (Host, Arc<Sandbox>) {
    let host = Host::with_orders("inactive").await;
    let group = host.cgroup();
    fs::create_dir_all(&group).unwrap();
    for (file, text) in [
        ("cpu.stat", "usage_usec 1500000\n"),
        ("memory.current", "4096\n"),
        ("memory.max", "8192\n"),
        ("pids.current", "3\n"),
        ("pids.max", "max\n"),
    ] {
        fs::write(group.join(file), text).unwrap();
    }
    let results = host.results();
    host.on_order(move |_| {
        fs::create_dir_all(&results)?;
        fs::write(results.join("new"), said)?;
        fs::rename(results.join("new"), results.join("usage.json"))
    });
    let sandbox = host.sandbox();
    (host, sandbox)
}

const USAGE: &str = "start choiros-volume-sandbox-live@usage.service";

#[tokio::test]
async fn the_disk_is_looked_at_for_whoever_looks_at_one_and_once_a_minute_at_most() {
    let (host, sandbox) =
        saying(r#"{"ok":{"bytes":5,"max_bytes":10,"files":2,"max_files":null}}"#).await;
    let all = [Arc::clone(&sandbox)];
    assert_eq!(host.runtime.usage(&all).await, [None]);
    sandbox.ready().await.unwrap();
    let usage = host.runtime.usage(&all).await[0].unwrap();
    let of_group = usage.consumption;
    assert_eq!((of_group.cpu_secs, of_group.tasks), (Some(1.5), Some(3)));
    assert_eq!(of_group.memory_bytes, Some(4096));
    assert_eq!(of_group.memory_max_bytes, Some(8192));
    assert_eq!((usage.at, usage.disk_bytes), (None, None));
    assert_eq!(host.calls(), ["start"], "a list orders nothing");

    let looks = (0..8).map(|_| host.runtime.usage_of(&sandbox));
    let looks = futures_util::future::join_all(looks).await;
    let usage = looks[0].unwrap();
    assert!(looks.iter().all(|it| *it == Some(usage)));
    assert_eq!(
        (usage.disk_bytes, usage.disk_max_bytes),
        (Some(5), Some(10))
    );
    assert_eq!((usage.files, usage.files_max), (Some(2), None));
    assert_eq!(host.calls(), ["start", USAGE]);
    assert_eq!(host.runtime.usage(&all).await, [Some(usage)]);

    // What does not run uses nothing but the disk.
    sandbox.stop().await.unwrap();
    let usage = host.runtime.usage(&all).await[0].unwrap();
    assert_eq!(usage.consumption, Consumption::default());
    assert_eq!(usage.disk_bytes, Some(5));
}

#[tokio::test]
async fn a_host_that_cannot_say_is_not_asked_at_every_look() {
    let (host, sandbox) = saying(r#"{"error":"no order","code":"volume"}"#).await;
    for _ in 0..3 {
        assert_eq!(host.runtime.usage_of(&sandbox).await, None);
    }
    assert_eq!(host.calls(), [USAGE]);
    fs::remove_dir_all(host.cgroup()).unwrap();
    sandbox.ready().await.unwrap();
    let usage = host.runtime.usage_of(&sandbox).await;
    assert_eq!(usage, Some(Usage::default()));
}
