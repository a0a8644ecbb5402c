//! Volumes of processes: copied while they are written to, and replaced.

use super::bench::{Bench, TIMEOUT, alive, claim, config, get, open, spec, until};
use super::process::kill;
use futures_util::future::join_all;
use hypervisor::config::RuntimeKind;
use hypervisor::runtime::{
    Reason, Received, RuntimeError, Sandbox, SendPass, Sent, SnapshotId, Spec, Status,
};
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::SystemTime;

fn id(number: u16) -> SnapshotId {
    SnapshotId::new(SystemTime::now(), number)
}

/// Where a snapshot's files are.
fn copy(bench: &Bench, sandbox: &str, id: &SnapshotId) -> PathBuf {
    let all = bench.dir.path().join("w/.snapshots");
    all.join(sandbox).join(id.to_string()).join("data")
}

fn number(path: PathBuf) -> u64 {
    fs::read_to_string(path).unwrap().parse().unwrap()
}

async fn taken(sandbox: &Sandbox, number: u16) -> SnapshotId {
    let id = id(number);
    let snapshot = sandbox.snapshot(&id, Reason::Asked).await.unwrap();
    assert_eq!((&snapshot.id, snapshot.reason), (&id, Reason::Asked));
    id
}

#[tokio::test]
async fn a_copy_has_no_file_from_the_future_of_another() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &["count", "grandchild"]);
    sandbox.ready().await.unwrap();
    until("it counts", || bench.folder("one").join("second").exists()).await;
    for round in 0..30 {
        let id = id(round);
        if round % 2 == 0 {
            sandbox.prepare_snapshot(&id).await.unwrap();
        }
        let snapshot = sandbox.snapshot(&id, Reason::Fork).await.unwrap();
        assert!(snapshot.frozen_ms > 0.0);
        let copy = copy(&bench, "one", &id);
        let (first, second) = (number(copy.join("first")), number(copy.join("second")));
        assert!(
            first == second || first == second + 1,
            "{first} was written before {second}"
        );
    }
    // All of it goes on.
    let before = number(bench.folder("one").join("second"));
    until("it counts on", || {
        number(bench.folder("one").join("second")) > before
    })
    .await;
    for pid in [bench.starts("one")[0], bench.grandchild("one")] {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        assert!(!stat.contains(") T "), "{stat}");
    }
    get(claim(&sandbox).await.address()).unwrap();
    assert_eq!(bench.starts("one").len(), 1);
    assert_eq!(sandbox.snapshots().await.unwrap().len(), 30);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn starts_stops_and_crashes_do_not_disturb_copies() {
    let bench = Bench::with(|config| config.runtime.max_restarts = 1000);
    let sandbox = bench.sandbox("one", &["count"]);
    sandbox.ready().await.unwrap();
    until("it counts", || bench.folder("one").join("second").exists()).await;
    let disturb = async {
        for round in 0..15 {
            if round % 3 == 0 {
                sandbox.stop().await.unwrap();
            } else if let Some(pid) = bench.starts("one").last()
                && alive(*pid)
            {
                kill(*pid);
            }
            sandbox.start().await.unwrap();
        }
    };
    let copies = async {
        for round in 0..30 {
            let id = taken(&sandbox, round).await;
            assert!(copy(&bench, "one", &id).join("starts").exists());
        }
    };
    tokio::join!(disturb, copies);
    sandbox.stop().await.unwrap();
    assert_eq!(sandbox.snapshots().await.unwrap().len(), 30);
    bench.runtime.shutdown().await;
}

#[tokio::test]
async fn one_that_never_ran_has_an_empty_volume() {
    let bench = Bench::new();
    let sandbox = bench.runtime.sandbox(spec("one"));
    assert!(sandbox.snapshots().await.unwrap().is_empty());
    let first = taken(&sandbox, 1).await;
    assert!(copy(&bench, "one", &first).is_dir());
    let other = bench.runtime.sandbox(spec("other"));
    let aside = other
        .replace_volume(&sandbox, &first, &id(2))
        .await
        .unwrap();
    assert_eq!(aside.reason, Reason::Aside);
    assert!(bench.starts("one").is_empty());
}

