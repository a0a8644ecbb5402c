//! Three gateways with one store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod history;
mod known;
mod many;
mod move_kills;
mod moves;
mod moving;
mod requests;
mod unreachable;

use serde_json::json;
use testkit::client::Client;
use testkit::cluster::{Cluster, NAMES};
use testkit::person::Person;
use testkit::postgres;

/// Three machines; the test is over where PostgreSQL is not installed.
macro_rules! cluster {
    ($builder:expr) => {
        match testkit::postgres::shared().unwrap() {
            Some(server) => testkit::cluster::Cluster::start(server, $builder)
                .await
                .unwrap(),
            None => return,
        }
    };
}
use cluster;

/// Which gateway is the home of the only workspace that is somebody's.
fn home(cluster: &Cluster) -> usize {
    let server = postgres::shared().unwrap().unwrap();
    let sql = "SELECT home FROM workspaces WHERE owned";
    let home = server.sql(&cluster.store, sql).unwrap();
    NAMES.iter().position(|name| *name == home).unwrap()
}

/// The same person, who comes to this gateway.
fn at(cluster: &Cluster, person: &Person, gateway: usize) -> Person {
    let mut there = person.clone();
    there.client = cluster.through(&person.client, gateway);
    there
}

/// Has a sandbox keep an event that says this.
async fn event(client: &Client, told: &str) {
    let event = json!({ "kind": "test", "payload": { "told": told } });
    let kept = client.post_json("/logs/events", &event).await.unwrap();
    assert!(kept.status.is_success(), "{} {}", kept.status, kept.text());
}
