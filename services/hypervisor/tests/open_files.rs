//! The customary limit of open files does not stand in the way of ours. In a process of its own,
//! whose limit its children inherit.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[tokio::test]
async fn the_soft_limit_is_raised_to_what_the_config_needs() {
    let limit = getrlimit(Resource::Nofile);
    let current = Some(256);
    setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    let gateway = common::builder()
        .env("HYPERVISOR_SERVER_MAX_CONNECTIONS", "500")
        .env("HYPERVISOR_PROXY_MAX_REQUESTS", "100")
        .env("HYPERVISOR_PROXY_MAX_POOLED_CONNECTIONS", "50")
        .start()
        .await
        .unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.pid())).unwrap();
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = files.unwrap().split_whitespace().nth(3).unwrap();
    assert_eq!(soft, "1262", "{limits}");
}
