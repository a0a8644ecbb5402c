//! What sandboxes use, and what they wrote.

use super::bench::{Bench, TIMEOUT, until, until_status};
use super::process::kill;
use futures_util::StreamExt;
use hypervisor::runtime::{RuntimeError, Status};
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use tokio::time::timeout;

#[tokio::test]
async fn what_a_sandbox_uses_is_that_of_all_its_processes_and_of_no_others() {
    let bench = Bench::new();
    let busy = bench.sandbox("busy", &["burn", "grandchild"]);
    let calm = bench.sandbox("calm", &[]);
    let all = [busy, calm];
    assert_eq!(bench.runtime.usage(&all).await, [None, None]);
    for sandbox in &all {
        sandbox.ready().await.unwrap();
    }
    let cpu_secs = async || {
        let usage = bench.runtime.usage(&all).await;
        [0, 1].map(|at: usize| usage[at].unwrap().consumption.cpu_secs.unwrap())
    };
    let begun = std::time::Instant::now();
    loop {
        let [busy, calm] = cpu_secs().await;
        if busy >= calm + 0.5 {
            break;
        }
        assert!(begun.elapsed() < TIMEOUT, "{busy} s and {calm} s");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let usage = bench.runtime.usage(&all).await;
    let [busy, calm] = [0, 1].map(|at: usize| usage[at].unwrap());
    let tasks = |usage: hypervisor::runtime::Usage| usage.consumption.tasks.unwrap();
    assert!(
        tasks(busy) >= tasks(calm) + 2,
        "a thread and a process more: {busy:?} {calm:?}"
    );
    let memory = calm.consumption.memory_bytes.unwrap();
    assert!((1 << 16..1 << 33).contains(&memory), "{memory}");
    assert_eq!(
        (busy.disk_bytes, busy.at),
        (None, None),
        "a list looks at no disk"
    );
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_volume_is_looked_through_for_whoever_looks_at_its_sandbox() {
    let bench = Bench::new();
    let never = bench.runtime.sandbox(super::bench::spec("never"));
    assert_eq!(
        bench.runtime.usage_of(&never).await.unwrap().disk_bytes,
        None
    );
    assert!(!bench.folder("never").exists(), "looking makes no volume");

    let sandbox = bench.sandbox("one", &[]);
    let folder = bench.folder("one");
    fs::create_dir(folder.join("deep")).unwrap();
    fs::write(folder.join("deep/file"), vec![7; 1 << 20]).unwrap();
    symlink("/", folder.join("deep/everything")).unwrap();
    symlink("..", folder.join("deep/circle")).unwrap();
    let usage = bench.runtime.usage_of(&sandbox).await.unwrap();
    let bytes = usage.disk_bytes.unwrap();
    assert!((1 << 20..2 << 20).contains(&bytes), "{bytes}");
    // The volume and a folder, the knobs, a file and two links.
    assert_eq!(usage.files, Some(6));
    assert_eq!(
        usage.consumption,
        hypervisor::runtime::Consumption::default()
    );
    fs::write(folder.join("more"), "").unwrap();
    let again = bench.runtime.usage_of(&sandbox).await.unwrap();
    assert_eq!(again, usage, "it was looked at just now");
}

#[tokio::test]
async fn a_log_goes_on_over_crashes_and_its_followers_see_each_line() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["complain=\x1b[1mready to go\x1b[0m"]);
    let before = sandbox.log(10, false).await.unwrap();
    assert_eq!(before.count().await, 0);
    let mut lines = sandbox.log(10, true).await.unwrap();
    let mut said = async || loop {
        let line = timeout(TIMEOUT, lines.next()).await.unwrap().unwrap();
        if line == "ready to go" {
            return;
        }
    };
    sandbox.ready().await.unwrap();
    said().await;
    kill(bench.starts("one")[0]);
    until("a second start", || bench.starts("one").len() == 2).await;
    said().await;
    until_status(&sandbox, Status::Running).await;
    let both: Vec<_> = sandbox.log(1000, false).await.unwrap().collect().await;
    let both = both.iter().filter(|line| *line == "ready to go");
    assert_eq!(both.count(), 2);
    bench.runtime.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_lines_holds_up_neither_the_child_nor_takes_memory() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["flood=200000"]);
    let mut slow = sandbox.log(0, true).await.unwrap();
    sandbox.ready().await.unwrap();
    // The fixture notes it once all is written, whoever reads.
    until("all is written", || bench.read("one", "flooded") == "\n").await;
    let last = Arc::clone(&sandbox);
    let is_over = async || {
        let lines = last.log(1000, false).await.unwrap();
        let lines: Vec<_> = lines.collect().await;
        let bytes: usize = lines.iter().map(String::len).sum();
        assert!(lines.len() <= 1000 && bytes <= 256 * 1024);
        lines.iter().any(|line| line == "line 199999")
    };
    let begun = std::time::Instant::now();
    while !is_over().await {
        assert!(begun.elapsed() < TIMEOUT);
        tokio::task::yield_now().await;
    }
    let mut missed = 0;
    loop {
        let line = timeout(TIMEOUT, slow.next()).await.unwrap().unwrap();
        if line.contains("lines are left out here") {
            missed += 1;
        }
        if line == "line 199999" {
            break;
        }
    }
    assert_eq!(
        missed, 1,
        "who did not read misses lines, and is told so once"
    );
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn whatever_runs_adopted_sandboxes_knows_what_they_use_and_wrote() {
    let bench = Bench::with(|config| config.runtime.kind = hypervisor::config::RuntimeKind::Adopt);
    let sandbox = bench.runtime.sandbox(super::bench::spec("one"));
    assert_eq!(bench.runtime.usage_of(&sandbox).await, None);
    assert_eq!(bench.runtime.usage(&[Arc::clone(&sandbox)]).await, [None]);
    let error = sandbox.log(1, false).await.err().unwrap();
    assert!(matches!(error, RuntimeError::NoLog { .. }), "{error:?}");
    assert!(error.to_string().contains("look there"), "{error}");
}
