//! Several gateways with one store, each of a machine of its own, and the links between them.

use crate::client::Client;
use crate::harness::{Builder, Hypervisor};
use crate::link::{End, Link, Passes};
use crate::port::Port;
use crate::postgres::Postgres;
use crate::tls::{Authority, CERT_FILE, KEY_FILE};
use anyhow::Result;
use std::fmt::Write as _;
use tempfile::TempDir;

/// The domain of the machines' names.
const DOMAIN: &str = "choir.example";

/// What the machines are called.
pub const NAMES: [&str; 3] = ["a", "b", "c"];

/// Gateways of machines that know each other.
pub struct Cluster {
    /// The gateways, by the order of [`NAMES`].
    pub gateways: Vec<Hypervisor>,
    /// What browsers take the address of all to be.
    public: Port,
    /// From each to its store; none of those that reach it directly.
    stores: Vec<Link>,
    /// From each to each other.
    links: Vec<Vec<Option<Link>>>,
    /// The URL of the store's database.
    pub store: String,
    _certificates: TempDir,
    /// Where each is reached by the others.
    ports: Vec<Port>,
}

impl Cluster {
    /// Starts three that are made by `builder`, with a new database of this server, and links
    /// between all of them.
    ///
    /// # Errors
    /// One does not start.
    pub async fn start(server: &Postgres, builder: impl Fn() -> Builder) -> Result<Self> {
        Self::start_at(server, builder, true).await
    }

    /// The same without links, which take time.
    ///
    /// # Errors
    /// One does not start.
    pub async fn start_without_links(
        server: &Postgres,
        builder: impl Fn() -> Builder,
    ) -> Result<Self> {
        Self::start_at(server, builder, false).await
    }

    async fn start_at(
        server: &Postgres,
        builder: impl Fn() -> Builder,
        has_links: bool,
    ) -> Result<Self> {
        let (public, database) = (Port::reserve()?, server.database_name()?);
        let certificates = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let ca = certificates.path().join("ca.pem");
        std::fs::write(&ca, authority.root_pem())?;
        let ports: Vec<_> = NAMES
            .iter()
            .map(|_| Port::reserve())
            .collect::<Result<_>>()?;
        let (mut gateways, mut stores, mut links) = (Vec::new(), Vec::new(), Vec::new());
        for (at, name) in NAMES.iter().enumerate() {
            let folder = certificates.path().join(name);
            std::fs::create_dir(&folder)?;
            let uri = format!("spiffe://{DOMAIN}/machine/{name}");
            authority.issue_for_uri(&uri)?.write(&folder)?;
            let mut config = format!(
                "[cluster]\nmachine = \"{name}\"\naddress = \"127.0.0.1:{}\"\n\
                 cert = \"{folder}/{CERT_FILE}\"\nkey = \"{folder}/{KEY_FILE}\"\nca = \"{ca}\"\n\
                 [cluster.peers]\n",
                ports[at].number(),
                folder = folder.display(),
                ca = ca.display(),
            );
            let mut to_others = Vec::new();
            for (other, name) in NAMES.iter().enumerate() {
                if other == at {
                    to_others.push(None);
                    continue;
                }
                let port = ports[other].number();
                let link = if has_links {
                    Some(Link::to(End::Tcp(port)).await?)
                } else {
                    None
                };
                let port = link.as_ref().map_or(port, Link::port);
                let _ = writeln!(config, "{name} = \"127.0.0.1:{port}\"");
                to_others.push(link);
            }
            let mut url = server.url(&database);
            if has_links {
                let store = Link::to(End::Unix(server.socket())).await?;
                url = format!("postgres://tests@localhost:{}/{database}", store.port());
                stores.push(store);
            }
            let gateway = builder()
                .config(&config)
                .env("HYPERVISOR_STORE_URL", &url)
                .env(
                    "HYPERVISOR_AUTH_ORIGIN",
                    &format!("http://localhost:{}", public.number()),
                );
            gateways.push(gateway.start().await?);
            links.push(to_others);
        }
        Ok(Self {
            gateways,
            public,
            stores,
            links,
            store: server.url(&database),
            _certificates: certificates,
            ports,
        })
    }

    /// A browser whose requests come to this gateway, without cookies.
    pub fn client(&self, gateway: usize) -> Client {
        let base = format!("http://localhost:{}", self.public.number());
        Client::new(&base).through(self.gateways[gateway].port())
    }

    /// The same browser, whose requests come to another gateway from now on.
    pub fn through(&self, client: &Client, gateway: usize) -> Client {
        client.through(self.gateways[gateway].port())
    }

    /// Where other machines reach this gateway.
    pub fn port_between_machines(&self, gateway: usize) -> u16 {
        self.ports[gateway].number()
    }

    /// What passes between a gateway and the store.
    pub fn set_store(&self, gateway: usize, passes: Passes) {
        self.stores[gateway].set(passes);
    }

    /// What passes from one gateway to another.
    pub fn set_link(&self, from: usize, to: usize, passes: Passes) {
        if let Some(link) = &self.links[from][to] {
            link.set(passes);
        }
    }
}
