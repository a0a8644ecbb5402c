//! Several workspaces of one person, and several people in one workspace.

use crate::common::builder;
use crate::operator::{act, get as ask, refusal};
use crate::{Sides, enrol, get};
use serde_json::{Value, json};
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::raw::Raw;

/// Which workspace answers this person.
async fn led_to(person: &Person) -> Value {
    let answer = get(person, "/").await;
    let headers = answer["headers"].as_array().unwrap().clone();
    let found = headers.iter().find(|it| it[0] == "x-choiros-workspace");
    found.unwrap()[1].clone()
}

/// The chosen one, and all.
async fn workspaces(person: &Person) -> (Value, Vec<Value>) {
    let path = "/.choiros/api/workspaces";
    let list = get(person, path).await.as_array().unwrap().clone();
    let chosen = list.iter().find(|it| it["chosen"] == true).unwrap();
    let names = list.iter().map(|it| it["name"].clone());
    (chosen["name"].clone(), names.collect())
}

async fn member(gateway: &Hypervisor, name: &str, workspace: &str) -> Person {
    let invite = json!({ "act": "invite", "username": name, "workspace": workspace });
    let invite = act(gateway, &invite).await.unwrap();
    enrol(gateway, name, &invite).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_in_several_workspaces_chooses_and_who_is_taken_out_loses_what_is_open() {
    let sides = Sides::of(&["sandbox", "one", "two"]).await;
    let declared: &[(&str, &[&str])] = &[("sandbox", &[]), ("one", &[]), ("two", &["cyd"])];
    let gateway = sides.gateway(declared).start().await.unwrap();
    let ada = member(&gateway, "ada", "sandbox").await;
    let bob = member(&gateway, "bob", "one").await;
    assert_eq!(
        (led_to(&ada).await, led_to(&bob).await),
        ("sandbox".into(), "one".into())
    );

    let add = json!({ "act": "add_member", "workspace": "one", "username": " ADA " });
    act(&gateway, &add).await.unwrap();
    assert_eq!(refusal(&gateway, add).await, (409, "member_already".into()));
    assert_eq!(led_to(&ada).await, "sandbox", "until she chooses");
    let choose = "/.choiros/api/workspaces/one/choose";
    let chosen = ada.client.post_json(choose, &json!({})).await.unwrap();
    assert_eq!(chosen.status, 204);
    assert_eq!(led_to(&ada).await, "one");
    let both = vec!["sandbox".into(), "one".into()];
    assert_eq!(workspaces(&ada).await, ("one".into(), both));
    let not_hers = "/.choiros/api/workspaces/two/choose";
    let refused = ada.client.post_json(not_hers, &json!({})).await.unwrap();
    assert_eq!(refused.status, 404, "{}", refused.text());
    let all = ask(&gateway, "/workspaces").await;
    let mut all = all.as_array().unwrap().iter();
    let one = all.find(|it| it["name"] == "one").unwrap();
    let members = one["members"].as_array().unwrap().iter();
    let names: Vec<_> = members.map(|it| &it["username"]).collect();
    assert_eq!(names, ["ada", "bob"]);

    // What she has open there ends with the membership; her session goes on elsewhere.
    let mut open = Raw::connect(gateway.address()).await.unwrap();
    let host = format!("localhost:{}", gateway.port());
    let upgrade = format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nOrigin: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ada.cookie(),
        gateway.base_url(),
    );
    open.send(&upgrade).await.unwrap();
    open.read_until("\r\n\r\n").await.unwrap();
    let remove = json!({ "act": "remove_member", "workspace": "one", "user_id": ada.user_id });
    act(&gateway, &remove).await.unwrap();
    open.read_to_end().await.unwrap();
    assert_eq!(led_to(&ada).await, "sandbox");
    assert_eq!(refusal(&gateway, remove).await, (404, "no_member".into()));
    let last = json!({ "act": "remove_member", "workspace": "one", "user_id": bob.user_id });
    assert_eq!(refusal(&gateway, last).await, (409, "last_member".into()));
    let listed = ask(&gateway, "/workspaces").await;
    for it in listed.as_array().unwrap() {
        assert_eq!(it["members_declared"], it["name"] == "two", "{it}");
    }
    for it in [
        json!({ "act": "add_member", "workspace": "two", "username": "ada" }),
        json!({ "act": "invite", "workspace": "two" }),
    ] {
        assert_eq!(
            refusal(&gateway, it).await,
            (409, "declared_members".into())
        );
    }
    for it in [
        json!({ "act": "add_member", "workspace": "x", "username": "ada" }),
        json!({ "act": "invite", "workspace": "x" }),
    ] {
        assert_eq!(refusal(&gateway, it).await, (404, "no_workspace".into()));
    }
}

#[tokio::test]
async fn an_invite_to_a_workspace_that_is_no_longer_served_says_so_and_makes_no_account() {
    let sides = Sides::of(&["sandbox", "one"]).await;
    let mut gateway = sides
        .gateway(&[("sandbox", &[]), ("one", &[])])
        .start()
        .await
        .unwrap();
    let invite = json!({ "act": "invite", "workspace": "one" });
    let invite = act(&gateway, &invite).await.unwrap();
    let config = sides.config(&[("sandbox", &[])]);
    std::fs::write(gateway.state_dir().join("hypervisor.toml"), config).unwrap();
    gateway.restart().await.unwrap();
    let refused = enrol(&gateway, "ada", &invite).await.err().unwrap();
    let said = refused.to_string();
    assert!(
        said.contains("no_workspace") && said.contains("one"),
        "{said}"
    );
    assert_eq!(ask(&gateway, "/users").await, json!([]));
    let again = json!({ "act": "invite", "workspace": "one" });
    assert_eq!(refusal(&gateway, again).await, (404, "no_workspace".into()));
}

#[tokio::test]
async fn names_that_are_no_hosts_become_workspaces_with_others() {
    let gateway = builder().start().await.unwrap();
    // Who comes first has the one that is declared.
    Person::register(&gateway, "first").await.unwrap();
    for name in ["www", "x-dev", "xn--p1ai", "-"] {
        let person = Person::register(&gateway, name).await.unwrap();
        let list = get(&person, "/admin/sandboxes").await;
        let workspace = list[0]["workspace"].as_str().unwrap().to_owned();
        assert_ne!(workspace, name);
        assert!(
            !workspace.ends_with("-dev") && !workspace.contains("--"),
            "{workspace}"
        );
    }
}
