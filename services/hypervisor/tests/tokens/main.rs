//! Tokens: where they are good, what for, and until when.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

#[path = "../common/mod.rs"]
mod common;

mod acts;
mod api;
mod document;
mod ends;
mod sandboxes;
mod shared;

use common::{Side, builder, builder_of_own_origins};
use http::Method;
use serde_json::{Value, json};
use std::fmt::Write as _;
use testkit::client::{Client, Request, Response};
use testkit::harness::{Builder, Hypervisor};
use testkit::person::Person;

/// What a token can be good for.
const SCOPES: [&str; 4] = [
    "sandboxes:read",
    "sandboxes:promote",
    "sandbox:open",
    "admin",
];

/// A gateway with two workspaces, `sandbox` and `other`, whose sandboxes say what they were asked.
struct House {
    gateway: Hypervisor,
    /// An admin, who has no workspace.
    root: Person,
    /// The member of `sandbox`.
    ada: Person,
    /// The member of `other`.
    bob: Person,
}

impl House {
    /// Each sandbox has an origin of its own.
    async fn new() -> Self {
        Self::of(builder_of_own_origins()).await
    }

    /// All are at the gateway's.
    async fn shared() -> Self {
        Self::of(builder()).await
    }

    async fn of(builder: Builder) -> Self {
        let builder = builder.config(&workspaces().await);
        let gateway = builder.start().await.unwrap();
        let link = gateway.enrolment_link().await.unwrap();
        Self {
            root: Person::enrol(&gateway, "root", &link).await.unwrap(),
            ada: Person::register(&gateway, "ada").await.unwrap(),
            bob: Person::register(&gateway, "bob").await.unwrap(),
            gateway,
        }
    }

    /// A request to the gateway of a program with this token.
    fn ask(&self, token: &str, method: Method, path: &str) -> Request {
        bearing(&self.gateway.client(), token, method, path)
    }

    /// Its response to a GET.
    async fn get(&self, token: &str, path: &str) -> Response {
        self.ask(token, Method::GET, path).send().await.unwrap()
    }

    /// A program at a sandbox's own host.
    fn at(&self, label: &str) -> Client {
        let host = format!("{label}.localhost");
        self.gateway.client().at(&host).unwrap()
    }

    /// The response of a sandbox at its own host to a GET with this token.
    async fn open(&self, label: &str, token: &str, path: &str) -> Response {
        let request = bearing(&self.at(label), token, Method::GET, path);
        request.send().await.unwrap()
    }
}

async fn workspaces() -> String {
    let mut config = String::from("[runtime]\nkind = \"adopt\"\nprobe_secs = 1\n");
    for (workspace, member) in [("sandbox", "ada"), ("other", "bob")] {
        writeln!(config, "[workspaces.{workspace}]\nmembers = [\"{member}\"]").unwrap();
        for role in ["live", "dev"] {
            let address = Side::start(role).await.address;
            let place = format!("[workspaces.{workspace}.{role}]");
            writeln!(config, "{place}\naddress = \"{address}\"\nidentity = false").unwrap();
        }
    }
    config
}

/// A request of a program with this token.
fn bearing(client: &Client, token: &str, method: Method, path: &str) -> Request {
    let value = format!("Bearer {token}");
    program(client, method, path).header("authorization", &value)
}

/// A request as no browser sends it.
fn program(client: &Client, method: Method, path: &str) -> Request {
    let request = client.request(method, path);
    ["sec-fetch-site", "sec-fetch-mode", "origin"]
        .iter()
        .fold(request, |request, name| request.without(name))
}

/// A new token of this person, with its id.
async fn create(person: &Person, scopes: &[&str], workspace: Option<&str>) -> (String, String) {
    let order = json!({ "name": "a program", "scopes": scopes, "days": 7, "workspace": workspace });
    let response = person.act("create_token", order).await.unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let made: Value = response.json().unwrap();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    (text("token"), text("id"))
}

/// A new token of this person for all of their workspaces.
async fn token(person: &Person, scopes: &[&str]) -> String {
    create(person, scopes, None).await.0
}

/// The status and the code of an error, which has a sentence.
fn error(response: &Response) -> (u16, String) {
    let body: Value = response.json().unwrap();
    assert!(body["message"].as_str().unwrap().len() > 20, "{body}");
    let code = body["error"].as_str().unwrap().to_owned();
    (response.status.as_u16(), code)
}

/// Asks that it is refused with this status and this code.
#[track_caller]
fn refused(response: &Response, status: u16, code: &str) {
    assert_eq!(error(response), (status, code.to_owned()));
}
