//! What the configuration says about workspaces and members is what holds at the next start.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::{Side, builder};
use serde_json::Value;
use std::fmt::Write as _;
use testkit::harness::Hypervisor;
use testkit::person::Person;

/// A file that adopts sandboxes of `names`, each with its members, beside the default's.
struct File {
    sides: Vec<(String, Side, Side)>,
}

impl File {
    async fn new(names: &[&str]) -> Self {
        let mut sides = Vec::new();
        for name in ["sandbox"].iter().chain(names) {
            let pair = (Side::start("live").await, Side::start("dev").await);
            sides.push(((*name).to_owned(), pair.0, pair.1));
        }
        Self { sides }
    }

    fn text(&self, members: &[(&str, &[&str])]) -> String {
        let mut text = "[runtime]\nkind = \"adopt\"\nprobe_secs = 1\n".to_owned();
        let is_told = |name: &str| members.iter().find(|(told, _)| *told == name);
        for (name, live, dev) in &self.sides {
            let Some((_, members)) = is_told(name)
                .or_else(|| (name == "sandbox").then_some(&("sandbox", &[] as &[&str])))
            else {
                continue;
            };
            let _ = writeln!(text, "[workspaces.{name}]\nmembers = {members:?}");
            for (role, side) in [("live", live), ("dev", dev)] {
                let address = side.address;
                let _ = writeln!(
                    text,
                    "[workspaces.{name}.{role}]\naddress = \"{address}\"\nidentity = false"
                );
            }
        }
        text
    }
}

async fn restart_with(gateway: &mut Hypervisor, config: &str) {
    let file = gateway.state_dir().join("hypervisor.toml");
    std::fs::write(file, config).unwrap();
    gateway.restart().await.unwrap();
}

/// The workspace and generation that serve this person, or the refusal.
async fn served(person: &Person) -> Result<(String, String), (u16, Value)> {
    let response = person.client.get("/").await.unwrap();
    let status = response.status.as_u16();
    let json: Value = response.json().unwrap();
    if status != 200 {
        return Err((status, json));
    }
    let headers = json["headers"].as_array().unwrap().clone();
    let value = |name: &str| {
        let found = headers.iter().find(|header| header[0] == name).unwrap();
        found[1].as_str().unwrap().to_owned()
    };
    Ok((value("x-choiros-workspace"), value("x-choiros-generation")))
}

fn of(workspace: &str, generation: u8) -> (String, String) {
    (workspace.to_owned(), generation.to_string())
}

async fn events(person: &Person) -> Vec<String> {
    let response = person.client.get("/auth/audit").await.unwrap();
    let rows: Vec<Value> = response.json().unwrap();
    let word = |row: &Value| row["event"].as_str().unwrap().to_owned();
    rows.iter().map(word).collect()
}

#[tokio::test]
async fn members_follow_the_file_from_start_to_start() {
    let file = File::new(&["one", "two"]).await;
    let first = file.text(&[("one", &["Alice"]), ("two", &["BOB"])]);
    let mut gateway = builder().config(&first).start().await.unwrap();
    let alice = Person::register(&gateway, "alice").await.unwrap();
    let bob = Person::register(&gateway, "bob").await.unwrap();
    assert_eq!(served(&alice).await, Ok(of("one", 1)));
    assert_eq!(served(&bob).await, Ok(of("two", 1)));

    let exchanged = file.text(&[("one", &["bob"]), ("two", &["alice"])]);
    restart_with(&mut gateway, &exchanged).await;
    assert_eq!(served(&alice).await, Ok(of("two", 1)));
    assert_eq!(served(&bob).await, Ok(of("one", 1)));
    assert_eq!(events(&bob).await[0], "workspace_moved");

    // Carol has no account yet; Bob is named nowhere, and gets not what is nobody's either.
    let without_bob = file.text(&[("one", &["carol"]), ("two", &["alice"])]);
    restart_with(&mut gateway, &without_bob).await;
    let (status, refusal) = served(&bob).await.unwrap_err();
    assert_eq!((status, &refusal["error"]), (403, &"no_workspace".into()));
    assert_eq!(events(&bob).await[0], "workspace_left");
    let carol = Person::register(&gateway, "carol").await.unwrap();
    assert_eq!(served(&carol).await, Ok(of("one", 1)));
    let dave = Person::register(&gateway, "dave").await.unwrap();
    assert_eq!(
        served(&dave).await,
        Ok(of("sandbox", 1)),
        "nobody's until now"
    );
    gateway.restart().await.unwrap();
    assert_eq!(served(&bob).await.unwrap_err().0, 403, "also later");

    let with_bob = file.text(&[("one", &["carol", "Bob"]), ("two", &["alice"])]);
    restart_with(&mut gateway, &with_bob).await;
    assert_eq!(served(&bob).await, Ok(of("one", 1)));
    assert_eq!(
        served(&dave).await,
        Ok(of("sandbox", 1)),
        "whom nobody named stays"
    );
}

