//! The other machines: where each of them is, and the way from here to there and back.

use super::IdentityError;
use super::counters::{Counters, Counts};
use super::identity::Identity;
use super::name::Name;
use super::orders::Orders;
use super::protocol::PeerStream;
use crate::config::Config;
use arc_swap::ArcSwap;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a new certificate may wait.
const RELOAD: Duration = Duration::from_secs(30);

/// All that makes this gateway one of several.
pub struct Forwarding {
    machine: String,
    peers: BTreeMap<String, String>,
    cert: PathBuf,
    key: PathBuf,
    ca: PathBuf,
    connect: Duration,
    pub(super) tls: ArcSwap<Identity>,
    pub(super) orders: Orders,
    pub(super) counters: Counters,
}

impl Forwarding {
    /// Reads the three files; nothing to do where no others are named.
    ///
    /// # Errors
    /// They are not what others would know this machine by.
    pub fn open(config: &Config) -> Result<Option<Arc<Self>>, IdentityError> {
        let cluster = &config.cluster;
        let files = (&cluster.machine, &cluster.cert, &cluster.key, &cluster.ca);
        let (Some(machine), Some(cert), Some(key), Some(ca)) = files else {
            return Ok(None);
        };
        let tls = Identity::read(machine, cert, key, ca)?;
        Ok(Some(Arc::new(Self {
            machine: machine.clone(),
            peers: cluster.peers.clone(),
            cert: cert.clone(),
            key: key.clone(),
            ca: ca.clone(),
            connect: Duration::from_secs(config.proxy.connect_secs),
            tls: ArcSwap::from_pointee(tls),
            orders: Orders::new(),
            counters: Counters::of(cluster.peers.keys()),
        })))
    }

    /// Serves what the files are now; what cannot be used leaves what was before.
    pub fn reload(&self) {
        match Identity::read(&self.machine, &self.cert, &self.key, &self.ca) {
            Ok(tls) => self.tls.store(Arc::new(tls)),
            Err(error) => warn!(%error, "the machine's certificate stays as it was"),
        }
    }

    /// Reads the files from time to time, until `stop`.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut last = self.texts();
        while stop
            .run_until_cancelled(tokio::time::sleep(RELOAD))
            .await
            .is_some()
        {
            let texts = self.texts();
            if texts != last && texts.iter().all(Option::is_some) {
                info!("the machine's certificate is another now");
                self.reload();
                last = texts;
            }
        }
    }

    fn texts(&self) -> [Option<Vec<u8>>; 3] {
        [&self.cert, &self.key, &self.ca].map(|path| std::fs::read(path).ok())
    }

    /// What this machine is called.
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// How often each other machine was asked.
    pub fn counts(&self) -> impl Iterator<Item = (&str, Counts)> {
        self.counters.all()
    }

    /// Whether this is a machine that can be asked for.
    pub fn knows(&self, machine: &str) -> bool {
        self.peers.contains_key(machine)
    }

    /// Has the handshake on a connection of another machine; one with requests, if it is that.
    ///
    /// # Errors
    /// It is none of those that are named, or takes too long.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<Option<PeerStream>> {
        let tls = self.tls.load_full();
        let acceptor = TlsAcceptor::from(tls.server.clone());
        let stream = timeout(self.connect, acceptor.accept(stream)).await??;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let name = chain.first().and_then(|first| Name::of(first));
        match name {
            Some(name) if name.domain == tls.name.domain && self.knows(&name.machine) => {
                Ok(self.orders.sort(stream).await)
            }
            Some(name) => Err(refused(format!(
                "the machine {} of {} is not in cluster.peers",
                name.machine, name.domain
            ))),
            None => Err(refused("its certificate names no machine".to_owned())),
        }
    }

    /// Connects to the gateway of another machine.
    pub(super) async fn connect(
        &self,
        machine: &str,
        protocol: &[u8],
    ) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let peer = self
            .peers
            .get(machine)
            .ok_or_else(|| refused(format!("cluster.peers does not say where {machine} is")))?;
        let mut client = ClientConfig::clone(&self.tls.load().client);
        client.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from(machine.to_owned()).map_err(io::Error::other)?;
        let connect = async {
            let stream = TcpStream::connect(peer.as_str()).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(Arc::new(client))
                .connect(name, stream)
                .await
        };
        timeout(self.connect, connect).await?
    }
}

fn refused(said: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, said)
}