#[tokio::test]
async fn a_volume_is_replaced_by_anothers_copy_and_what_was_there_is_put_aside() {
    let bench = Bench::new();
    let (live, dev) = (bench.sandbox("live", &[]), bench.sandbox("dev", &[]));
    fs::write(bench.folder("live").join("notes"), "live's").unwrap();
    fs::write(bench.folder("dev").join("notes"), "dev's").unwrap();
    let of_live = taken(&live, 1).await;
    let (aside, back) = (id(2), id(3));
    let put = dev.replace_volume(&live, &of_live, &aside).await.unwrap();
    assert_eq!(put.id, aside);
    assert_eq!(bench.read("dev", "notes"), "live's");
    assert_eq!(bench.read("live", "notes"), "live's");

    dev.put_back(&aside, &back).await.unwrap();
    assert_eq!(bench.read("dev", "notes"), "dev's");
    let all = dev.snapshots().await.unwrap();
    let all: Vec<_> = all.into_iter().map(|it| it.id).collect();
    assert_eq!(all, std::slice::from_ref(&back));
    dev.replace_volume(&dev, &back, &aside).await.unwrap();
    assert_eq!(bench.read("dev", "notes"), "live's");

    let unknown = dev.replace_volume(&live, &id(9), &id(10)).await;
    let error = unknown.unwrap_err();
    assert!(matches!(error, RuntimeError::NoSnapshot(_)), "{error:?}");
    dev.remove_snapshot(&aside).await.unwrap();
    let error = dev.remove_snapshot(&aside).await.unwrap_err();
    assert!(matches!(error, RuntimeError::NoSnapshot(_)), "{error:?}");
    let elsewhere = bench.runtime.sandbox(Spec {
        workspace: "another".to_owned(),
        ..spec("elsewhere")
    });
    let error = elsewhere.replace_volume(&live, &of_live, &id(11)).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("another workspace"), "{error}");
}

#[tokio::test]
async fn no_volume_is_replaced_under_one_that_runs_and_none_starts_meanwhile() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &[]);
    fs::write(bench.folder("one").join("notes"), "then").unwrap();
    let then = taken(&sandbox, 0).await;
    fs::write(bench.folder("one").join("notes"), "now").unwrap();
    sandbox.ready().await.unwrap();
    for refused in [
        sandbox.replace_volume(&sandbox, &then, &id(1)).await,
        sandbox.put_back(&then, &id(1)).await,
    ] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("stop it first"), "{error}");
    }
    sandbox.stop().await.unwrap();
    // The replacement is asked for first; whoever starts the sandbox meanwhile gets the copy.
    let aside = id(2);
    let replaced = sandbox.replace_volume(&sandbox, &then, &aside);
    let started = join_all((0..8).map(|_| sandbox.ready()));
    let (replaced, started) = tokio::join!(replaced, started);
    replaced.unwrap();
    started.into_iter().for_each(Result::unwrap);
    assert_eq!(bench.read("one", "notes"), "then");
    assert_eq!(bench.starts("one").len(), 1, "the start is in the copy");
    let aside = copy(&bench, "one", &aside).join("notes");
    assert_eq!(fs::read_to_string(aside).unwrap(), "now");
    bench.runtime.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_for_at_the_same_time_comes_to_an_end() {
    let bench = Bench::new();
    bench.set("one", &[]);
    let then = taken(&bench.runtime.sandbox(spec("one")), 0).await;
    for round in 0..30 {
        // Each has yet to look whether a crash has left something.
        let runtime = open(&config(bench.dir.path()));
        let sandbox = runtime.sandbox(spec("one"));
        let number = 10 * round;
        let all = async {
            let (a, b) = (id(number + 1), id(number + 2));
            let (c, d) = (id(number + 3), id(number + 4));
            let _outcomes = tokio::join!(
                sandbox.snapshot(&a, Reason::Asked),
                sandbox.replace_volume(&sandbox, &then, &b),
                sandbox.ready(),
                sandbox.snapshot(&c, Reason::Asked),
                sandbox.put_back(&a, &d),
                sandbox.prepare_snapshot(&d),
                sandbox.snapshots(),
                sandbox.recover_volume(),
            );
        };
        let ended = tokio::time::timeout(TIMEOUT, all).await;
        assert!(ended.is_ok(), "they wait for each other");
        sandbox.ready().await.unwrap();
        runtime.shutdown().await;
    }
}

