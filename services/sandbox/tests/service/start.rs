use crate::{Sandbox, kinds, program};
use anyhow::Result;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use testkit::process::Process;
use testkit::wait::DEADLINE;

/// The exit code and what was said of a start that fails.
async fn failure(command: Command) -> Result<(Option<i32>, String)> {
    let mut process = Process::spawn(command)?;
    let status = process.wait_exit().await?;
    Ok((status.code(), process.stderr()))
}

#[tokio::test]
async fn each_start_appends_an_event_that_says_who_started() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let sandbox = sandbox.crash_and_restart().await?;
    let events = sandbox.log().await?;
    assert_eq!(kinds(&events), ["system.startup", "system.startup"]);
    assert_eq!(events[1]["payload"]["name"], "sandbox-live");
    assert_eq!(events[1]["user_id"], serde_json::Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_taken_port_ends_the_start_with_a_sentence() -> Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let dir = tempfile::tempdir()?;
    let (code, said) = failure(program(dir.path(), &address)).await?;
    assert_eq!(code, Some(1));
    assert!(
        said.contains(&address) && said.contains("--listen"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    assert!(!dir.path().join("events.db").exists());
    Ok(())
}

#[tokio::test]
async fn a_data_dir_that_is_none_ends_the_start_with_a_sentence() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("file");
    std::fs::write(&file, "")?;
    let (code, said) = failure(program(&file, "127.0.0.1:0")).await?;
    assert_eq!(code, Some(1));
    assert!(said.contains("--data-dir"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_none_ends_the_start_and_stays_as_it_is() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let log = dir.path().join("events.db");
    let text = "someone's notes, and no database at all ".repeat(20);
    std::fs::write(&log, &text)?;
    let (code, said) = failure(program(dir.path(), "127.0.0.1:0")).await?;
    assert_eq!(code, Some(1));
    assert!(said.contains("events.db"), "{said}");
    assert_eq!(std::fs::read_to_string(&log)?, text);
    Ok(())
}

#[tokio::test]
async fn a_sandbox_without_a_name_is_told_what_it_lacks() -> Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.env_clear();
    let (code, said) = failure(command).await?;
    assert_eq!(code, Some(2));
    assert!(
        said.contains("--name") && said.contains("--instance-role"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn a_log_filter_that_is_none_ends_the_start_with_a_sentence() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut command = program(dir.path(), "127.0.0.1:0");
    command.args(["--log", "a=b=c"]);
    let (code, said) = failure(command).await?;
    assert_eq!(code, Some(1));
    assert!(said.contains("--log a=b=c"), "{said}");
    Ok(())
}

#[tokio::test]
async fn systemd_hears_that_it_listens_and_that_it_stops() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path)?;
    socket.set_read_timeout(Some(DEADLINE))?;
    let mut command = program(&dir.path().join("data"), "127.0.0.1:0");
    command.env("NOTIFY_SOCKET", &path);
    let mut process = Process::spawn(command)?;
    let heard = || -> Result<String> {
        let mut message = [0; 64];
        let length = socket.recv(&mut message)?;
        Ok(String::from_utf8(message[..length].to_vec())?)
    };
    assert_eq!(heard()?, "READY=1\n");
    process.sigterm()?;
    assert_eq!(heard()?, "STOPPING=1\n");
    assert!(process.wait_exit().await?.success());
    Ok(())
}
