//! `hypervisor serve`: puts the parts together, and takes them apart in order.

use super::signals::Signals;
use super::{open_files, output, systemd};
use crate::api::{self, Api, Control, LogReaders};
use crate::auth::{Auth, NewInvite};
use crate::cluster::{self, Machines};
use crate::config::{self, Config, Registration};
use crate::error;
use crate::forwarding::Forwarding;
use crate::metrics::Metrics;
use crate::proxy::Proxy;
use crate::routes::{Places, Routes};
use crate::runtime::Runtime;
use crate::server::{self, Gateway};
use crate::shell::{self, Shell};
use crate::store::{Database, Handle, Lock, Store, StoreError};
use crate::tls::{AcmeSettings, Tls};
use anyhow::{Context as _, Error, Result, bail};
use axum::Router;
use axum::middleware::from_fn_with_state;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How this program names itself to others that want its store.
const SERVE: &str = "hypervisor serve";

/// Serves until a signal asks for an end.
pub(super) async fn serve(config: Config) -> Result<()> {
    let config = Arc::new(config);
    log(&config.log)?;
    open_files::allow(&config);
    warn_of_token(&config.server);
    // Before anything else is touched: a second start must not disturb the first.
    let control =
        Control::bind(config.control_socket()).context("cannot listen on the operator's socket")?;
    let tls = open_tls(&config)?;
    let forwarding = Forwarding::open(&config)?;
    let listeners = systemd::listeners(&config, tls.as_ref(), forwarding.as_ref())?;
    let signals = Signals::listen(tls.is_some())?;
    let stop = signals.stop.clone();

    let _only = lock(&config, &stop).await?;
    let store = open(config.clone()).await?;
    let auth = Auth::open(&config, store.clone()).await?;
    let store = Handle::new(store);
    let kept_store = store.clone();
    let runtime = Runtime::open(&config)?;
    let ends = auth.end_notifier().clone();
    let routes = Routes::open(config.clone(), store.clone(), runtime.clone(), ends).await?;
    let machines = Arc::<Machines>::default();
    let followed = tokio::spawn(cluster::follow(
        store.clone(),
        auth.clone(),
        routes.clone(),
        machines.clone(),
        stop.clone(),
    ));
    auth.place_by(Box::new(Places(routes.clone())));
    routes.delete_archives_in_time(&auth);
    let metrics = Arc::new(Metrics::default());
    let api = Api {
        auth: auth.clone(),
        routes: routes.clone(),
        store,
        config: config.clone(),
        tls: tls.clone(),
        metrics: metrics.clone(),
        shell: Shell::new(&config),
        acts: Arc::default(),
        log_readers: Arc::new(LogReaders::new(stop.clone())),
        labels: Arc::default(),
        forwarding: forwarding.clone(),
        machines,
        started: Instant::now(),
    };
    if let Some(acme) = tls.as_ref().and_then(|tls| tls.by_acme()) {
        let routes = routes.clone();
        acme.serve_hosts(Box::new(move |name| routes.host_exists(name)));
    }
    let nobody = api.store.run(|store| store.user_count()).await? == 0;
    let own = own(&api);
    let proxy = Proxy::new(&config.proxy, &config.account_url());
    let routes_at_end = routes.clone();
    let gateway = Gateway::new(
        auth.clone(),
        routes,
        proxy,
        own,
        metrics,
        forwarding.clone(),
        &config,
    );

    let orders = CancellationToken::new();
    let operator = tokio::spawn(api::serve_control(control, api, orders.clone()));
    print_enrolment_link(&config, &auth, nobody).await?;
    systemd::ready(stop.clone());
    if let Some(tls) = tls.clone() {
        tokio::spawn(tls.watch(stop.clone()));
    }
    if let Some(forwarding) = forwarding {
        tokio::spawn(forwarding.watch(stop.clone()));
    }
    signals.reload(tls);
    keep_room(kept_store.clone());
    server::serve(listeners, Arc::new(gateway), &config.server, stop)
        .await
        .context("cannot serve")?;
    orders.cancel();
    operator.await.context("the operator's socket failed")?;
    routes_at_end.store_writes().await;
    runtime.shutdown().await;
    if let Err(error) = auth.purge_expired().await {
        warn!(%error, "could not remove expired sessions at the end; the next start does");
    }
    let followed = followed
        .await
        .context("the other gateways could not be followed")?;
    if let Err(error) = kept_store.run(|store| store.release()).await {
        warn!(%error, "another gateway has to wait for the store");
    }
    followed?;
    info!("stopped");
    Ok(())
}

