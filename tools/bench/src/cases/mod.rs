//! What is measured: one file a case.

mod bodies;
mod cold_start;
mod fresh;
mod growth;
mod h2;
mod hop;
mod idle;
mod requests;
mod session;
mod small;
mod sockets;
mod tls;

use crate::settings::Settings;
use crate::table::Table;
use anyhow::Result;
use clap::ValueEnum;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// Small responses over plain HTTP/1.1
    Small,
    /// Small responses over HTTP/1.1 with TLS
    Tls,
    /// Small responses over HTTP/2 with TLS
    H2,
    /// Bodies of 20 KB and 1 MB, both ways, without and with TLS
    Bodies,
    /// A new TLS connection for each request
    Fresh,
    /// Messages over 5,000 WebSockets, without and with TLS
    Sockets,
    /// The memory of 10,000 idle connections, without and with TLS
    Idle,
    /// What the check of a session costs
    Session,
    /// What requests and memory cost with 1, 100 and 10,000 workspaces
    Growth,
    /// What a request costs that comes to another machine than its workspace's
    Hop,
    /// How long the first request to a stopped sandbox takes
    ColdStart,
}

impl Case {
    /// Those that are measured if nobody names one.
    pub const BESIDE_PEERS: &[Self] = &[
        Self::Small,
        Self::Tls,
        Self::H2,
        Self::Bodies,
        Self::Fresh,
        Self::Sockets,
        Self::Idle,
        Self::Session,
    ];

    /// Its tables.
    ///
    /// # Errors
    /// A server does not start or does not respond as it should.
    pub async fn run(self, settings: &Settings) -> Result<Vec<Table>> {
        match self {
            Self::Small => small::run(settings).await,
            Self::Tls => tls::run(settings).await,
            Self::H2 => h2::run(settings).await,
            Self::Bodies => bodies::run(settings).await,
            Self::Fresh => fresh::run(settings).await,
            Self::Sockets => sockets::run(settings).await,
            Self::Idle => idle::run(settings).await,
            Self::Session => session::run(settings).await,
            Self::Growth => growth::run(settings).await,
            Self::Hop => hop::run(settings).await,
            Self::ColdStart => cold_start::run(settings).await,
        }
    }
}
