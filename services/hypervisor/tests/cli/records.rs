//! `hypervisor audit` and `logs`: what goes on, line by line.

use crate::common::gateway;
use crate::sentence;
use serde_json::{Value, json};
use std::io;
use testkit::harness::Hypervisor;
use testkit::person::Person;

async fn lines(gateway: &Hypervisor, args: &[&str]) -> Vec<String> {
    let output = gateway.cli(args).await.unwrap();
    assert!(output.status.success(), "{args:?}: {}", sentence(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn entries(lines: &[String]) -> Vec<Value> {
    let parse = |line: &String| serde_json::from_str(line).unwrap();
    lines.iter().map(parse).collect()
}

#[tokio::test]
async fn the_audit_log_is_told_from_the_beginning_or_from_where_a_copy_ends() {
    let gateway = gateway().await;
    Person::register(&gateway, "ada").await.unwrap();
    Person::register(&gateway, "bob").await.unwrap();
    let all = entries(&lines(&gateway, &["audit"]).await);
    let ids: Vec<_> = all.iter().map(|it| it["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() >= 3, "{ids:?}");
    assert!(all.iter().any(|it| it["event"] == "registered"), "{all:?}");
    let last = ids.last().unwrap().to_string();
    assert!(
        lines(&gateway, &["audit", "--after", &last])
            .await
            .is_empty()
    );
    gateway.cli(&["invite"]).await.unwrap();
    let new = entries(&lines(&gateway, &["audit", "--after", &last]).await);
    assert_eq!(new.len(), 1, "{new:?}");
    assert_eq!(new[0]["event"], "invited");
    assert_eq!(new[0]["actor"], "the operator");
    let at = new[0]["at"].as_str().unwrap();
    let since = entries(&lines(&gateway, &["audit", "--since", at]).await);
    assert_eq!(since, new);
    assert!(
        lines(&gateway, &["audit", "--since", "2999-01-01"])
            .await
            .is_empty()
    );
    let closed = io::pipe().unwrap().1;
    let quiet = gateway.command(&["audit"]).stdout(closed).output().unwrap();
    assert_eq!(
        (quiet.status.code(), sentence(&quiet)),
        (Some(141), String::new())
    );
}

#[tokio::test]
async fn what_the_operator_does_to_a_sandbox_is_in_the_audit_log() {
    let gateway = gateway().await;
    for (args, event) in [
        (&["sandboxes", "start", "sandbox", "dev"][..], "started"),
        (&["snapshot", "sandbox", "dev"], "snapshot_taken"),
        (&["sandboxes", "stop", "sandbox", "dev"], "stopped"),
    ] {
        let done = gateway.cli(args).await.unwrap();
        assert!(done.status.success(), "{args:?}: {}", sentence(&done));
        let all = entries(&lines(&gateway, &["audit"]).await);
        let last = all.last().unwrap();
        assert_eq!(
            (&last["event"], &last["actor"]),
            (&json!(event), &json!("the operator")),
            "{args:?}"
        );
    }
}

#[tokio::test]
async fn a_sandbox_can_be_read_and_steers_no_reader() {
    let gateway = gateway().await;
    Person::register(&gateway, "ada").await.unwrap();
    let start = ["sandboxes", "start", "sandbox", "live"];
    assert!(gateway.cli(&start).await.unwrap().status.success());
    let log = lines(&gateway, &["logs", "sandbox", "live", "--lines", "5"]).await;
    assert!((1..=5).contains(&log.len()), "{log:?}");
    let log = lines(&gateway, &["logs", "sandbox", "--json", "-n", "1"]).await;
    assert!(entries(&log)[0]["line"].is_string(), "{log:?}");
    let nowhere = gateway.cli(&["logs", "nowhere"]).await.unwrap();
    assert_eq!(nowhere.status.code(), Some(1), "{}", sentence(&nowhere));
}
