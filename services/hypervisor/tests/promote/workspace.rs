//! A gateway whose sandboxes are processes, and what is asked of it.

use crate::common::builder;
use serde_json::{Value, json};
use std::path::Path;
use testkit::harness::{Builder, Hypervisor};
use testkit::person::Person;

pub struct Workspace {
    pub gateway: Hypervisor,
    pub person: Person,
}

impl Workspace {
    /// Live and dev have release 1.
    pub async fn start() -> Self {
        Self::of(builder()).await
    }

    /// The same, of another gateway.
    pub async fn of(builder: Builder) -> Self {
        let gateway = builder.start().await.unwrap();
        let person = Person::register(&gateway, "ada").await.unwrap();
        Self { gateway, person }
    }

    /// The same, and dev has release 2.
    pub async fn with_two_releases() -> Self {
        let workspace = Self::start().await;
        workspace.add_release("2").await;
        workspace
    }

    /// A release that differs from the others by this word.
    pub async fn add_release(&self, word: &str) -> Value {
        let env = format!("WORD={word}");
        self.ok(&["release", "add", "sandbox", "--env", &env]).await
    }

    /// What the operator's command answers.
    pub async fn ok(&self, args: &[&str]) -> Value {
        let output = self.cli(args).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Why the operator's command fails.
    pub async fn refused(&self, args: &[&str]) -> String {
        let output = self.cli(args).await;
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    async fn cli(&self, args: &[&str]) -> std::process::Output {
        self.gateway
            .cli(&[&["--json"], args].concat())
            .await
            .unwrap()
    }

    /// What an act with a passkey answers.
    pub async fn act(&self, name: &str, mut order: Value) -> (u16, Value) {
        order["user_id"] = self.person.user_id.clone().into();
        let response = self.person.act(name, order).await.unwrap();
        (response.status.as_u16(), response.json().unwrap())
    }

    /// Writes a note to the sandbox at `path`, and says which event it is.
    pub async fn note(&self, path: &str, text: &str) -> i64 {
        let event = json!({ "kind": "note", "payload": { "text": text } });
        let path = format!("{path}logs/events");
        let response = self.person.client.post_json(&path, &event).await.unwrap();
        assert!(response.status.is_success(), "{}", response.text());
        response.json::<Value>().unwrap()["id"].as_i64().unwrap()
    }

    /// The notes of the sandbox at `path`, the oldest first.
    pub async fn notes(&self, path: &str) -> Vec<String> {
        let (mut notes, mut after) = (Vec::new(), 0);
        loop {
            let path = format!("{path}logs/events?limit=1000&after={after}");
            let response = self.person.client.get(&path).await.unwrap();
            let events: Vec<Value> = response.json().unwrap();
            let Some(last) = events.last() else {
                return notes;
            };
            after = last["id"].as_i64().unwrap();
            let of_notes = events.iter().filter(|event| event["kind"] == "note");
            let text = |event: &Value| event["payload"]["text"].as_str().unwrap().to_owned();
            notes.extend(of_notes.map(text));
        }
    }

    /// The row of a role.
    pub async fn row(&self, role: &str) -> Value {
        let rows = self.ok(&["sandboxes"]).await;
        let rows = rows.as_array().unwrap();
        rows.iter().find(|row| row["role"] == role).unwrap().clone()
    }

    /// What live and dev run.
    pub async fn releases(&self) -> (u64, u64) {
        let of = async |role| self.row(role).await["release"].as_u64().unwrap();
        (of("live").await, of("dev").await)
    }

    /// All that there is to see of it.
    pub async fn view(&self) -> Value {
        let path = format!("/admin/workspaces/{}", self.person.user_id);
        self.person.client.get(&path).await.unwrap().json().unwrap()
    }
}

/// Our sandbox service.
pub fn sandbox_program() -> String {
    let beside = Path::new(env!("CARGO_BIN_EXE_hypervisor")).with_file_name("sandbox");
    beside.to_str().unwrap().to_owned()
}
