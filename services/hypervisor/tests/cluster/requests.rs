//! Whichever gateway a request comes to, it is served at the home of its workspace.

use crate::common::{builder, builder_of_own_origins};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, StatusCode};
use serde_json::json;
use testkit::cluster::{Cluster, NAMES};
use testkit::person::Person;
use testkit::postgres;
use testkit::wait::eventually;
use tokio_tungstenite::tungstenite::Message;

/// Three machines; the test is over where PostgreSQL is not installed.
macro_rules! cluster {
    ($builder:expr) => {
        match postgres::shared().unwrap() {
            Some(server) => Cluster::start(server, $builder).await.unwrap(),
            None => return,
        }
    };
}

/// Which gateway is the home of the only workspace that is somebody's.
fn home(cluster: &Cluster) -> usize {
    let server = postgres::shared().unwrap().unwrap();
    let sql = "SELECT home FROM workspaces WHERE owned";
    let home = server.sql(&cluster.store, sql).unwrap();
    NAMES.iter().position(|name| *name == home).unwrap()
}

#[tokio::test]
async fn a_person_has_one_sandbox_whichever_gateway_they_come_to() {
    let cluster = cluster!(builder);
    let ada = Person::register_with(cluster.client(0), "ada").await.unwrap();
    for gateway in 0..3 {
        let here = cluster.through(&ada.client, gateway);
        let me = here.get("/auth/me").await.unwrap();
        assert!(me.text().contains("ada"), "{gateway}: {}", me.text());
        let said = json!({ "kind": "test", "data": { "gateway": gateway } });
        let noted = here.post_json("/logs/events", &said).await.unwrap();
        assert!(noted.status.is_success(), "{gateway}: {} {}", noted.status, noted.text());
    }
    for gateway in 0..3 {
        let here = cluster.through(&ada.client, gateway);
        let events = here.get("/logs/events").await.unwrap().text();
        for told in 0..3 {
            assert!(events.contains(&format!("\"gateway\":{told}")), "{gateway}: {events}");
        }
    }
}
