//! The cost of a request at the edge: HTTP/1.1 with TLS.

use super::{requests, small};
use crate::fleet::Peer;
use crate::goal::Goal;
use crate::load::Load;
use crate::settings::Settings;
use crate::table::Table;
use anyhow::Result;

/// What one would put in front of a service.
pub(super) const PEERS: &[Peer] = &[
    Peer::Nginx,
    Peer::Haproxy,
    Peer::NginxAuth,
    Peer::CaddyAuth,
    Peer::CaddyBefore,
    Peer::CaddyHypervisor,
    Peer::Hypervisor,
];

const GOALS: &[Goal] = &[
    Goal::requests(1.0, &[Peer::Nginx]),
    Goal::requests(2.8, &[Peer::NginxAuth]),
];

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let load = Load {
        goals: GOALS,
        ..small::load("tls: 100-byte responses over HTTP/1.1 with TLS, 64 connections")
    };
    requests::run(settings, true, PEERS, &[load]).await
}
