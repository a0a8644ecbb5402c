//! The cost of a byte: bodies that come and bodies that go.

use super::{requests, small};
use crate::fleet::Peer;
use crate::goal::Goal;
use crate::load::Load;
use crate::settings::Settings;
use crate::table::Table;
use crate::upstream::{PAGE, PICTURE, SMALL};
use anyhow::Result;

const PEERS: &[Peer] = &[Peer::Nginx, Peer::Haproxy, Peer::Hypervisor];
const GOALS: &[Goal] = &[Goal::requests(0.9, &[Peer::Nginx])];

pub(super) async fn run(settings: &Settings) -> Result<Vec<Table>> {
    let plain = loads("over plain HTTP/1.1", &[]);
    let tls = loads("with TLS", GOALS);
    let mut tables = requests::run(settings, false, PEERS, &plain).await?;
    tables.extend(requests::run(settings, true, PEERS, &tls).await?);
    Ok(tables)
}

fn loads(how: &str, goals: &'static [Goal]) -> Vec<Load> {
    let load = |what, path, connections, body, length| Load {
        path,
        connections,
        body,
        length,
        goals,
        ..small::load(&format!("bodies: {what} {how}, {connections} connections"))
    };
    vec![
        load("GET of 20 KB", "/page", 64, None, PAGE),
        load("GET of 1 MB", "/picture", 16, None, PICTURE),
        load("POST of 20 KB", "/post", 64, Some(PAGE), SMALL),
        load("POST of 1 MB", "/post", 16, Some(PICTURE), SMALL),
    ]
}
