//! A swap on probation is the gateway's to watch, whatever becomes of who asked for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod common;

use common::{builder, sides};
use serde_json::{Value, json};
use std::process::{Output, Stdio};
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::wait::{DEADLINE, eventually};
use tokio::process::Child;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

async fn rows(gateway: &Hypervisor) -> Vec<Value> {
    let rows = gateway.cli(&["sandboxes", "--json"]).await.unwrap();
    serde_json::from_slice(&rows.stdout).unwrap_or_default()
}

async fn live(gateway: &Hypervisor) -> Option<Value> {
    rows(gateway)
        .await
        .into_iter()
        .find(|row| row["role"] == "live")
}

async fn until_generation(gateway: &Hypervisor, generation: u64) {
    let reached = async || {
        let live = live(gateway).await?;
        (live["generation"] == generation).then_some(())
    };
    eventually("a generation", reached).await.unwrap();
}

/// `hypervisor swap --probation`, which is killed with the handle.
fn on_probation(gateway: &Hypervisor, secs: &str) -> Child {
    let mut command = gateway.command(&["swap", "--probation", secs, "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true).spawn().unwrap()
}

async fn ended(child: Child) -> Output {
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output()).await;
    output.expect("the command ends").unwrap()
}

#[tokio::test]
async fn it_is_shown_while_it_lasts_and_a_healthy_live_stays() {
    let (_live, _dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let swap = on_probation(&gateway, "3");
    let shown = async || {
        let rows = rows(&gateway).await;
        let of = |role: &str| rows.iter().find(|row| row["role"] == role).cloned();
        let left = of("live")?["probation_secs"].as_u64()?;
        assert!(left <= 3);
        assert_eq!(of("dev")?["probation_secs"], Value::Null);
        Some(())
    };
    eventually("the probation to be shown", shown)
        .await
        .unwrap();
    let swap = ended(swap).await;
    assert!(swap.status.success(), "{}", said(&swap));
    let response: Value = serde_json::from_slice(&swap.stdout).unwrap();
    assert_eq!(response["probation"], "passed");
    let live = live(&gateway).await.unwrap();
    assert_eq!(live["generation"], 2);
    assert_eq!(live["probation_secs"], Value::Null, "it is over");
}

#[tokio::test]
async fn the_gateway_takes_back_what_nobody_waits_for() {
    let (_live, dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let swap = on_probation(&gateway, "60");
    until_generation(&gateway, 2).await;
    drop(swap);
    dev.set_healthy(false);
    until_generation(&gateway, 3).await;
    assert_eq!(live(&gateway).await.unwrap()["sandbox"], "sandbox-live");
}

#[tokio::test]
async fn a_kill_of_the_gateway_ends_neither_the_watch_nor_the_wait() {
    let (_live, dev, config) = sides().await;
    let mut gateway = builder().config(&config).start().await.unwrap();
    let swap = on_probation(&gateway, "60");
    until_generation(&gateway, 2).await;
    gateway.kill9().unwrap();
    gateway.wait_exit().await.unwrap();
    dev.set_healthy(false);
    gateway.restart().await.unwrap();
    let swap = ended(swap).await;
    assert_eq!(swap.status.code(), Some(1), "{}", said(&swap));
    let why = said(&swap);
    assert!(
        why.contains("taken back, and sandbox-live is live again"),
        "{why}"
    );
    until_generation(&gateway, 3).await;
    gateway.restart().await.unwrap();
    assert_eq!(live(&gateway).await.unwrap()["generation"], 3, "once");
}

#[tokio::test]
async fn a_restart_with_a_healthy_live_keeps_the_swap() {
    let (_live, _dev, config) = sides().await;
    let mut gateway = builder().config(&config).start().await.unwrap();
    let swap = on_probation(&gateway, "3");
    until_generation(&gateway, 2).await;
    gateway.restart().await.unwrap();
    let swap = ended(swap).await;
    assert!(swap.status.success(), "{}", said(&swap));
    assert_eq!(live(&gateway).await.unwrap()["generation"], 2);
}

#[tokio::test]
async fn a_restart_that_stops_and_starts_the_sandboxes_is_no_illness_of_theirs() {
    let mut gateway = builder().start().await.unwrap();
    let swap = on_probation(&gateway, "4");
    until_generation(&gateway, 2).await;
    gateway.restart().await.unwrap();
    let swap = ended(swap).await;
    assert!(swap.status.success(), "{}", said(&swap));
    assert_eq!(live(&gateway).await.unwrap()["generation"], 2);
}

#[tokio::test]
async fn who_swaps_meanwhile_ends_the_watch() {
    let (live_side, dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let swap = on_probation(&gateway, "60");
    until_generation(&gateway, 2).await;
    let by_hand = gateway.cli(&["swap"]).await.unwrap();
    assert!(by_hand.status.success(), "{}", said(&by_hand));
    let swap = ended(swap).await;
    assert_eq!(swap.status.code(), Some(1));
    let why = said(&swap);
    assert!(why.contains("another change brought generation 3"), "{why}");

    // The watch of generation 2 is none of generation 4, in which the same sandbox is live.
    let second = gateway.cli(&["swap"]).await.unwrap();
    assert!(second.status.success(), "{}", said(&second));
    dev.set_healthy(false);
    let probed = async || (live(&gateway).await?["status"] == "failed").then_some(());
    eventually("live to be found ill", probed).await.unwrap();
    assert_eq!(live(&gateway).await.unwrap()["generation"], 4);
    drop(live_side);
}

#[tokio::test]
async fn of_two_orders_with_probation_one_wins() {
    let (_live, _dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let order = ["swap", "--probation", "1", "--expect-generation", "1"];
    let (one, two) = tokio::join!(gateway.cli(&order), gateway.cli(&order));
    let (one, two) = (one.unwrap(), two.unwrap());
    let codes = [one.status.code(), two.status.code()];
    assert!(
        codes.contains(&Some(0)) && codes.contains(&Some(1)),
        "{} {}",
        said(&one),
        said(&two)
    );
    assert_eq!(live(&gateway).await.unwrap()["generation"], 2);
}

#[tokio::test]
async fn an_owners_swap_is_watched_as_well() {
    let (_live, dev, config) = sides().await;
    let gateway = builder().config(&config).start().await.unwrap();
    let person = Person::register(&gateway, "alice").await.unwrap();
    let order = json!({ "probation_secs": 60 });
    let swapped = person.swap(order).await.unwrap();
    let swapped: Value = swapped.json().unwrap();
    assert_eq!(swapped["probation"]["secs"], 60, "{swapped}");
    dev.set_healthy(false);
    until_generation(&gateway, 3).await;
    let noted = async || {
        let audit = person.client.get("/auth/audit").await.unwrap();
        let rows: Vec<Value> = audit.json().unwrap();
        let detail = rows.first()?["detail"].as_str()?.to_owned();
        detail.contains("taken back").then_some(())
    };
    eventually("the owner to be told", noted).await.unwrap();
}
