//! People, as the operator and their admins see to them, against the real program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

#[path = "../common/mod.rs"]
mod common;
mod export;
mod members;
mod names;
mod operator;
mod removal;

use common::{Side, builder};
use serde_json::Value;
use std::fmt::Write as _;
use testkit::harness::{Builder, Hypervisor};
use testkit::person::Person;

/// Adopted sandboxes of declared workspaces.
struct Sides(Vec<(&'static str, Side, Side)>);

impl Sides {
    async fn of(names: &[&'static str]) -> Self {
        let mut sides = Vec::new();
        for name in names {
            let pair = (Side::start("live").await, Side::start("dev").await);
            sides.push((*name, pair.0, pair.1));
        }
        Self(sides)
    }

    /// The configuration that declares these, and who their members are, if it says so.
    fn config(&self, declared: &[(&str, &[&str])]) -> String {
        let mut text = "[runtime]\nkind = \"adopt\"\nprobe_secs = 60\n".to_owned();
        for (name, members) in declared {
            let (_, live, dev) = self.0.iter().find(|side| side.0 == *name).unwrap();
            writeln!(text, "[workspaces.{name}]\nmembers = {members:?}").unwrap();
            for (role, side) in [("live", live), ("dev", dev)] {
                let address = side.address;
                writeln!(
                    text,
                    "[workspaces.{name}.{role}]\naddress = \"{address}\"\nidentity = false"
                )
                .unwrap();
            }
        }
        text
    }

    fn gateway(&self, declared: &[(&str, &[&str])]) -> Builder {
        builder().config(&self.config(declared))
    }
}

/// Signs up with the link of an invite.
async fn enrol(gateway: &Hypervisor, username: &str, invite: &Value) -> anyhow::Result<Person> {
    Person::enrol(gateway, username, invite["url"].as_str().unwrap()).await
}

/// What this person is told at an own path of the gateway.
async fn get(person: &Person, path: &str) -> Value {
    let response = person.client.get(path).await.unwrap();
    response.json().unwrap()
}
