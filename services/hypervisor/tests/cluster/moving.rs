//! What the tests of moves have in common: somebody with a workspace that can be moved.

use crate::at;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use testkit::cluster::{Cluster, NAMES};
use testkit::harness::Builder;
use testkit::person::Person;
use testkit::postgres;
use testkit::wait::eventually;

/// Three machines, and bob, whose workspace is called like him and is of no configuration.
pub struct Moving {
    pub cluster: Cluster,
    pub bob: Person,
}

pub const NAME: &str = "bob";

impl Moving {
    /// None where PostgreSQL is not installed.
    pub async fn start(builder: impl Fn() -> Builder) -> Option<Self> {
        let server = postgres::shared().unwrap()?;
        let cluster = Cluster::start(server, builder).await.unwrap();
        let ada = Person::register_with(cluster.client(0), "ada").await;
        ada.unwrap();
        let bob = Person::register_with(cluster.client(1), NAME).await;
        let bob = bob.unwrap();
        Some(Self { cluster, bob })
    }

    pub fn sql(&self, sql: &str) -> String {
        let server = postgres::shared().unwrap().unwrap();
        server.sql(&self.cluster.store, sql).unwrap()
    }

    /// Which machine has it.
    pub fn home(&self) -> usize {
        let home = self.sql("SELECT home FROM workspaces WHERE name = 'bob'");
        NAMES.iter().position(|name| *name == home).unwrap()
    }

    /// Has this gateway move it, whatever comes of it.
    pub async fn try_to_move(&self, gateway: usize, to: usize) -> Result<Value, String> {
        let args = ["move", NAME, "--to", NAMES[to], "--json"];
        let done = self.cluster.gateways[gateway].cli(&args).await.unwrap();
        if done.status.success() {
            return Ok(serde_json::from_slice(&done.stdout).unwrap());
        }
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }

    /// Writes an event, through a gateway; whether it was taken.
    pub async fn write(&self, gateway: usize, told: &str) -> Result<(), String> {
        let here = at(&self.cluster, &self.bob, gateway).client;
        let event = json!({ "kind": "test", "payload": { "told": told } });
        let kept = here.post_json("/logs/events", &event).await;
        let kept = kept.map_err(|error| error.to_string())?;
        if kept.status.is_success() {
            return Ok(());
        }
        Err(format!("{} {}", kept.status, kept.text()))
    }

    /// Each of these events is there once, as anybody sees who comes to any gateway.
    pub async fn assert_written(&self, all: &[String]) {
        let client = at(&self.cluster, &self.bob, next(self.home())).client;
        let (mut after, mut found) = (0, HashMap::<String, usize>::new());
        loop {
            let path = format!("/logs/events?after={after}&limit=1000");
            let page = async || {
                let page = client.get(&path).await.ok()?;
                (page.status == 200).then(|| page.json::<Value>().unwrap())
            };
            let page = eventually("its events to be read", page).await.unwrap();
            let events = page.as_array().unwrap();
            for event in events {
                after = event["id"].as_i64().unwrap();
                if let Some(told) = event["payload"]["told"].as_str() {
                    *found.entry(told.to_owned()).or_default() += 1;
                }
            }
            if events.is_empty() {
                break;
            }
        }
        for told in all {
            let count = found.get(told).copied().unwrap_or_default();
            assert_eq!(count, 1, "{told} was acknowledged");
        }
    }

    /// Nothing is left to be done, and no machine has data that are not its own, but for archives.
    pub async fn assert_settled(&self) {
        let over = async || (self.sql("SELECT count(*) FROM moves") == "0").then_some(());
        eventually("the move to be over", over).await.unwrap();
        let home = self.home();
        for (gateway, name) in NAMES.iter().enumerate() {
            let has = self.volume(gateway).is_dir();
            assert_eq!(has, gateway == home, "{gateway}, home is {home}");
            let kept = self.sql(&format!(
                "SELECT count(*) FROM archives WHERE home = '{name}'"
            ));
            let archives = self.data(gateway).join(".archives");
            let there = std::fs::read_dir(archives).map_or(0, Iterator::count);
            assert_eq!(there.to_string(), kept, "archives of {gateway}");
        }
    }

    fn data(&self, gateway: usize) -> PathBuf {
        self.cluster.gateways[gateway].state_dir().join("sandboxes")
    }

    /// Live's volume on this machine.
    pub fn volume(&self, gateway: usize) -> PathBuf {
        self.data(gateway).join(NAME).join("bob-live")
    }

    /// The file of what runs there by this number.
    pub fn release(&self, gateway: usize, number: u64) -> PathBuf {
        let releases = self.data(gateway).join(NAME).join(".releases");
        releases.join(format!("{number}.json"))
    }
}

/// Any other machine than this one.
pub const fn next(gateway: usize) -> usize {
    (gateway + 1) % 3
}
