//! With which code a command ends.

use crate::common::{builder, gateway};
use crate::{away, sentence};
use std::fs::File;
use std::io::Read;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::{io, thread};

fn code(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), sentence(&output))
}

#[tokio::test]
async fn done_refused_and_misspelt_are_told_apart() {
    let gateway = gateway().await;
    let code = async |args: &[&str]| {
        let output = gateway.cli(args).await.unwrap();
        (output.status.code(), sentence(&output))
    };
    assert_eq!(code(&["status"]).await, (Some(0), String::new()));
    let (refused, why) = code(&["swap", "nowhere"]).await;
    assert_eq!(refused, Some(1), "{why}");
    assert!(why.contains("there is no workspace nowhere"), "{why}");
    let (misspelt, why) = code(&["swap", "--drain-sec", "x"]).await;
    assert_eq!(misspelt, Some(2), "{why}");
    assert!(why.contains("--drain-secs"), "{why}");
}

#[test]
fn a_gateway_that_is_not_there_and_one_that_goes_away_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (unreachable, why) = code(&mut away(folder.path(), &["status"]));
    assert_eq!(unreachable, Some(3), "{why}");
    assert!(why.contains("start it with `hypervisor serve`"), "{why}");

    let socket = UnixListener::bind(folder.path().join("control.sock")).unwrap();
    let gone = thread::spawn(move || {
        let (mut stream, _) = socket.accept().unwrap();
        // It has heard the order.
        stream.read_exact(&mut [0; 4]).unwrap();
    });
    let (unknown, why) = code(&mut away(folder.path(), &["swap"]));
    gone.join().unwrap();
    assert_eq!(unknown, Some(5), "{why}");
    assert!(why.contains("gave no reply"), "{why}");
}

#[test]
fn what_reads_no_further_is_quiet_and_a_full_device_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let commands: [&[&str]; 6] = [
        &["--help"],
        &["--version"],
        &["check-config"],
        &["check-config", "--json"],
        &["completions", "zsh"],
        &["help", "promote"],
    ];
    for args in commands {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let quiet = code(away(folder.path(), args).stdout(writer));
        assert_eq!(quiet, (Some(141), String::new()), "{args:?}");

        let full = File::options().write(true).open("/dev/full").unwrap();
        let (full, why) = code(away(folder.path(), args).stdout(full));
        assert_eq!(full, Some(4), "{args:?}: {why}");
        assert!(why.contains("could not be written"), "{args:?}: {why}");
        assert!(why.contains("No space left"), "{args:?}: {why}");
    }
}

#[tokio::test]
async fn a_gateway_that_cannot_say_where_it_is_makes_nobody_an_admin() {
    let mut gateway = builder().start().await.unwrap();
    gateway.sigterm().unwrap();
    gateway.wait_exit().await.unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (full, why) = code(gateway.command(&["serve"]).stdout(full));
    assert_eq!(full, Some(4), "{why}");
    assert!(why.contains("could not be written"), "{why}");
}

#[test]
fn the_help_and_the_docs_have_the_same_codes() {
    let folder = tempfile::tempdir().unwrap();
    let help = away(folder.path(), &["--help"]).output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    // A meaning may go on in the next line.
    let codes = codes.replace("\n       ", " ");
    let codes: Vec<_> = codes.lines().map(str::trim).collect();
    assert_eq!(codes.len(), 7, "{codes:#?}");
    // A build of the services alone has no docs.
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let Ok(docs) = std::fs::read_to_string(docs) else {
        return;
    };
    for line in codes {
        let (code, meaning) = line.split_once("  ").unwrap();
        let row = format!("| {code} | {meaning} |");
        assert!(docs.contains(&row), "docs/operations.md lacks {row}");
    }
}
