//! A gateway whose live sandbox has notes and files, and releases that change them.

use crate::common::builder;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::wait::eventually;

/// Changes are taken back within a few seconds if a release is not well.
pub const CONFIG: &str = "[runtime]\nhold_secs = 6\n";

pub struct Fixture {
    pub gateway: Hypervisor,
    pub person: Person,
    /// The folder of the workspace's volumes.
    volumes: PathBuf,
    /// Notes that were acknowledged, in their order.
    pub notes: Vec<String>,
}

/// What live is: its release, and the plain files of its volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub release: u64,
    pub files: Files,
}

/// Modes and bytes by path.
pub type Files = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// A release that migrates the data to this schema, refuses those of a newer one, and is well.
pub fn well(schema: usize) -> String {
    format!(
        "now=$(cat schema || echo 0); test $now -le {schema} || exit 4; \
         if test $now != {schema}; then echo {schema} >> migrations; mkdir -p versions; \
         echo {schema} > versions/{schema}; echo {schema} > schema; fi; exec \"$0\""
    )
}

/// What a release does that spoils all that it finds.
pub const SPOIL: &str = "rm -r versions; chmod 777 migrations; echo spoilt > schema; \
                         echo spoilt > events.db; touch new;";

impl Fixture {
    /// With a release of schema 1 live, a note and files.
    pub async fn start() -> Self {
        Self::start_in(None).await
    }

    /// The same, with its volumes in this folder.
    pub async fn start_in(data: Option<&Path>) -> Self {
        let mut builder = builder().config(CONFIG);
        if let Some(data) = data {
            builder = builder.env("HYPERVISOR_RUNTIME_DATA_DIR", data.to_str().unwrap());
        }
        let gateway = builder.start().await.unwrap();
        let person = Person::register(&gateway, "alice").await.unwrap();
        let own = gateway.state_dir().join("sandboxes");
        let mut fixture = Self {
            volumes: data.unwrap_or(&own).join("sandbox"),
            gateway,
            person,
            notes: Vec::new(),
        };
        let first = fixture.add(&well(1)).await;
        let (status, said) = fixture.promote(first, json!({})).await;
        assert_eq!(status, 200, "{said}");
        fixture.note().await;
        fixture
    }

    /// Adds a release that runs this script in its volume, with our sandbox service as `$0`.
    pub async fn add(&self, script: &str) -> u64 {
        let sandbox = Path::new(env!("CARGO_BIN_EXE_hypervisor")).with_file_name("sandbox");
        let sandbox = sandbox.to_str().unwrap();
        let add = ["release", "add", "sandbox", "--", "/bin/sh", "-c", script];
        // Dev may run, and then is not given one that is not well; but it is added.
        let said = self.gateway.cli(&[&add[..], &[sandbox]].concat()).await;
        let view = self.view().await;
        let newest = view["releases"].as_array().unwrap().last().unwrap();
        let what = newest["what"].as_str().unwrap();
        assert!(what.contains(sandbox), "{said:?} {view}");
        newest["number"].as_u64().unwrap()
    }

    /// An act of the owner's, with a passkey.
    pub async fn act(&self, act: &str, mut order: Value) -> (u16, Value) {
        order["user_id"] = self.person.user_id.clone().into();
        let response = self.person.act(act, order).await.unwrap();
        (response.status.as_u16(), response.json().unwrap())
    }

    /// A promotion, without a rehearsal unless the order has one.
    pub async fn promote(&self, release: u64, order: Value) -> (u16, Value) {
        self.act("promote", promotion(release, order)).await
    }

    /// The workspace, as its owner sees it.
    pub async fn view(&self) -> Value {
        self.try_view().await.unwrap()
    }

    async fn try_view(&self) -> Option<Value> {
        let path = format!("/admin/workspaces/{}", self.person.user_id);
        let response = self.person.client.get(&path).await.ok()?;
        response.json().ok()
    }

    /// The same, once no change is under way.
    pub async fn settled(&self) -> Value {
        let settled = async || {
            let view = self.try_view().await?;
            (!view["history"][0]["outcome"].is_null()).then_some(view)
        };
        eventually("a change to be settled", settled).await.unwrap()
    }

    /// Writes a note on live, which is acknowledged.
    pub async fn note(&mut self) {
        let text = format!("note {}", self.notes.len());
        let note = json!({ "kind": "note", "payload": text });
        let stored = self.person.client.post_json("/logs/events", &note).await;
        let stored = stored.unwrap();
        assert_eq!(stored.status, 201, "{}", stored.text());
        self.notes.push(text);
    }

    /// The notes that live has.
    pub async fn read_notes(&self) -> Vec<String> {
        let response = self
            .person
            .client
            .get("/logs/events?limit=1000")
            .await
            .unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        let said: Value = response.json().unwrap();
        let events = said["events"]
            .as_array()
            .unwrap_or_else(|| said.as_array().unwrap());
        let notes = events.iter().filter(|event| event["kind"] == "note");
        let texts = notes.map(|event| event["payload"].as_str().unwrap().to_owned());
        texts.collect()
    }

    /// What live is now, which must have every note.
    pub async fn state(&self) -> State {
        assert_eq!(self.read_notes().await, self.notes);
        State {
            release: self.view().await["live_release"].as_u64().unwrap(),
            files: self.files("live"),
        }
    }

    /// The plain files of a role's volume.
    pub fn files(&self, role: &str) -> Files {
        let mut files = Files::new();
        let root = self.volume(role);
        collect(&root, &root, &mut files);
        files
    }

    pub fn volume(&self, role: &str) -> PathBuf {
        self.volumes.join(format!("sandbox-{role}"))
    }

    /// The schema of live's data.
    pub fn schema(&self) -> String {
        let schema = std::fs::read_to_string(self.volume("live").join("schema"));
        schema.unwrap().trim().to_owned()
    }

    /// Whether all requests to live were answered while something was done.
    pub async fn answered_meanwhile<T>(&self, work: impl Future<Output = T>) -> T {
        let asking = tokio::spawn({
            let client = self.person.client.clone();
            async move {
                loop {
                    let response = client.request(Method::GET, "/logs/events").send().await;
                    let response = response.expect("a request failed");
                    assert_eq!(response.status, 200, "{}", response.text());
                }
            }
        });
        let done = work.await;
        if asking.is_finished() {
            asking.await.unwrap();
        } else {
            asking.abort();
        }
        done
    }
}

/// A promotion's order.
pub fn promotion(release: u64, mut order: Value) -> Value {
    order["release"] = release.into();
    if order["rehearse"].is_null() {
        order["rehearse"] = false.into();
    }
    order
}

/// All but the database, which each start writes to.
fn collect(root: &Path, folder: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_owned();
        let text = name.to_str().unwrap();
        if text.starts_with("events.db") || text == "lock" || text == "probe" {
            continue;
        }
        let mode = path.symlink_metadata().unwrap().permissions().mode();
        if path.is_dir() {
            files.insert(name, (mode, Vec::new()));
            collect(root, &path, files);
        } else {
            files.insert(name, (mode, std::fs::read(&path).unwrap()));
        }
    }
}
