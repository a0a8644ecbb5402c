//! The `ChoirOS` sandbox service: an event log and a page of its own, behind the hypervisor.
//!
//! [`config`] says who this sandbox is, `data` guards its folder, `log` keeps its events, and
//! `service` is all of them, on which `http` works. [`server`] starts it and has it end in order.

pub mod accent;
pub mod config;
mod data;
mod http;
mod log;
pub mod server;
mod service;
