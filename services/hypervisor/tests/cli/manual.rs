//! Completions and manual pages.

use crate::away;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What it prints, with nothing on standard error.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{why}");
    assert_eq!(why, "");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that the help lists.
fn commands(folder: &Path) -> BTreeSet<String> {
    let help = printed(&mut away(folder, &["help"]));
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let lines = commands.lines().filter(|line| !line.starts_with("   "));
    let names = lines.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn each_shell_knows_each_command_and_nothing_that_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&mut away(folder.path(), &["completions", shell]));
        for name in commands(folder.path()) {
            assert!(script.contains(&name), "{shell} has no {name}");
        }
        assert!(!script.contains("check-database"), "{shell}");
    }
}

#[test]
fn bash_completes_a_command_and_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("hypervisor.bash");
    let text = printed(&mut away(folder.path(), &["completions", "bash"]));
    fs::write(&script, text).unwrap();
    let complete = |words: &str| {
        let ask = r#"
            set -eu
            . "$1"; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _hypervisor "$1" "${@: -1}" "${@: -2:1}"
            echo "${COMPREPLY[@]}"
        "#;
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", ask, "bash"]).arg(&script);
        printed(bash.arg("hypervisor").args(words.split('.')))
    };
    assert_eq!(complete("promo").trim(), "promote");
    assert!(complete("promote.--no-r").contains("--no-rehearsal"));
    assert_eq!(complete("sandboxes.sta").trim(), "start");
    assert_eq!(complete("access.sandbox.live.pub").trim(), "public");
}

#[test]
fn each_command_has_a_manual_page_with_the_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("new/man1");
    let out = pages.to_str().unwrap();
    let said = printed(&mut away(folder.path(), &["man", "--out", out]));
    assert!(said.contains("hypervisor.1"), "{said}");
    for name in commands(folder.path()) {
        let page = fs::read_to_string(pages.join(format!("hypervisor-{name}.1")));
        let page = page.unwrap_or_else(|why| panic!("{name}: {why}"));
        for part in [
            ".TH ",
            ".SH NAME",
            ".SH SYNOPSIS",
            ".SH OPTIONS",
            ".SH \"EXIT STATUS\"",
        ] {
            assert!(page.contains(part), "{name} has no {part}");
        }
    }
    let below = pages.join("hypervisor-release-add.1");
    assert!(fs::read_to_string(below).unwrap().contains("NAME=VALUE"));
    assert!(!pages.join("hypervisor-volume.1").exists());
    let again = printed(&mut away(folder.path(), &["man", "--out", out, "--json"]));
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    let files = again["pages"].as_array().unwrap().len();
    assert_eq!(files, fs::read_dir(&pages).unwrap().count());
    assert_ne!(files, 0);
}
