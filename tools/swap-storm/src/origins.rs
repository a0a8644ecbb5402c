//! Where a client finds the sandbox of each role: at a host of its own, or at the gateway's.

use super::types::Role;
use anyhow::Result;
use clap::ValueEnum;
use std::fmt;
use testkit::client::Client;
use testkit::person::Person;

/// Whose origin the sandboxes have: the hypervisor's option of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Origins {
    /// Each its own.
    Own,
    /// The gateway's, dev below `/dev`.
    Shared,
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Own => "own",
            Self::Shared => "shared",
        })
    }
}

/// The sandbox of one role, as a browser of someone who may see it finds it.
pub(super) struct Site {
    /// What each request has of headers.
    headers: String,
    /// What a page of the sandbox says of itself where it matters who asks.
    origin: String,
    /// What a path begins with.
    prefix: &'static str,
}

impl Site {
    /// Where this person finds the sandbox of this role.
    pub(super) async fn of(person: &Person, role: Role, origins: Origins) -> Result<Self> {
        let (client, prefix) = match (origins, role) {
            (Origins::Own, Role::Live) => (person.enter("sandbox.localhost").await?, ""),
            (Origins::Own, Role::Dev) => (person.enter("sandbox-dev.localhost").await?, ""),
            (Origins::Shared, Role::Live) => (person.client.clone(), ""),
            (Origins::Shared, Role::Dev) => (person.client.clone(), "/dev"),
        };
        let origin = client.origin();
        Ok(Self {
            headers: headers(&client),
            origin: format!("Origin: {origin}\r\nSec-Fetch-Site: same-origin\r\n"),
            prefix,
        })
    }

    /// A request's line and headers, up to the empty line.
    pub(super) fn head(&self, method: &str, path: &str, more: &str) -> String {
        let Self {
            headers,
            origin,
            prefix,
        } = self;
        let says_origin = method == "POST" || more.contains("Upgrade: websocket");
        let origin = if says_origin { origin } else { "" };
        format!("{method} {prefix}{path} HTTP/1.1\r\n{headers}{origin}{more}\r\n")
    }
}

/// `Host`, `Cookie`, and that JSON is preferred to pages, with their line ends.
pub(super) fn headers(client: &Client) -> String {
    let (origin, cookies) = (client.origin(), client.cookies());
    let host = origin.trim_start_matches("http://");
    format!("Host: {host}\r\nCookie: {cookies}\r\nX-Requested-With: storm\r\n")
}
