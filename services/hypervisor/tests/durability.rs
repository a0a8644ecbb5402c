//! What was acknowledged is still there after a kill at any moment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::builder;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::person::Person;
use testkit::wait::eventually;
use tokio::task::JoinSet;

/// Registrations, in waves that are each ended by a kill.
const REGISTRATIONS: usize = 1000;
const WAVES: usize = 4;
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_during_a_thousand_registrations_loses_none_that_was_acknowledged() {
    let mut gateway = builder().start().await.unwrap();
    let mut acknowledged = Vec::new();
    for wave in 0..WAVES {
        let done = Arc::new(AtomicUsize::new(0));
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (client, done, next) = (gateway.client(), done.clone(), next.clone());
            workers.spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let name = format!("user-{wave}-{}", next.fetch_add(1, Ordering::SeqCst));
                    client.clear_cookies();
                    // The first failure is the kill.
                    let Ok(person) = Person::register_with(client.clone(), &name).await else {
                        return mine;
                    };
                    mine.push((name, person.cookie()));
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let enough = async || (done.load(Ordering::SeqCst) >= REGISTRATIONS / WAVES).then_some(());
        eventually("a wave of registrations", enough).await.unwrap();
        gateway.kill9().unwrap();
        acknowledged.extend(workers.join_all().await.into_iter().flatten());
        gateway.wait_exit().await.unwrap();
        gateway.restart().await.unwrap();
    }
    assert!(acknowledged.len() >= REGISTRATIONS);
    let client = gateway.client();
    for (name, cookie) in &acknowledged {
        let me = client
            .request(http::Method::GET, "/auth/me")
            .header("cookie", cookie)
            .send()
            .await
            .unwrap();
        let me: Value = me.json().unwrap();
        assert_eq!(
            me["username"],
            json!(name),
            "an acknowledged registration is gone"
        );
        assert_eq!(me["recovery_codes_left"], 10);
    }
}
