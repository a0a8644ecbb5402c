//! Prometheus' tool, `promtool`, which Debian has in the package `prometheus`.
#![allow(clippy::expect_used, reason = "a failed test is a panic")]

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Whether it is content, and what it says.
pub fn run(args: &[&str], input: &str) -> (bool, String) {
    let mut tool = Command::new("promtool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is not here: `.ci/install-deps promtool` installs it");
    tool.stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// Runs it, and has it be content.
pub fn promtool(args: &[&str], input: &str) {
    let (good, said) = run(args, input);
    assert!(
        good && !said.contains("error"),
        "promtool {args:?}: {said}\n{input}"
    );
}
