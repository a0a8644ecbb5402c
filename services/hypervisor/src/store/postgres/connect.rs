//! How the server is reached: its address, our password there, and by which certificate it is known.

use crate::config::{self, postgres_server};
use crate::pem;
use crate::store::StoreError;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use std::time::Duration;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Which key names the roots that the server is known by.
const ROOTS: &str = "store.ca_file";

type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// A server, and how it is spoken to.
#[derive(Clone)]
pub(super) struct Server {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Server {
    pub(super) fn new(settings: &config::Store, url: &str) -> Result<Self, StoreError> {
        let roots = match &settings.ca_file {
            Some(file) => pem::roots_of(ROOTS, file)?,
            None => pem::roots_of_system(ROOTS),
        };
        let tls = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::Settings(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config: server(settings, url).map_err(StoreError::Settings)?,
            tls: MakeRustlsConnect::new(tls),
        })
    }

    /// Connections to it, made when something is first asked.
    pub(super) fn pool(&self, settings: &config::Store) -> Result<Pool, StoreError> {
        let manager = Manager::from_config(
            self.config.clone(),
            self.tls.clone(),
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let timeout = Some(Duration::from_secs(settings.timeout_secs));
        Pool::builder(manager)
            .max_size(settings.max_connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(timeout)
            .create_timeout(timeout)
            .recycle_timeout(timeout)
            .build()
            .map_err(|error| StoreError::Settings(error.to_string()))
    }

    /// A connection of one's own, which has to be polled.
    pub(super) async fn connect(
        &self,
    ) -> Result<(Client, Connection<Socket, Stream>), tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }
}

fn server(settings: &config::Store, url: &str) -> Result<Config, String> {
    let mut server = postgres_server(url)?;
    if let Some(file) = &settings.password_file {
        let password = std::fs::read_to_string(file).map_err(|error| {
            let file = file.display();
            format!("store.password_file: {file}: {error}; give a file that this program's user may read")
        })?;
        server.password(password.trim_end_matches(['\r', '\n']));
    }
    let timeout = Duration::from_secs(settings.timeout_secs);
    let millis = timeout.as_millis();
    // An answer is given once it is on disk, whatever the server's own default is.
    server.options(format!(
        "-c statement_timeout={millis} -c lock_timeout={millis} \
         -c idle_in_transaction_session_timeout={millis} -c synchronous_commit=on"
    ));
    server
        .application_name("choiros-hypervisor")
        .connect_timeout(timeout)
        .tcp_user_timeout(timeout);
    Ok(server)
}
