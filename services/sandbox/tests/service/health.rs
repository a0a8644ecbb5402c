use crate::Sandbox;
use anyhow::Result;
use serde_json::{Value, json};
use std::fs;

#[tokio::test]
async fn a_healthy_sandbox_says_who_it_is() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let response = sandbox.client.get("/health").await?;
    assert_eq!(response.status, 200);
    let mut said: Value = response.json()?;
    let hostname = said["hostname"].take();
    assert!(hostname.as_str().is_some_and(|name| !name.is_empty()));
    let expected = json!({
        "status": "healthy",
        "service": "choiros-sandbox",
        "version": env!("CARGO_PKG_VERSION"),
        "name": "sandbox-live",
        "instance_role": "live",
        "hostname": null,
    });
    assert_eq!(said, expected);
    Ok(())
}

#[tokio::test]
async fn a_sandbox_is_unhealthy_while_its_data_cannot_be_written_and_says_why() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let (data, away) = (
        sandbox.dir.path().join("data"),
        sandbox.dir.path().join("away"),
    );
    fs::rename(&data, &away)?;
    fs::write(&data, "a file in the folder's place")?;
    let response = sandbox.client.get("/health").await?;
    assert_eq!(response.status, 503);
    let said: Value = response.json()?;
    assert_eq!(said["status"], "unhealthy");
    assert_eq!(said["name"], "sandbox-live");
    let cause = said["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("Not a directory"), "{cause}");

    fs::remove_file(&data)?;
    fs::rename(&away, &data)?;
    assert_eq!(sandbox.client.get("/health").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_sandbox_whose_log_was_replaced_is_unhealthy() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let log = sandbox.dir.path().join("data/events.db");
    fs::rename(&log, log.with_extension("away"))?;
    assert_eq!(sandbox.client.get("/health").await?.status, 503);
    fs::write(&log, "")?;
    let response = sandbox.client.get("/health").await?;
    assert_eq!(response.status, 503);
    assert!(response.text().contains("was moved or replaced"));
    Ok(())
}
