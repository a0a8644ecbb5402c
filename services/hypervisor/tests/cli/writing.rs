//! Where answers go, and what becomes of a secret that nobody was shown.

use crate::common::gateway;
use crate::terminal::Terminal;
use crate::{json, sentence};
use serde_json::{Value, json};
use std::fs::File;
use std::io;
use std::process::{Command, Stdio};
use testkit::harness::Hypervisor;
use testkit::person::Person;

fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

fn closed_pipe() -> Stdio {
    io::pipe().unwrap().1.into()
}

/// What has become of each invite, the oldest first.
async fn invites(gateway: &Hypervisor) -> Vec<String> {
    let rows = json(gateway, &["invites"]).await;
    let mut rows = rows.as_array().unwrap().clone();
    rows.sort_by_key(|row| row["created_at"].to_string());
    let state = |row: &Value| row["state"].as_str().unwrap().to_owned();
    rows.iter().map(state).collect()
}

#[tokio::test]
async fn a_secret_that_could_not_be_written_goes_into_no_log_and_opens_nothing() {
    let gateway = gateway().await;
    Person::register(&gateway, "ada").await.unwrap();
    let token = ["tokens", "create", "t", "--user", "ada"];
    let token = [&token[..], &["--scope", "sandbox:open"]].concat();
    let commands: [&[&str]; 4] = [
        &["invite"],
        &["invites", "create", "--json"],
        &["recover", "ada"],
        &token,
    ];
    for args in commands {
        for place in [full as fn() -> Stdio, closed_pipe] {
            let mut command = gateway.command(args);
            let output = command.stdout(place()).output().unwrap();
            let why = sentence(&output);
            assert_eq!(output.status.code(), Some(4), "{args:?}: {why}");
            assert!(why.contains("could not be written"), "{args:?}: {why}");
            let outcomes = ["was revoked, as nobody saw it", "nobody knows the"];
            assert!(outcomes.iter().any(|it| why.contains(it)), "{why}");
            for secret in ["invite=", "/recovery", "choiros_"] {
                assert!(!why.contains(secret), "{args:?}: {why}");
            }
        }
    }
    let invites = invites(&gateway).await;
    assert_eq!(invites[0], "open", "that of the first start was shown");
    assert_eq!(invites[1..], ["revoked"; 4]);
    let tokens = ["tokens", "list", "--user", "ada"];
    assert_eq!(json(&gateway, &tokens).await, json!([]));
}

#[tokio::test]
async fn a_secret_that_could_not_be_written_is_shown_to_whoever_sits_there() {
    let gateway = gateway().await;
    let mut command = gateway.command(&["invite", "--admin", "--json"]);
    let terminal = Terminal::new();
    command.stdout(full()).stderr(terminal.end());
    let (code, shown) = terminal.run(command);
    assert_eq!(code, Some(4), "{shown}");
    let (json, why) = shown.split_once("\nhypervisor: ").unwrap();
    assert!(why.contains("No space left"), "{why}");
    assert!(why.contains("shown above"), "{why}");
    let invite: Value = serde_json::from_str(json).unwrap();
    let url = invite["url"].as_str().unwrap();
    Person::enrol(&gateway, "ada", url).await.unwrap();
}

#[tokio::test]
async fn a_secret_is_not_made_for_an_output_that_goes_nowhere() {
    let gateway = gateway().await;
    let before = invites(&gateway).await;
    let invite = gateway.command(&["invite"]);
    let mut closed = Command::new("sh");
    closed.args(["-c", "exec \"$@\" >&-", "sh"]);
    closed.arg(invite.get_program()).args(invite.get_args());
    let envs = invite.get_envs();
    closed.env_clear();
    closed.envs(envs.filter_map(|(name, value)| Some((name, value?))));
    let mut null = gateway.command(&["invite"]);
    null.stdout(Stdio::null());
    for mut command in [closed, null] {
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let why = sentence(&output);
        assert_eq!(output.status.code(), Some(4), "{why}");
        assert!(why.contains("nothing was done"), "{why}");
    }
    assert_eq!(invites(&gateway).await, before);
    // What can be asked for again may go there.
    let status = gateway.command(&["status"]).stdout(Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_file_gets_all_of_it_and_no_colour() {
    let gateway = gateway().await;
    let path = gateway.state_dir().join("invite.json");
    let mut command = gateway.command(&["invite", "--json"]);
    let output = command.stdout(File::create(&path).unwrap()).output();
    let output = output.unwrap();
    assert_eq!((output.status.code(), &*sentence(&output)), (Some(0), ""));
    let invite: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let url = invite["url"].as_str().unwrap();
    assert!(url.contains("invite="), "{invite}");
    for args in [&["sandboxes"][..], &["--help"], &["swap", "--nonsense"]] {
        let output = gateway.cli(args).await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.contains(&0x1b), "{args:?}");
    }
}
