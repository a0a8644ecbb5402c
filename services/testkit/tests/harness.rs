//! The harness, against scripts in the hypervisor's place.

use std::path::Path;
use testkit::harness::{Builder, Hypervisor};

/// A harness whose hypervisor runs this shell script. The file itself is not written here: a
/// program that another thread's child still holds open for writing cannot be started.
fn script(script: &str) -> Builder {
    let bin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/hypervisor");
    Hypervisor::builder(Path::new(bin)).env("SCRIPT", script)
}

#[tokio::test]
async fn a_start_that_fails_shows_what_the_program_said() {
    let failing = script("echo 'the port is taken' >&2; exit 1");
    let error = failing.start().await.unwrap_err();
    let message = format!("{error:#}");
    assert!(message.contains("the port is taken"), "{message}");
}

#[tokio::test]
async fn the_program_gets_the_harness_s_environment_and_the_test_s_over_it() {
    let shown = "echo \"$@ $HYPERVISOR_PORT $HYPERVISOR_STORE_PATH\"
        echo \"$HYPERVISOR_RUNTIME_COMMAND ${CARGO_MANIFEST_DIR-cleared}\"
        cat hypervisor.toml";
    let mut hypervisor = script(shown)
        .env("HYPERVISOR_STORE_PATH", "elsewhere.db")
        .config("[log]")
        .spawn()
        .unwrap();
    hypervisor.wait_exit().await.unwrap();
    let (port, dir) = (hypervisor.port(), hypervisor.state_dir().display());
    let sandbox = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/sandbox");
    let expected = format!(
        "serve --config {dir}/hypervisor.toml {port} elsewhere.db\n[\"{sandbox}\"] cleared\n[log]\n"
    );
    assert_eq!(hypervisor.process().stdout(), expected);
}

#[tokio::test]
async fn what_a_program_does_not_know_is_left_out() {
    let shown = "echo \"${HYPERVISOR_ORIGINS-nothing} ${HYPERVISOR_PORT-nothing}\"";
    let mut hypervisor = script(shown)
        .without_env("HYPERVISOR_ORIGINS")
        .spawn()
        .unwrap();
    hypervisor.wait_exit().await.unwrap();
    let expected = format!("nothing {}\n", hypervisor.port());
    assert_eq!(hypervisor.process().stdout(), expected);
}

#[tokio::test]
async fn the_enrolment_link_is_found_in_the_output() {
    let link = "http://localhost:1/register?invite=abc";
    let hypervisor = script(&format!("echo 'Open {link} to begin.'"))
        .spawn()
        .unwrap();
    assert_eq!(hypervisor.enrolment_link().await.unwrap(), link);
}

#[tokio::test]
async fn a_restart_keeps_folder_and_port_and_takes_a_changed_environment() {
    let mut hypervisor = script("echo \"$PWD $HYPERVISOR_PORT $EXTRA\"")
        .env("EXTRA", "one")
        .spawn()
        .unwrap();
    hypervisor.wait_exit().await.unwrap();
    let first = hypervisor.process().stdout();
    hypervisor.set_env("EXTRA", "two");
    hypervisor.respawn().await.unwrap();
    hypervisor.wait_exit().await.unwrap();
    assert_eq!(
        hypervisor.process().stdout(),
        first.replace("one", "two"),
        "only the variable differs"
    );
}

#[tokio::test]
#[should_panic(expected = "cargo build -p sandbox")]
async fn a_missing_sandbox_program_names_the_mend() {
    let _ = Hypervisor::builder(Path::new("/nowhere/hypervisor")).spawn();
}
