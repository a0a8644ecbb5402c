//! No sandbox outlives the hypervisor, whatever ends either.

use super::bench::{Bench, alive, numbers, until, until_status};
use super::{bench, fixture, process};
use hypervisor::runtime::Status;
use rustix::process::{Pid, Signal, getpgid, kill_process};
use std::fs;
use std::process::{Command, Stdio};

#[tokio::test]
async fn no_sandbox_outlives_a_killed_hypervisor() {
    let bench = Bench::new();
    bench.set("orphan", &["grandchild", "ignore_sigterm"]);
    let command = fixture::command("a_hypervisor");
    let mut hypervisor = Command::new(&command[0])
        .args(&command[1..])
        .env("HYPERVISOR_FIXTURE_DIR", bench.dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("ready", || bench.dir.path().join("ready").exists()).await;
    let (child, grandchild) = (bench.starts("orphan")[0], bench.grandchild("orphan"));
    let guardian = parent(child);
    assert!(alive(child) && alive(grandchild) && alive(guardian));
    hypervisor.kill().unwrap();
    hypervisor.wait().unwrap();
    until("all gone", || {
        !alive(child) && !alive(grandchild) && !alive(guardian)
    })
    .await;
}

#[tokio::test]
async fn one_that_was_held_still_when_the_hypervisor_was_killed_can_end() {
    let bench = Bench::new();
    bench.set("orphan", &[]);
    let command = fixture::command("a_hypervisor");
    let mut hypervisor = Command::new(&command[0])
        .args(&command[1..])
        .env("HYPERVISOR_FIXTURE_DIR", bench.dir.path())
        // It is to end by itself, long before it is killed.
        .env("HYPERVISOR_FIXTURE_STOP_SECS", "600")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("ready", || bench.dir.path().join("ready").exists()).await;
    let child = bench.starts("orphan")[0];
    kill_process(Pid::from_raw(child).unwrap(), Signal::STOP).unwrap();
    hypervisor.kill().unwrap();
    hypervisor.wait().unwrap();
    until("gone", || !alive(child)).await;
}

#[tokio::test]
async fn a_killed_guardian_takes_its_sandbox_along_and_both_come_again() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["grandchild", "ignore_sigterm"]);
    sandbox.ready().await.unwrap();
    let (child, grandchild) = (bench.starts("one")[0], bench.grandchild("one"));
    process::kill(parent(child));
    until("gone", || !alive(child) && !alive(grandchild)).await;
    until("a second start", || bench.starts("one").len() == 2).await;
    until_status(&sandbox, Status::Running).await;
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_terminals_interrupt_reaches_neither_guardian_nor_sandbox() {
    let bench = Bench::new();
    bench.sandbox("one", &[]).ready().await.unwrap();
    let child = bench.starts("one")[0];
    let guardian = parent(child);
    let group = |pid| getpgid(Pid::from_raw(pid)).unwrap().as_raw_nonzero().get();
    assert_eq!(group(child), child);
    assert_eq!(group(guardian), guardian);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn a_program_that_cannot_be_run_is_named() {
    let bench = Bench::with(|config| {
        config.runtime.command = vec!["no-such-program".to_owned()];
        config.runtime.max_restarts = 1;
    });
    let error = bench.sandbox("one", &[]).ready().await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("cannot run no-such-program"), "{said}");
    let mut config = bench::config(bench.dir.path());
    config.runtime.command = vec!["./no/such/program".to_owned()];
    let program = env!("CARGO_BIN_EXE_hypervisor").as_ref();
    let error = hypervisor::runtime::Runtime::open_with(&config, program)
        .err()
        .unwrap();
    assert!(error.to_string().contains("runtime.command"), "{error}");
}

fn parent(pid: i32) -> i32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap();
    numbers(line.trim())[0]
}
