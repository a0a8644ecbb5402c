//! What somebody sees who watches a gateway: its metrics, what Prometheus makes of them, and its
//! access log.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

#[path = "../common/mod.rs"]
mod common;

mod access_log;
mod counts;
mod exposition;
mod prometheus;
mod request_ids;
mod rules;

mod site;
