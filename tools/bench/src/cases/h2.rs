//! The cost of a request as browsers send it: HTTP/2 with TLS.

use super::{requests, small, tls};
use crate::fleet::Peer;
use crate::goal::Goal;
use crate::load::{Client, Load};
use crate::settings::Settings;
use crate::table::Table;
use anyhow::Result;

const GOALS: &[Goal] = &[
    Goal::requests(1.0, &[Peer::Nginx, Peer::Haproxy]),
    Goal::requests(2.8, &[Peer::NginxAuth]),
    Goal::requests(7.0, &[Peer::CaddyBefore]),
];

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let load = |title, connections, streams, goals| Load {
        connections,
        client: Client::H2load(streams),
        goals,
        ..small::load(title)
    };
    let loads = [
        load(
            "h2: 100-byte responses over HTTP/2 with TLS, 64 connections",
            64,
            1,
            GOALS,
        ),
        load(
            "h2: 100-byte responses over HTTP/2 with TLS, 8 connections with 8 streams each",
            8,
            8,
            &[],
        ),
    ];
    requests::run(settings, true, tls::PEERS, &loads).await
}
