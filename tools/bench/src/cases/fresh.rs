//! The cost of a connection: a new one for each request, with a full handshake.

use super::{requests, small};
use crate::fleet::Peer;
use crate::goal::Goal;
use crate::load::{Client, Load};
use crate::settings::Settings;
use crate::table::Table;
use anyhow::Result;

pub(super) const PEERS: &[Peer] = &[Peer::Nginx, Peer::Haproxy, Peer::Hypervisor];
const GOALS: &[Goal] = &[Goal::requests(0.9, &[Peer::Nginx])];

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let load = Load {
        client: Client::Fresh,
        goals: GOALS,
        ..small::load("fresh: a new TLS connection for each request, 64 at once")
    };
    requests::run(settings, true, PEERS, &[load]).await
}