/// What this program answers itself.
fn own(api: &Api) -> Router {
    shell::router(api.shell.clone())
        .merge(api.auth.router())
        .merge(api::router(api.clone()))
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn_with_state(
            api.store.clone(),
            cluster::answer_when_known,
        ))
}

/// The store, for this gateway alone. A restore that is at work is waited for, so that a socket of
/// systemd's may start a gateway meanwhile.
async fn lock(config: &Config, stop: &CancellationToken) -> Result<Lock> {
    const TIMEOUT: Duration = Duration::from_mins(1);
    let begun = Instant::now();
    let mut waits = false;
    loop {
        match Lock::take(&config.store.path, SERVE) {
            Err(StoreError::InUse { holder, .. })
                if !(holder.starts_with(SERVE) || stop.is_cancelled())
                    && begun.elapsed() < TIMEOUT =>
            {
                if !waits {
                    info!(holder, "the store is in use; waiting");
                    waits = true;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            taken => return Ok(taken?),
        }
    }
}

async fn open(config: Arc<Config>) -> Result<Arc<dyn Store>> {
    let opened = tokio::task::spawn_blocking(move || Database::open(&config));
    Ok(Arc::new(
        opened.await.context("the store could not be opened")??,
    ))
}

/// Meanwhile, since nobody has to wait for it.
fn keep_room(store: Handle) {
    tokio::spawn(async move {
        if let Err(error) = store.run(|store| store.keep_room()).await {
            warn!(%error, "no room could be kept for the store; make room on its disk");
        }
    });
}

fn log(config: &config::Log) -> Result<()> {
    let filter = config::filter(&config.filter).map_err(Error::msg)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        // It would be told on the very stream that failed, and panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    if config.json {
        builder.json().init();
    } else {
        builder.init();
    }
    Ok(())
}

/// A token comes from outside, and at a later time than a build's check: without it the rest
/// serves, and `/metrics` is for loopback alone.
fn warn_of_token(config: &config::Server) {
    if let Some(file) = &config.metrics_token_file
        && let Err(error) = std::fs::read(file)
    {
        let file = file.display();
        warn!(%error, "server.metrics_token_file: {file} cannot be read, so /metrics answers loopback alone");
    }
}

/// The certificates, and what else `[tls]` needs that is there on the host alone.
fn open_tls(config: &Config) -> Result<Option<Arc<Tls>>> {
    let tls = &config.tls;
    if let Some(webroot) = &tls.acme_webroot
        && !webroot.is_dir()
    {
        bail!(
            "tls.acme_webroot: {} is no folder; make it, readable for this program's user",
            webroot.display()
        );
    }
    if let Some(acme) = &tls.acme {
        let origin = config.origin();
        let own = origin.host_str().map(str::to_owned).into_iter();
        return Ok(Some(Arc::new(Tls::acme(&AcmeSettings {
            directory: acme.directory.clone(),
            email: acme.email.clone(),
            dir: config.acme_dir(),
            ca_file: acme.ca_file.clone(),
            own_hosts: own.chain(tls.redirect_hosts.iter().cloned()).collect(),
        })?)));
    }
    let pair = tls.cert.as_deref().zip(tls.key.as_deref());
    Ok(match pair {
        Some((cert, key)) => Some(Arc::new(Tls::open(cert, key)?)),
        None => None,
    })
}

/// Says where to go, and to the first one ever how to get in; on standard output, so that scripts find it among the logs.
async fn print_enrolment_link(config: &Config, auth: &Arc<Auth>, nobody: bool) -> Result<()> {
    let origin = config.origin().origin().ascii_serialization();
    let version = env!("CARGO_PKG_VERSION");
    output::answer(&format!("ChoirOS hypervisor {version} serves {origin}\n"))?;
    if nobody && config.registration != Registration::Closed {
        let first = NewInvite {
            admin: true,
            ..NewInvite::default()
        };
        let invite = auth.invite(first).await?;
        output::answer(&format!(
            "Open this link to register the first passkey and become the admin:
  {}
",
            invite.url
        ))?;
    }
    Ok(())
}
