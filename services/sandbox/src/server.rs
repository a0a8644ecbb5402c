//! From the configuration to a running service, and to its orderly end.

use crate::config::Config;
use crate::data::{DataDir, DataError};
use crate::http;
use crate::log::{Draft, EventLog, LogError};
use crate::service::{Identity, Service};
use axum::serve::ListenerExt;
use sd_notify::NotifyState;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// How long requests may take to finish after SIGTERM; the hypervisor kills after 10 seconds.
const GRACE: Duration = Duration::from_secs(8);

/// How long a start waits for the run before it to let go of the data dir.
const HANDOVER: Duration = Duration::from_secs(10);

/// Why the service did not start, or ended otherwise than it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Nothing can be served at the address.
    #[error("{address}: {source}; stop what listens there, or give --listen another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data dir cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The event log cannot be used.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The system refused something that it never refuses.
    #[error("the system refused to serve: {0}")]
    System(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// The service could not start, or its listener broke.
pub async fn run(config: Config) -> Result<(), ServiceError> {
    let (terminate, interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    // The listener comes first: a start that fails for its port leaves no trace in the log.
    let listen = |source| ServiceError::Listen {
        address: config.listen,
        source,
    };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr()?;
    let service = Arc::new(open(&config).await?);
    info!(%address, name = %config.name, "listening");
    tell_systemd(NotifyState::Ready);
    tokio::spawn(end_at_signal(Arc::clone(&service), terminate, interrupt));
    serve(listener, &service).await?;
    service.log.close().await;
    info!("stopped");
    Ok(())
}

/// Serves until the end has begun and every request is finished, or its time is over.
async fn serve(listener: TcpListener, service: &Arc<Service>) -> io::Result<()> {
    // An event is a small packet, and would wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let overdue = async {
        service.shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let shutdown = service.shutdown.clone().cancelled_owned();
    let served = async {
        axum::serve(listener, http::router(Arc::clone(service)))
            .with_graceful_shutdown(shutdown)
            .await?;
        service.sockets.close();
        service.sockets.wait().await;
        Ok(())
    };
    tokio::select! {
        result = served => result,
        () = overdue => {
            warn!("requests were cut after {GRACE:?}");
            Ok(())
        }
    }
}

async fn open(config: &Config) -> Result<Service, ServiceError> {
    let data = DataDir::open(&config.data_dir, HANDOVER).await?;
    let log = EventLog::open(&data.log_path())?;
    let identity = Identity {
        name: config.name.clone(),
        instance_role: config.instance_role,
        hostname: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
        version: env!("CARGO_PKG_VERSION"),
        release: config.release,
    };
    log.append(Draft {
        kind: "system.startup".into(),
        user_id: None,
        payload: serde_json::to_value(&identity).ok(),
    })
    .await?;
    Ok(Service {
        identity,
        accent: config.accent,
        log_identity: data.log_identity()?,
        data,
        log,
        shutdown: CancellationToken::new(),
        sockets: TaskTracker::new(),
    })
}

async fn end_at_signal(service: Arc<Service>, mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!("stopping");
    tell_systemd(NotifyState::Stopping);
    service.shutdown.cancel();
}

/// For a unit of `Type=notify`; without systemd nothing happens.
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "systemd does not hear us on NOTIFY_SOCKET");
    }
}
