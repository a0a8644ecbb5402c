//! Who is invited has a workspace of their own with their account, as long as the host has slots.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::{Side, builder};
use futures_util::future::join_all;
use serde_json::Value;
use std::fmt::Write as _;
use tempfile::TempDir;
use testkit::harness::Hypervisor;
use testkit::person::Person;

/// A gateway on a host with slots.
struct Host {
    gateway: Hypervisor,
    folder: TempDir,
}

impl Host {
    /// With so many slots, in the first of which these run, and nothing in the others.
    async fn start(slots: u32, first: [&Side; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let declared = [Side::start("live").await, Side::start("dev").await];
        let config = format!(
            "[runtime]\nkind = \"adopt\"\nprobe_secs = 1\n\
             [workspaces.sandbox]\nmembers = [\"root\"]\n\
             [workspaces.sandbox.live]\naddress = \"{}\"\n\
             [workspaces.sandbox.dev]\naddress = \"{}\"\n\
             [slots]\ntable = '{}'\nidentity = false\n",
            declared[0].address,
            declared[1].address,
            folder.path().join("table").display()
        );
        write_table(&folder, slots, first);
        let gateway = builder().config(&config).start().await.unwrap();
        Self { gateway, folder }
    }

    async fn restart_with(&mut self, slots: u32, first: [&Side; 2]) {
        write_table(&self.folder, slots, first);
        self.gateway.restart().await.unwrap();
    }

    async fn json(&self, args: &[&str]) -> Value {
        let said = self.gateway.cli(args).await.unwrap();
        serde_json::from_slice(&said.stdout).unwrap()
    }
}

fn write_table(folder: &TempDir, slots: u32, first: [&Side; 2]) {
    let mut table = format!("1 {} {}\n", first[0].address, first[1].address);
    for slot in 2..=slots {
        let (high, low) = (slot / 250, slot % 250 + 1);
        let _ = writeln!(table, "{slot} 127.9.{high}.{low}:9 127.8.{high}.{low}:9");
    }
    std::fs::write(folder.path().join("table"), table).unwrap();
}

async fn sides() -> [Side; 2] {
    [Side::start("live").await, Side::start("dev").await]
}

async fn workspace(person: &Person) -> String {
    let rows = person.client.get("/admin/sandboxes").await.unwrap();
    let rows: Vec<Value> = rows.json().unwrap();
    assert_eq!(rows.len(), 2);
    rows[0]["workspace"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_is_invited_comes_to_a_page_of_their_own() {
    let [live, dev] = sides().await;
    let mut host = Host::start(2, [&live, &dev]).await;
    let ada = Person::register(&host.gateway, "ada@example.org").await;
    let ada = ada.unwrap();
    let page = ada.client.get("/").await.unwrap();
    assert_eq!(page.status, 200);
    assert_eq!(common::seen(&page, "x-choiros-workspace"), ["ada"]);
    assert_eq!(common::seen(&page, "x-choiros-role"), ["live"]);
    let rows: Vec<Value> = ada
        .client
        .get("/admin/sandboxes")
        .await
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(rows[0]["sandbox"], "s1-live");
    assert_eq!(rows[1]["sandbox"], "s1-dev");
    assert_eq!(host.json(&["status", "--json"]).await["slots"]["free"], 1);

    host.gateway.restart().await.unwrap();
    assert_eq!(workspace(&ada).await, "ada", "also later");
    let swap = host.gateway.cli(&["swap", "ada", "--force"]).await.unwrap();
    assert!(swap.status.success(), "a workspace as any other");
}

#[tokio::test]
async fn all_who_come_at_once_get_a_slot_each_and_no_more_come_than_there_are() {
    let [live, dev] = sides().await;
    let host = Host::start(32, [&live, &dev]).await;
    let link = host.gateway.enrolment_link().await.unwrap();
    let root = Person::enrol(&host.gateway, "root", &link).await.unwrap();
    assert_eq!(workspace(&root).await, "sandbox", "the declared one");

    let names: Vec<String> = (0..33).map(|n| format!("user{n}@example.org")).collect();
    let all = names
        .iter()
        .map(|name| Person::register(&host.gateway, name));
    let (people, refused): (Vec<_>, Vec<_>) =
        join_all(all).await.into_iter().partition(Result::is_ok);
    assert_eq!((people.len(), refused.len()), (32, 1));
    let mut workspaces = Vec::new();
    for person in people {
        workspaces.push(workspace(&person.unwrap()).await);
    }
    workspaces.sort();
    workspaces.dedup();
    assert_eq!(workspaces.len(), 32, "one each");
    let said = refused.into_iter().next().unwrap().err().unwrap();
    let said = said.to_string();
    assert!(said.contains("507") && said.contains("no_slot"), "{said}");
    assert!(said.contains("all 32 are taken"), "{said}");
    assert!(said.contains("`services.choiros.slots`"), "{said}");
    let users = host.json(&["users", "--json"]).await;
    assert_eq!(users.as_array().unwrap().len(), 33, "no account without");

    let me = root.client.get("/auth/me").await.unwrap();
    let me: Value = me.json().unwrap();
    let notices = me["notices"].as_array().unwrap();
    assert_eq!(notices.len(), 1, "the admin hears of it once");
    assert_eq!(notices[0]["event"], "no_slot");
}

#[tokio::test]
async fn an_invite_that_found_no_slot_is_good_for_the_next_one_that_is_free() {
    let [live, dev] = sides().await;
    let mut host = Host::start(1, [&live, &dev]).await;
    Person::register(&host.gateway, "first").await.unwrap();
    let invite = host.json(&["invite", "--json"]).await;
    let link = invite["url"].as_str().unwrap();
    let refused = Person::enrol(&host.gateway, "second", link).await;
    assert!(refused.err().unwrap().to_string().contains("no_slot"));
    host.restart_with(2, [&live, &dev]).await;
    let second = Person::enrol(&host.gateway, "second", link).await.unwrap();
    assert_eq!(workspace(&second).await, "second");
}

#[tokio::test]
async fn a_host_with_fewer_slots_keeps_what_it_does_not_serve() {
    let [live, dev] = sides().await;
    let mut host = Host::start(2, [&live, &dev]).await;
    Person::register(&host.gateway, "ada").await.unwrap();
    let bob = Person::register(&host.gateway, "bob").await.unwrap();
    host.restart_with(1, [&live, &dev]).await;
    let refused = bob.client.get("/").await.unwrap();
    assert_eq!(refused.status, 403);
    let said: Value = refused.json().unwrap();
    assert_eq!(said["error"], "workspace_retired");
    host.restart_with(2, [&live, &dev]).await;
    assert_eq!(workspace(&bob).await, "bob");
}

#[tokio::test]
async fn a_declared_members_name_takes_an_invite_for_it() {
    let [live, dev] = sides().await;
    let host = Host::start(2, [&live, &dev]).await;
    let anybodys = host.json(&["invite", "--json"]).await;
    let link = anybodys["url"].as_str().unwrap();
    for name in ["root", "ROOT", "\u{ff52}oot"] {
        let refused = Person::enrol(&host.gateway, name, link).await.err();
        let said = refused.unwrap().to_string();
        assert!(said.contains("name_reserved"), "{name}: {said}");
    }
    let theirs = host.json(&["invite", "--username", "Root", "--json"]).await;
    let link = theirs["url"].as_str().unwrap();
    let other = Person::enrol(&host.gateway, "mallory", link).await.err();
    let said = other.unwrap().to_string();
    assert!(said.contains("invite_bound"), "{said}");
    let root = Person::enrol(&host.gateway, "root", link).await.unwrap();
    assert_eq!(workspace(&root).await, "sandbox");
}