#[tokio::test]
async fn a_workspace_that_is_no_longer_declared_says_so_and_comes_back_as_it_was() {
    let file = File::new(&["one", "uno"]).await;
    let declared = file.text(&[("one", &[])]);
    let mut gateway = builder().config(&declared).start().await.unwrap();
    let first = Person::register(&gateway, "first").await.unwrap();
    assert_eq!(served(&first).await, Ok(of("sandbox", 1)));
    let alice = Person::register(&gateway, "alice").await.unwrap();
    assert_eq!(served(&alice).await, Ok(of("one", 1)));
    let swap = gateway.cli(&["swap", "one"]).await.unwrap();
    assert!(swap.status.success());
    assert_eq!(served(&alice).await, Ok(of("one", 2)));

    // Renamed, and the new name names nobody.
    restart_with(&mut gateway, &file.text(&[("uno", &[])])).await;
    let (status, refusal) = served(&alice).await.unwrap_err();
    assert_eq!(
        (status, &refusal["error"]),
        (403, &"workspace_retired".into())
    );
    let said = refusal["message"].as_str().unwrap();
    assert!(said.contains("one is no longer declared"), "{said}");
    assert!(
        !said.contains("again later") && !said.contains("try again"),
        "{said}"
    );
    let swap = gateway.cli(&["swap", "one"]).await.unwrap();
    let said = String::from_utf8_lossy(&swap.stderr).into_owned();
    assert!(said.contains("`workspaces.one`"), "{said}");

    restart_with(&mut gateway, &declared).await;
    assert_eq!(
        served(&alice).await,
        Ok(of("one", 2)),
        "route and generation"
    );
    assert_eq!(
        events(&alice).await[..2],
        ["workspace_back", "workspace_retired"]
    );

    // Renamed, and its members are named.
    restart_with(&mut gateway, &file.text(&[("uno", &["ALICE"])])).await;
    assert_eq!(served(&alice).await, Ok(of("uno", 1)));
}

#[tokio::test]
async fn workspaces_that_were_made_for_users_need_no_declaration() {
    let mut gateway = builder().start().await.unwrap();
    let alice = Person::register(&gateway, "alice").await.unwrap();
    let bob = Person::register(&gateway, "bob").await.unwrap();
    let mine = async |person: &Person| {
        let rows = person.client.get("/admin/sandboxes").await.unwrap();
        let rows: Vec<Value> = rows.json().unwrap_or_default();
        rows.first()
            .map(|row| row["workspace"].as_str().unwrap().to_owned())
    };
    assert_eq!(mine(&alice).await.as_deref(), Some("sandbox"));
    assert_eq!(mine(&bob).await.as_deref(), Some("bob"));
    let named = "[workspaces.sandbox]\nmembers = [\"carol\"]\n";
    restart_with(&mut gateway, named).await;
    assert_eq!(mine(&alice).await, None, "taken out, and named nowhere");
    assert_eq!(mine(&bob).await.as_deref(), Some("bob"));
    let carol = Person::register(&gateway, "carol").await.unwrap();
    assert_eq!(mine(&carol).await.as_deref(), Some("sandbox"));
}
