//! What this machine is to the others: its certificate, and where each of them is.

use super::IdentityError;
use super::name::Name;
use super::order::{Orders, PROTOCOL};
use super::verifier::Verifier;
use crate::config::Config;
use crate::pem;
use arc_swap::ArcSwap;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a new certificate may wait.
const RELOAD: Duration = Duration::from_secs(30);

/// A connection of another machine.
pub type PeerStream = tokio_rustls::server::TlsStream<TcpStream>;

/// The protocols between gateways.
pub(super) const HTTP2: &[u8] = b"h2";
pub(super) const HTTP1: &[u8] = b"http/1.1";

/// All that makes this gateway one of several.
pub struct Forwarding {
    machine: String,
    peers: BTreeMap<String, String>,
    cert: PathBuf,
    key: PathBuf,
    ca: PathBuf,
    connect: Duration,
    tls: ArcSwap<Identity>,
    pub(super) orders: Orders,
    counts: BTreeMap<String, Counters>,
}

/// How often another machine was asked.
#[derive(Default)]
struct Counters {
    carried: AtomicU64,
    failed: AtomicU64,
}

/// The same at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Requests that it answered.
    pub carried: u64,
    /// Those that it did not.
    pub failed: u64,
}

struct Identity {
    name: Name,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
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
            counts: cluster
                .peers
                .keys()
                .map(|peer| (peer.clone(), Counters::default()))
                .collect(),
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
        self.counts.iter().map(|(machine, it)| {
            let counts = Counts {
                carried: it.carried.load(Ordering::Relaxed),
                failed: it.failed.load(Ordering::Relaxed),
            };
            (&**machine, counts)
        })
    }

    pub(super) fn count(&self, machine: &str, is_answered: bool) {
        if let Some(counts) = self.counts.get(machine) {
            let count = if is_answered {
                &counts.carried
            } else {
                &counts.failed
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
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

impl Identity {
    fn read(machine: &str, cert: &Path, key: &Path, ca: &Path) -> Result<Self, IdentityError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let roots = Arc::new(pem::roots_of("cluster.ca", ca)?);
        let chain = pem::chain_of("cluster.cert", cert)?;
        let private = pem::private_key_of("cluster.key", key)?;
        let name = chain.first().and_then(|first| Name::of(first));
        let path = || cert.to_owned();
        let name = name.ok_or_else(|| IdentityError::NoName {
            path: path(),
            machine: machine.to_owned(),
        })?;
        if name.machine != machine {
            return Err(IdentityError::OtherName {
                path: path(),
                other: name.machine,
                machine: machine.to_owned(),
            });
        }
        let unusable =
            |error: rustls::server::VerifierBuilderError| IdentityError::Tls(error.to_string());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(unusable)?;
        let signatures =
            WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
                .build()
                .map_err(unusable)?;
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain.clone(), private.clone_key())?;
        server.alpn_protocols = [HTTP2, HTTP1, PROTOCOL].map(<[u8]>::to_vec).into();
        let verifier = Verifier::new(roots, algorithms, signatures, name.domain.clone());
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(chain, private)?;
        Ok(Self {
            name,
            server: Arc::new(server),
            client: Arc::new(client),
        })
    }
}
