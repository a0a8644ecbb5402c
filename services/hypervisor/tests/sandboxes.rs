//! What members, admins and the operator see of sandboxes: which there are, what they use, and
//! what they write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

use http::Method;
use serde_json::{Value, json};
use std::path::Path;
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::sse::Stream;
use testkit::wait::eventually;

const GATEWAY: &str = env!("CARGO_BIN_EXE_hypervisor");

/// A gateway whose sandboxes do this as well, in the background.
async fn gateway(also: &str) -> Hypervisor {
    let sandbox = Path::new(GATEWAY).with_file_name("sandbox");
    let script = format!("({also}) & exec {}", sandbox.display());
    Hypervisor::builder(GATEWAY.as_ref())
        .env("HYPERVISOR_ORIGINS", "own")
        .env(
            "HYPERVISOR_RUNTIME_COMMAND",
            &json!(["/bin/sh", "-c", script]).to_string(),
        )
        .start()
        .await
        .unwrap()
}

/// The admin, and somebody else.
async fn people(gateway: &Hypervisor) -> (Person, Person) {
    let link = gateway.enrolment_link().await.unwrap();
    let admin = Person::enrol(gateway, "alice", &link).await.unwrap();
    let invite = gateway.cli(&["invite", "--json"]).await.unwrap();
    let invite: Value = serde_json::from_slice(&invite.stdout).unwrap();
    let url = invite["url"].as_str().unwrap();
    let bob = Person::enrol(gateway, "bob", url).await.unwrap();
    (admin, bob)
}

async fn rows(person: &Person, path: &str) -> Vec<Value> {
    let response = person.client.get(path).await.unwrap();
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    response.json().unwrap()
}

async fn refusal(person: &Person, method: Method, path: &str) -> (u16, Value) {
    let response = person.client.request(method, path).send().await.unwrap();
    let said: Value = response.json().unwrap();
    (response.status.as_u16(), said["error"].clone())
}

/// The name of the only workspace that this person has.
async fn workspace(person: &Person) -> String {
    let rows = rows(person, "/api/sandboxes").await;
    assert_eq!(rows.len(), 2);
    rows[0]["workspace"].as_str().unwrap().to_owned()
}

async fn start(person: &Person, workspace: &str, role: &str) {
    let path = format!("/api/sandboxes/{workspace}/{role}/start");
    let response = person.client.post_json(&path, &json!({})).await.unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
}

/// Reads until a line has this in it.
async fn until(stream: &mut Stream, text: &str) {
    loop {
        let event = stream.next().await.unwrap().expect("the stream goes on");
        let line: Value = event.json().unwrap();
        if line["line"].as_str().unwrap().contains(text) {
            return;
        }
    }
}

#[tokio::test]
async fn each_sandbox_is_there_once_for_those_who_may_see_it() {
    let gateway = gateway("while :; do :; done").await;
    let (admin, bob) = people(&gateway).await;
    let theirs = workspace(&bob).await;
    let all = rows(&admin, "/api/sandboxes").await;
    let names: Vec<_> = all
        .iter()
        .map(|row| row["sandbox"].as_str().unwrap())
        .collect();
    let (live, dev) = (format!("{theirs}-live"), format!("{theirs}-dev"));
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names.contains(&&*live) && names.contains(&&*dev));
    for row in &all {
        assert_eq!(row["members"].as_array().unwrap().len(), 1, "{row}");
        assert_eq!(
            (&row["status"], &row["usage"]),
            (&json!("stopped"), &Value::Null)
        );
        assert_eq!(
            (&row["requests"], &row["last_request_at"]),
            (&json!(0), &Value::Null)
        );
    }
    let found = rows(&admin, "/api/sandboxes?search=BOB").await;
    assert_eq!(found.len(), 2, "by a member's name: {found:?}");
    assert!(found.iter().all(|row| row["members"] == json!(["bob"])));
    assert_eq!(rows(&admin, "/api/sandboxes?search=nobody").await.len(), 0);
    assert_eq!(rows(&bob, "/api/sandboxes?search=alice").await.len(), 0);
    let said = gateway.cli(&["sandboxes", "--json"]).await.unwrap();
    let said: Vec<Value> = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said.len(), 4);

    // Another's is nobody's business, whether it is there or not.
    let others = workspace_of(&all, "alice");
    for name in [&*others, "nothing"] {
        for (method, rest) in [
            (Method::GET, ""),
            (Method::GET, "/live/log"),
            (Method::POST, "/live/start"),
            (Method::POST, "/live/stop"),
        ] {
            let path = format!("/api/sandboxes/{name}{rest}");
            let refused = refusal(&bob, method, &path).await;
            assert_eq!(refused, (403, json!("not_yours")), "{path}");
        }
    }
    let refused = refusal(&admin, Method::GET, "/api/sandboxes/nothing").await;
    assert_eq!(refused, (404, json!("no_workspace")));
    let refused = refusal(&admin, Method::GET, "/api/sandboxes?whom=bob").await;
    assert_eq!(refused, (400, json!("bad_request")));
    let mut nobody = admin.clone();
    nobody.client = gateway.client();
    let refused = refusal(&nobody, Method::GET, "/api/sandboxes").await;
    assert_eq!(refused, (401, json!("unauthenticated")));

    start(&admin, &theirs, "live").await;
    let busy = async || {
        let rows = rows(&bob, "/api/sandboxes").await;
        let live = rows.iter().find(|row| row["role"] == "live").unwrap();
        let usage = &live["usage"];
        assert_eq!(usage["disk_bytes"], Value::Null, "a list looks at no disk");
        (usage["cpu_secs"].as_f64()? > 0.2).then(|| usage.clone())
    };
    let usage = eventually("a busy sandbox", busy).await.unwrap();
    assert!(usage["memory_bytes"].as_u64().unwrap() > 1 << 16);
    assert!(usage["tasks"].as_u64().unwrap() >= 2);
    let one = rows(&bob, &format!("/api/sandboxes/{theirs}")).await;
    let live = one.iter().find(|row| row["role"] == "live").unwrap();
    assert!(live["usage"]["disk_bytes"].as_u64().unwrap() > 0, "{live}");
    assert!(live["usage"]["at"].is_string(), "{live}");

    let stop = format!("/api/sandboxes/{theirs}/live/stop");
    let stopped = bob.client.post_json(&stop, &json!({})).await.unwrap();
    assert_eq!(stopped.json::<Value>().unwrap()["status"], "stopped");
    let rows = rows(&admin, "/api/sandboxes?search=bob").await;
    let live = rows.iter().find(|row| row["role"] == "live").unwrap();
    assert_eq!(
        (&live["stopped_by"], &live["members"]),
        (&json!("bob"), &json!(["bob"]))
    );
}

