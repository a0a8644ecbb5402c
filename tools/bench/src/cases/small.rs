//! The cost of a request by itself, without TLS: what the hypervisor does behind Caddy.

use super::requests;
use crate::fleet::Peer;
use crate::goal::{Bound, Goal};
use crate::load::{Client, Load};
use crate::settings::Settings;
use crate::table::Table;
use crate::upstream::SMALL;
use anyhow::Result;

const PEERS: &[Peer] = &[
    Peer::Direct,
    Peer::Nginx,
    Peer::Haproxy,
    Peer::NginxAuth,
    Peer::Before,
    Peer::Hypervisor,
];

const GOALS: &[Goal] = &[
    Goal::requests(0.95, &[Peer::Nginx]),
    Goal::requests(1.0, &[Peer::Before]),
    Goal {
        figure: "p99 ms",
        bound: Bound::AtMost(1.0),
        peers: &[Peer::Haproxy],
    },
];

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let load = Load {
        goals: GOALS,
        ..load("small: 100-byte responses over plain HTTP/1.1, 64 connections")
    };
    requests::run(settings, false, PEERS, &[load]).await
}

/// Small responses over 64 kept connections, by wrk and without a goal.
pub(super) fn load(title: &str) -> Load {
    Load {
        title: title.to_owned(),
        path: "/small",
        connections: 64,
        body: None,
        length: SMALL,
        client: Client::Wrk,
        goals: &[],
    }
}
