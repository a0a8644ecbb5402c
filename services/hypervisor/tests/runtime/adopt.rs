//! Sandboxes that something else runs.

use super::bench::{Bench, TIMEOUT, claim, get, spec, until, until_status};
use super::fixture::healthy;
use futures_util::future::join_all;
use hypervisor::config::RuntimeKind;
use hypervisor::runtime::{RuntimeError, Sandbox, Status};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

/// Something that listens, and answers whatever it is told to.
struct Something {
    address: SocketAddr,
    response: Arc<Mutex<String>>,
    /// How often it has given this response.
    given: Arc<AtomicUsize>,
}

impl Something {
    fn that_says(response: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let something = Self {
            address,
            response: Arc::new(Mutex::new(response.to_owned())),
            given: Arc::default(),
        };
        let response = Arc::clone(&something.response);
        let given = Arc::clone(&something.given);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.set_read_timeout(Some(TIMEOUT));
                let _ = stream.read(&mut [0; 4096]);
                let response = response.lock().unwrap();
                let _ = stream.write_all(response.as_bytes());
                given.fetch_add(1, Ordering::Relaxed);
            }
        });
        something
    }

    fn says(&self, response: &str) {
        let mut current = self.response.lock().unwrap();
        response.clone_into(&mut current);
        self.given.store(0, Ordering::Relaxed);
    }
}

fn adopting() -> Bench {
    Bench::with(|config| config.runtime.kind = RuntimeKind::Adopt)
}

fn adopt(bench: &Bench, address: SocketAddr) -> Arc<Sandbox> {
    let mut spec = spec("mine");
    spec.declared.address = Some(address.into());
    bench.runtime.sandbox(spec)
}

fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn what_answers_as_itself_is_adopted_and_never_started_or_stopped() {
    let bench = adopting();
    let something = Something::that_says(&healthy("mine", "live"));
    let sandbox = adopt(&bench, something.address);
    assert!(!bench.runtime.can_create());
    until_status(&sandbox, Status::Running).await;
    let hold = claim(&sandbox).await;
    assert_eq!(hold.address(), something.address);
    get(hold.address()).unwrap();
    sandbox.probe().await.unwrap();
    let error = sandbox.stop().await.unwrap_err();
    assert!(
        matches!(error, RuntimeError::CannotStop { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("stop it there"), "{error}");
    assert_eq!(sandbox.view().status, Status::Running);
    bench.runtime.shutdown().await;
    get(something.address).unwrap();
}

#[tokio::test]
async fn an_impostor_is_failed_with_a_sentence_and_the_right_one_recovers() {
    let bench = adopting();
    let nginx = response("200 OK", "Server: nginx\r\n", "<h1>Welcome</h1>");
    let postbox = r#"{"service":"postbox","name":"mine","instance_role":"live"}"#;
    let table = [
        (
            healthy("other", "live"),
            "sandbox `other` (live), and not as sandbox `mine` (live)",
        ),
        (
            healthy("mine", "dev"),
            "sandbox `mine` (dev), and not as sandbox `mine` (live)",
        ),
        (response("200 OK", "", postbox), "the service `postbox`"),
        (nginx, "Server: nginx"),
        (response("200 OK", "", ""), "does not name itself"),
        (
            response("404 Not Found", "", "no such page"),
            "404 Not Found: no such page",
        ),
        ("SSH-2.0-OpenSSH_10.0\r\n".to_owned(), "does not speak HTTP"),
    ];
    let something = Something::that_says("");
    let sandbox = adopt(&bench, something.address);
    for (impostor, sentence) in table {
        something.says(&impostor);
        let error = sandbox.ready().await.unwrap_err();
        assert!(matches!(error, RuntimeError::Lost { .. }), "{error:?}");
        assert!(
            error.to_string().contains(sentence),
            "no «{sentence}» in: {error}"
        );
        assert_eq!(sandbox.view().status, Status::Failed);
        assert!(sandbox.view().cause.unwrap().contains(sentence));
        assert!(sandbox.enter().is_none());
    }
    something.says(&healthy("mine", "live"));
    until_status(&sandbox, Status::Running).await;
    assert_eq!(sandbox.view().cause, None);
    // One that ran is given up at the first such answer, not only after some patience.
    something.says(&healthy("other", "live"));
    until_status(&sandbox, Status::Failed).await;
    assert!(something.given.load(Ordering::Relaxed) < 3);
    something.says(&healthy("mine", "live"));
    join_all((0..50).map(|_| sandbox.ready()))
        .await
        .into_iter()
        .for_each(Result::unwrap);
}

#[tokio::test]
async fn who_held_it_when_it_failed_still_counts() {
    let bench = adopting();
    let something = Something::that_says(&healthy("mine", "live"));
    let sandbox = adopt(&bench, something.address);
    let before = claim(&sandbox).await;
    something.says(&response("503 Service Unavailable", "", "disk full"));
    until_status(&sandbox, Status::Failed).await;
    assert_eq!(sandbox.holds(), 1);
    something.says(&healthy("mine", "live"));
    let after = claim(&sandbox).await;
    assert_eq!(sandbox.holds(), 2);
    drop(before);
    assert_eq!(sandbox.holds(), 1);
    drop(after);
    assert_eq!(sandbox.holds(), 0);
}

#[tokio::test]
async fn a_service_without_identity_needs_only_to_be_healthy() {
    let bench = adopting();
    let something = Something::that_says(&response("200 OK", "", "fine"));
    let mut spec = spec("guest");
    spec.declared.address = Some(something.address.into());
    spec.declared.identity = false;
    let sandbox = bench.runtime.sandbox(spec);
    sandbox.ready().await.unwrap();
    something.says(&response("503 Service Unavailable", "", "disk full"));
    until_status(&sandbox, Status::Failed).await;
    assert!(
        sandbox
            .view()
            .cause
            .unwrap()
            .contains("503 Service Unavailable: disk full")
    );
}

#[tokio::test]
async fn an_address_where_nothing_listens_is_failed() {
    let bench = adopting();
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let sandbox = adopt(&bench, address);
    let error = sandbox.ready().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("nothing answers at {address}")),
        "{error}"
    );
    assert_eq!(sandbox.view().status, Status::Failed);
}

#[tokio::test]
async fn who_asks_while_a_probe_fails_is_told_of_the_next_one() {
    let bench = adopting();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (probed, probing) = mpsc::channel();
    let (fail, failing) = mpsc::channel();
    thread::spawn(move || {
        let mut first = true;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let said = if std::mem::take(&mut first) {
                probed.send(()).unwrap();
                failing.recv().unwrap();
                response("503 Service Unavailable", "", "not yet")
            } else {
                healthy("mine", "live")
            };
            let _ = stream.write_all(said.as_bytes());
        }
    });
    let sandbox = adopt(&bench, address);
    until("the first probe", || probing.try_recv().is_ok()).await;
    let asking = [(); 3].map(|()| {
        let sandbox = Arc::clone(&sandbox);
        tokio::spawn(async move { sandbox.ready().await })
    });
    // They have asked once this has: all of it is on one thread.
    tokio::task::yield_now().await;
    fail.send(()).unwrap();
    for asked in asking {
        asked.await.unwrap().unwrap();
    }
}
