//! What is measured: one file a case.

mod bodies;
mod fresh;
mod idle;
mod session;
mod small;
mod sockets;

use crate::http_case;
use crate::settings::Settings;
use crate::table::Table;
use anyhow::Result;
use clap::ValueEnum;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// 100-byte answers at 1, 64 and 1,000 connections
    Small,
    /// Bodies of 20 KB and 1 MB, both ways
    Bodies,
    /// A new connection for each request
    Fresh,
    /// Messages over 100 and 5,000 WebSockets
    Sockets,
    /// The memory of 10,000 idle connections
    Idle,
    /// What the check of a session costs
    Session,
}

impl Case {
    /// Its tables.
    ///
    /// # Errors
    /// A server does not start or does not answer as it should.
    pub async fn run(self, settings: &Settings) -> Result<Vec<Table>> {
        match self {
            Self::Small => http_case::run(settings, &small::loads()).await,
            Self::Bodies => http_case::run(settings, &bodies::loads()).await,
            Self::Fresh => http_case::run(settings, &fresh::loads()).await,
            Self::Sockets => sockets::run(settings).await,
            Self::Idle => idle::run(settings).await,
            Self::Session => session::run(settings).await,
        }
    }
}
