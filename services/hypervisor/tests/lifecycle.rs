//! Starts, ends and restarts of the whole program and its sandboxes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::{builder, gateway, sides};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::wait::eventually;

async fn rows(person: &Person) -> Vec<Value> {
    person
        .client
        .get("/admin/sandboxes")
        .await
        .unwrap()
        .json()
        .unwrap()
}

async fn row(person: &Person, role: &str) -> Value {
    let rows = rows(person).await;
    rows.into_iter().find(|row| row["role"] == role).unwrap()
}

async fn events(person: &Person, base: &str) -> Vec<Value> {
    let response = person
        .client
        .get(&format!("{base}/logs/events"))
        .await
        .unwrap();
    let response: Value = response.json().unwrap();
    response["events"]
        .as_array()
        .or(response.as_array())
        .unwrap()
        .clone()
}

fn of_kind(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["kind"] == kind).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_first_requests_start_a_stopped_sandbox_once() {
    let gateway = gateway().await;
    let person = Person::register(&gateway, "alice").await.unwrap();
    assert_eq!(row(&person, "live").await["status"], "stopped");
    let requests = (0..200).map(|_| {
        let client = person.client.clone();
        tokio::spawn(async move { client.get("/logs/events").await.unwrap().status.as_u16() })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(of_kind(&events(&person, "").await, "system.startup"), 1);
}

#[tokio::test]
async fn a_second_start_finds_the_same_account_routes_and_events() {
    let mut gateway = gateway().await;
    let person = Person::register(&gateway, "alice").await.unwrap();
    let note = json!({ "kind": "note", "payload": "remember me" });
    let stored = person
        .client
        .post_json("/logs/events", &note)
        .await
        .unwrap();
    assert_eq!(stored.status, 201, "{}", stored.text());
    assert_eq!(person.swap(json!({})).await.unwrap().status, 200);

    gateway.restart().await.unwrap();

    let me: Value = person.client.get("/auth/me").await.unwrap().json().unwrap();
    assert_eq!(
        me["username"], "alice",
        "the session ended with the restart"
    );
    let live = row(&person, "live").await;
    assert_eq!(
        (&live["sandbox"], &live["generation"]),
        (&json!("sandbox-dev"), &json!(2))
    );
    let events = events(&person, "/dev").await;
    assert_eq!(of_kind(&events, "note"), 1, "{events:?}");
    assert_eq!(of_kind(&events, "system.startup"), 2, "{events:?}");
    person.log_in().await.unwrap();
}

#[tokio::test]
async fn a_second_user_has_a_workspace_of_their_own_and_neither_reaches_the_others() {
    let gateway = Hypervisor::builder(env!("CARGO_BIN_EXE_hypervisor").as_ref())
        .start()
        .await
        .unwrap();
    let link = gateway.enrolment_link().await.unwrap();
    let admin = Person::enrol(&gateway, "alice", &link).await.unwrap();
    let invite = gateway.cli(&["invite", "--json"]).await.unwrap();
    let invite: Value = serde_json::from_slice(&invite.stdout).unwrap();
    let bob = Person::enrol(&gateway, "bob@example.com", invite["url"].as_str().unwrap())
        .await
        .unwrap();
    let invite = gateway.cli(&["invite", "--json"]).await.unwrap();
    let invite: Value = serde_json::from_slice(&invite.stdout).unwrap();
    let carol = Person::enrol(&gateway, "carol", invite["url"].as_str().unwrap())
        .await
        .unwrap();

    for (person, secret) in [(&admin, "a"), (&bob, "b"), (&carol, "c")] {
        let note = json!({ "kind": "note", "payload": secret });
        let stored = person
            .client
            .post_json("/logs/events", &note)
            .await
            .unwrap();
        assert_eq!(stored.status, 201);
    }
    assert_eq!(of_kind(&events(&bob, "").await, "note"), 1);
    let names: Vec<_> = rows(&bob)
        .await
        .iter()
        .map(|row| row["sandbox"].clone())
        .collect();
    assert_eq!(names, [json!("bob-live"), json!("bob-dev")]);
    assert_eq!(rows(&admin).await.len(), 6, "an admin sees all");
    assert_eq!(row(&carol, "live").await["sandbox"], "carol-live");
    let data = gateway.state_dir().join("sandboxes");
    assert!(data.join("bob/bob-live").is_dir() && data.join("sandbox/sandbox-live").is_dir());

    for path in ["live/start", "live/stop", "swap"] {
        let path = format!("/admin/sandboxes/{}/{path}", carol.user_id);
        let response = bob.client.post_json(&path, &json!({})).await.unwrap();
        assert_eq!(response.status, 403, "bob may {path}");
    }
    assert_eq!(row(&carol, "live").await["generation"], 1);
}

#[tokio::test]
async fn a_crash_loop_ends_in_failed_with_the_last_words() {
    let gateway = builder()
        .env(
            "HYPERVISOR_RUNTIME_COMMAND",
            r#"["/bin/sh", "-c", "echo the flux capacitor is empty >&2; exit 3"]"#,
        )
        .env("HYPERVISOR_RUNTIME_MAX_RESTARTS", "2")
        .start()
        .await
        .unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    let response = person.client.get("/").await.unwrap();
    assert_eq!(response.status, 503, "{}", response.text());
    assert!(response.header("retry-after").is_some());
    let said: Value = response.json().unwrap();
    assert!(
        said["message"].as_str().unwrap().contains("flux capacitor"),
        "{said}"
    );
    assert_eq!(row(&person, "live").await["status"], "failed");
    let page = person.client.navigate("/").await.unwrap();
    assert!(page.text().contains("flux capacitor") && page.text().contains("<html"));
    let deep = gateway.client().get("/health?deep").await.unwrap();
    assert_eq!(deep.status, 503);
    assert!(deep.text().contains("sandbox-live"), "{}", deep.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_no_claimed_request() {
    let (_live, _dev, config) = sides().await;
    let mut gateway = builder().config(&config).start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    let slow: Vec<_> = (0..32)
        .map(|_| {
            let client = person.client.clone();
            tokio::spawn(async move { client.get("/slow").await })
        })
        .collect();
    let claimed = async || {
        let status = gateway.cli(&["status", "--json"]).await.unwrap();
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        (status["claims"] == 32).then_some(())
    };
    eventually("32 claims", claimed).await.unwrap();
    gateway.sigterm().unwrap();
    for request in slow {
        let response = request.await.unwrap().expect("a claimed request was lost");
        assert_eq!(response.status, 200);
    }
    assert!(gateway.wait_exit().await.unwrap().success());
}

#[tokio::test]
async fn a_taken_port_is_a_sentence_and_exit_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut second = builder().env("HYPERVISOR_PORT", &port).spawn().unwrap();
    let status = second.wait_exit().await.unwrap();
    assert_eq!(status.code(), Some(1));
    let said = second.process().transcript();
    assert!(
        said.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{said}"
    );
    assert!(said.contains("HYPERVISOR_PORT"), "{said}");
}

#[tokio::test]
async fn a_second_start_on_one_state_is_refused() {
    let first = gateway().await;
    let store = first.state_dir().join("hypervisor.db");
    let mut second = builder()
        .env("HYPERVISOR_STORE_PATH", store.to_str().unwrap())
        .spawn()
        .unwrap();
    assert_eq!(second.wait_exit().await.unwrap().code(), Some(1));
    let said = second.process().transcript();
    assert!(said.contains("another hypervisor answers"), "{said}");
    assert!(first.cli(&["status"]).await.unwrap().status.success());
}

#[tokio::test]
async fn sandboxes_end_with_the_hypervisor_however_it_ends() {
    for how in ["term", "kill"] {
        // With this grace only an end of their own accord is seen here.
        let builder = builder().env("HYPERVISOR_RUNTIME_STOP_SECS", "3600");
        let mut gateway = builder.start().await.unwrap();
        let person = Person::register(&gateway, "alice").await.unwrap();
        assert_eq!(person.client.get("/logs/events").await.unwrap().status, 200);
        let port = row(&person, "live").await["port"].as_u64().unwrap();
        let address = format!("127.0.0.1:{port}");
        assert!(tokio::net::TcpStream::connect(&address).await.is_ok());
        match how {
            "term" => gateway.sigterm().unwrap(),
            _ => gateway.kill9().unwrap(),
        }
        gateway.wait_exit().await.unwrap();
        let gone = async || tokio::net::TcpStream::connect(&address).await.err();
        eventually("the sandbox's end", gone).await.unwrap();
    }
}

#[tokio::test]
async fn no_secret_of_the_environment_reaches_a_sandbox() {
    let gateway = builder()
        .env("AWS_SECRET_ACCESS_KEY", "hunter2")
        .env(
            "HYPERVISOR_RUNTIME_COMMAND",
            r#"["/bin/sh", "-c", "env >&2; exit 3"]"#,
        )
        .env("HYPERVISOR_RUNTIME_MAX_RESTARTS", "1")
        .start()
        .await
        .unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    let response = person.client.get("/").await.unwrap().text();
    assert!(response.contains("SANDBOX_NAME"), "{response}");
    assert!(
        !response.contains("hunter2") && !response.contains("HYPERVISOR_"),
        "{response}"
    );
}

#[tokio::test]
async fn an_idle_sandbox_is_stopped_and_an_open_websocket_is_not_idle() {
    let gateway = builder()
        .env("HYPERVISOR_RUNTIME_IDLE_SECS", "1")
        .start()
        .await
        .unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    let socket = person.client.websocket("/ws/logs/events").await.unwrap();
    assert_eq!(
        person.client.get("/dev/logs/events").await.unwrap().status,
        200
    );
    let idle = async || (row(&person, "dev").await["status"] == "stopped").then_some(());
    eventually("the idle stop of dev", idle).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        row(&person, "live").await["status"],
        "running",
        "stopped under a WebSocket"
    );
    drop(socket);
    let idle = async || (row(&person, "live").await["status"] == "stopped").then_some(());
    eventually("the idle stop of live", idle).await.unwrap();
    assert_eq!(
        person.client.get("/logs/events").await.unwrap().status,
        200,
        "no start after it"
    );
}

#[tokio::test]
async fn start_and_stop_are_idempotent() {
    let gateway = gateway().await;
    let person = Person::register(&gateway, "alice").await.unwrap();
    for (verb, status) in [
        ("start", "running"),
        ("start", "running"),
        ("stop", "stopped"),
        ("stop", "stopped"),
    ] {
        let path = format!("/admin/sandboxes/{}/dev/{verb}", person.user_id);
        let response = person.client.post_json(&path, &json!({})).await.unwrap();
        let said: Value = response.json().unwrap();
        assert_eq!(
            (response.status.as_u16(), &said["status"]),
            (200, &json!(status)),
            "{said}"
        );
        assert_eq!(said["port"].is_u64(), verb == "start", "{said}");
    }
}

#[tokio::test]
async fn the_operators_socket_is_for_its_user_alone() {
    let gateway = gateway().await;
    let socket = gateway.state_dir().join("control.sock");
    assert_eq!(
        socket.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    // As another user (which only root can become, and who must be able to come here), over a
    // socket that all may open.
    let mode_of = |path: &Path| path.metadata().unwrap().permissions().mode();
    let mut above = gateway.state_dir().ancestors().skip(1);
    let reachable = above.all(|folder| mode_of(folder) & 1 == 1);
    if rustix::process::geteuid().is_root() && reachable {
        for path in [gateway.state_dir(), &socket] {
            std::fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
        }
        let copy = gateway.state_dir().join("program");
        std::fs::copy(env!("CARGO_BIN_EXE_hypervisor"), &copy).unwrap();
        let stranger = tokio::process::Command::new(copy)
            .arg("status")
            .env("HYPERVISOR_SERVER_CONTROL_SOCKET", &socket)
            .uid(65534)
            .gid(65534)
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        assert!(!stranger.status.success());
        let said = String::from_utf8_lossy(&stranger.stderr).into_owned();
        assert!(said.contains("for root and its own user"), "{said}");
    }
}

#[tokio::test]
async fn a_broken_seal_is_logged_when_it_breaks_and_when_it_holds_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    std::fs::write(&file, "sealed\n").unwrap();
    let mut gateway = builder()
        .env("HYPERVISOR_RUNTIME_SEAL_FILE", file.to_str().unwrap())
        .start()
        .await
        .unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    std::fs::write(&file, "the firewall's table is gone\n").unwrap();
    let told = |line: &str| line.contains("WARN") && line.contains("table is gone");
    gateway.process().stderr_line(told).await.unwrap();
    let response = person.client.get("/").await.unwrap();
    assert_eq!(response.status, 503);
    assert!(
        response.text().contains("table is gone"),
        "{}",
        response.text()
    );
    std::fs::write(&file, "sealed\n").unwrap();
    assert_eq!(person.client.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn the_audit_log_is_written_however_quiet_the_rest_is() {
    let mut gateway = builder()
        .env("HYPERVISOR_LOG_FILTER", "off")
        .start()
        .await
        .unwrap();
    Person::register(&gateway, "alice").await.unwrap();
    let audit = |line: &str| line.contains("audit") && line.contains("registered");
    gateway.process().stderr_line(audit).await.unwrap();
    assert!(!gateway.process().stderr().contains("running"));
}

#[tokio::test]
async fn a_filter_that_is_a_typo_is_a_sentence_and_exit_code_1() {
    for command in ["serve", "check-config"] {
        let mut gateway = builder()
            .env("HYPERVISOR_LOG_FILTER", "inof")
            .spawn()
            .unwrap();
        assert_eq!(gateway.wait_exit().await.unwrap().code(), Some(1));
        let checked = gateway.cli(&[command]).await.unwrap();
        assert_eq!(checked.status.code(), Some(1));
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(said.contains("log.filter: `inof` is no level"), "{said}");
    }
}
