//! The `ChoirOS` sandbox service: an event log and a page of its own, behind the hypervisor.
//!
//! [`service`] ties it together: [`config`] says who this sandbox is, `data` guards its folder,
//! `log` keeps its events, `http` answers, and `shutdown` lets it stop in order.

pub mod config;
mod data;
mod http;
mod log;
pub mod service;
mod shutdown;
