//! Each sandbox at an origin of its own: who gets there, and what passes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod ends;
mod entering;
mod hosts;
mod requests;

use common::{Side, builder_of_own_origins, seen};
use http::Method;
use serde_json::Value;
use std::fmt::Write as _;
use testkit::client::{Client, Response};
use testkit::harness::{Builder, Hypervisor};
use testkit::person::Person;

/// A gateway with two workspaces, `sandbox` and `other`, whose sandboxes say what they were asked.
struct House {
    gateway: Hypervisor,
    /// The member of `sandbox`.
    ada: Person,
    /// The member of `other`.
    bob: Person,
}

impl House {
    async fn new() -> Self {
        Self::with("HYPERVISOR_REGISTRATION", "open").await
    }

    /// With this variable set.
    async fn with(name: &str, value: &str) -> Self {
        let gateway = builder().await.env(name, value).start().await.unwrap();
        let ada = Person::register(&gateway, "ada").await.unwrap();
        let bob = Person::register(&gateway, "bob").await.unwrap();
        Self { gateway, ada, bob }
    }

    /// The origin of a sandbox.
    fn origin(&self, label: &str) -> String {
        self.gateway.sandbox_url(label)
    }

    /// A browser without anything, at a sandbox.
    fn stranger(&self, label: &str) -> Client {
        self.gateway
            .client()
            .at(&format!("{label}.localhost"))
            .unwrap()
    }

    /// Ada's browser, let in at live.
    async fn at_live(&self) -> Client {
        self.ada.enter("sandbox.localhost").await.unwrap()
    }
}

async fn builder() -> Builder {
    let mut config = String::from("[runtime]\nkind = \"adopt\"\nprobe_secs = 1\n");
    for (workspace, member) in [("sandbox", "ada"), ("other", "bob")] {
        writeln!(config, "[workspaces.{workspace}]\nmembers = [\"{member}\"]").unwrap();
        for role in ["live", "dev"] {
            let address = Side::start(role).await.address;
            writeln!(
                config,
                "[workspaces.{workspace}.{role}]\naddress = \"{address}\"\nidentity = false"
            )
            .unwrap();
        }
    }
    builder_of_own_origins().config(&config)
}

/// Where a response leads.
fn location(response: &Response) -> String {
    assert_eq!(response.status, 303, "{}", response.text());
    response.header("location").unwrap().to_owned()
}

/// The path and the query of an address.
fn path(address: &str) -> &str {
    let (_, rest) = address.split_once("://").unwrap();
    &rest[rest.find('/').unwrap()..]
}

/// The code of an error.
fn code(response: &Response) -> String {
    response.json::<Value>().unwrap()["error"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A request as no browser sends it.
fn program(client: &Client, method: Method, path: &str) -> testkit::client::Request {
    let request = client.request(method, path);
    ["sec-fetch-site", "sec-fetch-mode", "origin"]
        .iter()
        .fold(request, |request, name| request.without(name))
}