#[tokio::test]
async fn what_a_crash_left_is_mended_before_the_first_start() {
    let bench = Bench::new();
    let whole = taken(&bench.sandbox("one", &[]), 0).await;
    let part = copy(&bench, "one", &whole).parent().unwrap().to_owned();
    let part = part.with_file_name(format!("{}.part", id(1)));
    fs::create_dir(&part).unwrap();
    let runtime = open(&config(bench.dir.path()));
    let sandbox = runtime.sandbox(spec("one"));
    sandbox.ready().await.unwrap();
    assert!(!part.exists());
    // Later it may be one that is being made.
    fs::create_dir(&part).unwrap();
    sandbox.stop().await.unwrap();
    sandbox.start().await.unwrap();
    assert!(part.exists());
    sandbox.recover_volume().await.unwrap();
    assert!(!part.exists());
    runtime.shutdown().await;
}

#[tokio::test]
async fn old_copies_go_by_rule_and_those_that_are_held_stay() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("one", &[]);
    let mut all = Vec::new();
    for number in 0..13 {
        all.push(taken(&sandbox, number).await);
    }
    let held = [all[0].clone()];
    let pruned = sandbox.prune_snapshots(&held).await.unwrap();
    assert_eq!(pruned, all[1..3].iter().rev().cloned().collect::<Vec<_>>());
    let left = sandbox.snapshots().await.unwrap();
    let left: Vec<_> = left.into_iter().map(|it| it.id).collect();
    assert_eq!(left, [&all[..1], &all[3..]].concat());
}

#[tokio::test]
async fn whatever_has_the_volumes_of_adopted_sandboxes_copies_them() {
    let bench = Bench::with(|config| config.runtime.kind = RuntimeKind::Adopt);
    let sandbox = bench.runtime.sandbox(spec("one"));
    let (runtime, id) = (&bench.runtime, id(0));
    let added = runtime.add_release("w", vec![], [].into(), "ada").await;
    let refused = [
        runtime.releases("w").await.err(),
        added.err(),
        sandbox.prepare_snapshot(&id).await.err(),
        sandbox.snapshot(&id, Reason::Asked).await.err(),
        sandbox.replace_volume(&sandbox, &id, &id).await.err(),
        sandbox.put_back(&id, &id).await.err(),
        sandbox.snapshots().await.err(),
        sandbox.remove_snapshot(&id).await.err(),
        sandbox.prune_snapshots(&[]).await.err(),
    ];
    for error in refused {
        let error = error.unwrap();
        assert!(matches!(error, RuntimeError::Unsupported(_)), "{error:?}");
        let said = error.to_string();
        assert!(said.contains("runtime.kind is `adopt`"), "{said}");
    }
    sandbox.recover_volume().await.unwrap();
    assert_eq!(runtime.declared_release("w").await.unwrap(), 0);
    assert_eq!(runtime.pinned_release(&sandbox).await.unwrap(), None);
    assert_eq!(sandbox.release(), 0);
    assert_ne!(sandbox.view().status, Status::Running);
}

/// Sends one sandbox's volume, which another receives.
async fn sent(
    from: &Sandbox,
    to: &Sandbox,
    id: &SnapshotId,
    pass: SendPass,
) -> (Result<Sent, RuntimeError>, Result<Received, RuntimeError>) {
    let (one, other) = UnixStream::pair().unwrap();
    tokio::join!(from.send(id, pass, one), to.receive(id, other))
}

#[tokio::test]
async fn a_volume_goes_to_another_machine() {
    let (here, there) = (Bench::new(), Bench::new());
    let (from, to) = (here.sandbox("one", &["count"]), there.sandbox("one", &[]));
    from.ready().await.unwrap();
    until("it counts", || here.folder("one").join("second").exists()).await;
    let id = id(1);
    let (ahead, received) = sent(&from, &to, &id, SendPass::Ahead).await;
    assert!(ahead.unwrap().files >= 2);
    assert!(!received.unwrap().whole);
    let refused = to.unarchive(&id).await.unwrap_err().to_string();
    assert!(refused.contains("not whole"), "{refused}");
    let (refused, received) = sent(&from, &to, &id, SendPass::Last).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("stop it first"), "{refused}");
    assert!(received.is_err());
    from.stop().await.unwrap();
    let (last, received) = sent(&from, &to, &id, SendPass::Last).await;
    last.unwrap();
    assert!(received.unwrap().whole);
    // What the fixture has put there.
    std::fs::remove_dir_all(there.folder("one")).unwrap();
    to.unarchive(&id).await.unwrap();
    for file in ["first", "second"] {
        let [one, other] = [&here, &there].map(|bench| number(bench.folder("one").join(file)));
        assert_eq!(one, other, "{file}");
    }
    here.runtime.shutdown().await;
}