fn workspace_of(rows: &[Value], member: &str) -> String {
    let of_member = |row: &&Value| row["members"] == json!([member]);
    let row = rows.iter().find(of_member).unwrap();
    row["workspace"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_log_is_followed_until_the_session_ends() {
    let gateway = gateway("while :; do echo a line; sleep 0.1; done").await;
    let (admin, bob) = people(&gateway).await;
    let name = workspace(&bob).await;
    let path = format!("/api/sandboxes/{name}/live/log");
    let empty = bob.client.events(&path, None).await.unwrap().next().await;
    assert_eq!(empty.unwrap(), None, "it never ran, and nobody follows");
    let follow = format!("{path}?follow=true");
    let mut before = bob.client.events(&follow, None).await.unwrap();
    start(&bob, &name, "live").await;
    until(&mut before, "a line").await;
    let mut there = bob.clone();
    there.client = gateway.client();
    there.log_in().await.unwrap();
    let mut others = vec![
        there.client.events(&follow, None).await.unwrap(),
        admin.client.events(&follow, None).await.unwrap(),
    ];
    let last = bob.client.events(&format!("{path}?lines=1"), None).await;
    let mut last = last.unwrap();
    until(&mut last, "").await;
    assert_eq!(last.next().await.unwrap(), None);
    let refused = refusal(&bob, Method::GET, &format!("{path}?lines=x")).await;
    assert_eq!(refused, (400, json!("bad_request")));

    let out = bob.client.post_json("/auth/logout", &json!({})).await;
    assert_eq!(out.unwrap().status, 303);
    while before.next().await.unwrap().is_some() {}
    for other in &mut others {
        until(other, "a line").await;
        until(other, "a line").await;
    }
    // Nobody has to wait for readers.
    let mut gateway = gateway;
    gateway.sigterm().unwrap();
    for mut other in others {
        while other.next().await.unwrap().is_some() {}
    }
    assert!(gateway.wait_exit().await.unwrap().success());
}

#[tokio::test]
async fn so_many_logs_are_read_at_a_time() {
    let gateway = gateway(":").await;
    let (_, bob) = people(&gateway).await;
    let name = workspace(&bob).await;
    let follow = format!("/api/sandboxes/{name}/dev/log?follow=true");
    let mut readers = Vec::new();
    for _ in 0..8 {
        readers.push(bob.client.events(&follow, None).await.unwrap());
    }
    let refused = refusal(&bob, Method::GET, &follow).await;
    assert_eq!(refused, (429, json!("too_many_logs")));
    drop(readers);
    let again = async || bob.client.events(&follow, None).await.ok();
    eventually("room for a reader", again).await.unwrap();
}

/// Resident bytes of a process.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    kib * 1024
}

/// As fast as it can, for a hundred megabytes.
const FLOOD: &str = "yes 'a line that is written over and over, for nobody reads it' | head -c 100000000; echo; echo all is written";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_lines_takes_no_memory_of_the_gateways_and_holds_up_nobody() {
    let gateway = gateway(FLOOD).await;
    let (_, bob) = people(&gateway).await;
    let name = workspace(&bob).await;
    let path = format!("/api/sandboxes/{name}/live/log");
    let before = memory(gateway.pid());
    let mut reads = bob
        .client
        .events(&format!("{path}?follow=true"), None)
        .await
        .unwrap();
    let mut slow = bob
        .client
        .events(&format!("{path}?follow=true"), None)
        .await
        .unwrap();
    start(&bob, &name, "live").await;
    until(&mut reads, "all is written").await;
    let grown = memory(gateway.pid()).saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
    until(&mut slow, "lines are left out here").await;
    until(&mut slow, "all is written").await;
}
