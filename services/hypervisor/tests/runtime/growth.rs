//! Many sandboxes, of which few are in use.

use super::bench::{Bench, spec, until};
use super::fixture::healthy;
use hypervisor::config::RuntimeKind;
use hypervisor::runtime::{RuntimeError, Sandbox, Spec, Status};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

#[tokio::test]
async fn a_sandbox_at_rest_has_no_task_until_its_first_order() {
    let bench = Bench::new();
    let before = tasks();
    let all: Vec<_> = (0..10_000)
        .map(|number| bench.runtime.sandbox(spec(&format!("s{number}"))))
        .collect();
    assert_eq!(tasks(), before);
    assert!(all.iter().all(|it| it.view().status == Status::Stopped));
    // None that is only looked at, and one for however many orders.
    assert!(all[0].enter().is_none());
    assert_eq!(tasks(), before);
    all[0].stop().await.unwrap();
    all[0].stop().await.unwrap();
    assert_eq!(tasks(), before + 1);

    bench.runtime.shutdown().await;
    let error = all[1].ready().await.unwrap_err();
    assert!(
        matches!(error, RuntimeError::ShuttingDown { .. }),
        "{error:?}"
    );
    until("the task's end", || tasks() == before).await;
}

/// Takes connections and answers none; says how many.
fn silent() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            kept.push(stream);
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, taken)
}

/// Answers as this sandbox.
fn answering(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(healthy(name, "live").as_bytes());
        }
    });
    address
}

fn adopt(bench: &Bench, name: &str, address: SocketAddr) -> Arc<Sandbox> {
    let mut spec: Spec = spec(name);
    spec.declared.address = Some(address.into());
    bench.runtime.sandbox(spec)
}

#[tokio::test]
async fn adopted_sandboxes_at_rest_have_one_task_between_them() {
    let bench = Bench::with(|config| {
        config.runtime.kind = RuntimeKind::Adopt;
        config.runtime.probe_secs = 3600;
    });
    let before = tasks();
    let address = answering("none");
    let all: Vec<_> = (0..300)
        .map(|number| {
            let mut spec = spec(&format!("s{number}"));
            (spec.declared.address, spec.declared.identity) = (Some(address.into()), false);
            bench.runtime.sandbox(spec)
        })
        .collect();
    until("all run", || {
        all.iter().all(|it| it.view().status == Status::Running)
    })
    .await;
    until("their probes' end", || tasks() == before + 1).await;
    bench.runtime.shutdown().await;
    until("the task's end", || tasks() == before).await;
    // What runs, runs on; and nothing is probed any more.
    assert_eq!(all[0].view().status, Status::Running);
}

#[tokio::test]
async fn adopted_sandboxes_are_probed_in_turn_but_a_request_need_not_wait_for_one() {
    let bench = Bench::with(|config| {
        config.runtime.kind = RuntimeKind::Adopt;
        config.runtime.probe_timeout_secs = 3600;
    });
    let (hung, taken) = silent();
    for number in 0..200 {
        adopt(&bench, &format!("hung{number}"), hung);
    }
    until("all turns are taken", || {
        taken.load(Ordering::SeqCst) == 128
    })
    .await;
    let good = adopt(&bench, "good", answering("good"));
    good.ready().await.unwrap();
    assert_eq!(good.view().status, Status::Running);
    assert_eq!(taken.load(Ordering::SeqCst), 128, "the others wait");
    bench.runtime.shutdown().await;
}
