//! Where answers go, and what becomes of a secret that nobody was shown.

use crate::common::gateway;
use crate::sentence;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::process::{Command, Output, Stdio};
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

/// The invites that are in the store.
fn invites(gateway: &Hypervisor) -> i64 {
    let store = rusqlite::Connection::open(gateway.state_dir().join("hypervisor.db")).unwrap();
    let count = "SELECT count(*) FROM invites";
    store.query_row(count, [], |row| row.get(0)).unwrap()
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// What is shown on a terminal by a command whose standard output is not it.
fn on_terminal(command: &mut Command) -> (Option<i32>, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let mut child = command.stderr(terminal).spawn().unwrap();
    // The command's copy of the terminal keeps it open.
    *command = Command::new("");
    let mut shown = Vec::new();
    // Ends with an error when nobody has the terminal any more.
    let _ = File::from(master).read_to_end(&mut shown);
    let code = child.wait().unwrap().code();
    (
        code,
        String::from_utf8(shown).unwrap().replace("\r\n", "\n"),
    )
}

#[tokio::test]
async fn a_secret_that_could_not_be_written_goes_into_no_log_and_that_is_told() {
    let gateway = gateway().await;
    Person::register(&gateway, "ada").await.unwrap();
    let commands: [&[&str]; 3] = [&["invite"], &["invite", "--json"], &["recover", "ada"]];
    for args in commands {
        for place in [full as fn() -> Stdio, closed_pipe] {
            let output = run(gateway.command(args).stdout(place()));
            let why = sentence(&output);
            assert_eq!(output.status.code(), Some(4), "{args:?}: {why}");
            assert!(why.contains("could not be written"), "{args:?}: {why}");
            assert!(why.contains("nobody knows the"), "{args:?}: {why}");
            assert!(
                !why.contains("invite=") && !why.contains("/recovery"),
                "{why}"
            );
        }
    }
}

#[tokio::test]
async fn a_secret_that_could_not_be_written_is_shown_to_whoever_sits_there() {
    let gateway = gateway().await;
    let mut command = gateway.command(&["invite", "--admin", "--json"]);
    let (code, shown) = on_terminal(command.stdout(full()));
    assert_eq!(code, Some(4), "{shown}");
    let (json, why) = shown.split_once("\nhypervisor: ").unwrap();
    assert!(
        why.contains("No space left") && why.contains("shown above"),
        "{why}"
    );
    let invite: Value = serde_json::from_str(json).unwrap();
    let url = invite["url"].as_str().unwrap();
    Person::enrol(&gateway, "ada", url).await.unwrap();
}

#[tokio::test]
async fn a_secret_is_not_made_for_an_output_that_goes_nowhere() {
    let gateway = gateway().await;
    let before = invites(&gateway);
    let mut closed = Command::new("sh");
    let invite = gateway.command(&["invite"]);
    closed.arg("-c").arg("exec \"$@\" >&-").arg("sh");
    closed.arg(invite.get_program()).args(invite.get_args());
    closed.env_clear();
    closed.envs(
        invite
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let mut null = gateway.command(&["invite"]);
    for command in [&mut closed, null.stdout(Stdio::null())] {
        let output = command.stderr(Stdio::piped()).spawn().unwrap();
        let output = output.wait_with_output().unwrap();
        let why = sentence(&output);
        assert_eq!(output.status.code(), Some(4), "{why}");
        assert!(why.contains("nothing was done"), "{why}");
    }
    assert_eq!(invites(&gateway), before);
    // What can be asked for again may go there.
    let status = gateway.command(&["status"]).stdout(Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_file_gets_all_of_it_and_no_colour() {
    let gateway = gateway().await;
    let path = gateway.state_dir().join("invite.json");
    let file = File::create(&path).unwrap();
    let output = run(gateway.command(&["invite", "--json"]).stdout(file));
    assert_eq!(
        (output.status.code(), sentence(&output)),
        (Some(0), String::new())
    );
    let invite: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(
        invite["url"].as_str().unwrap().contains("invite="),
        "{invite}"
    );
    for args in [&["sandboxes"][..], &["--help"], &["swap", "--nonsense"]] {
        let output = run(&mut gateway.command(args));
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.contains(&0x1b), "{args:?}");
    }
}
