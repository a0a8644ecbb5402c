//! A thread that accepts connections and serves the requests on them.
//!
//! Each has a runtime, and connections to the sandboxes, of its own: a request is never passed
//! between threads, and whoever has time accepts the next connection.

use super::connection::{Connections, GRACE};
use super::dispatch::{Dispatch, Gateway};
use super::handler::Entrance;
use super::linger::{LINGER, linger};
use super::listener::{self, Kind, Listener, Open};
use super::overload::Overload;
use super::stream::Stream;
use crate::config;
use crate::forwarding;
use crate::gate::Gate;
use crate::peer::Source;
use crate::tls::{Handshake, Tls, TlsStream};
use futures_util::future::join_all;
use std::io;
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{LocalSet, yield_now};
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How long a worker with more than its share of the connections leaves a new one to the others.
/// They may be waiting for its very processor, so it has to sleep, but not for long.
const HEAD_START: Duration = Duration::from_millis(1);

/// How many connections more than others a worker may well have.
const SLACK: usize = 8;

/// What all workers have together.
pub(super) struct Shared {
    pub(super) gateway: Arc<Gateway>,
    /// Where whatever outlives a request runs.
    pub(super) runtime: Handle,
    pub(super) config: config::Server,
    /// The connections of each worker.
    pub(super) open: Box<[Arc<Gate>]>,
    /// Those of each worker that stay after their first request: one owner more than there are.
    pub(super) keep_alive: Box<[Arc<()>]>,
    /// The connections that there may be.
    pub(super) permits: Arc<Semaphore>,
    pub(super) overload: Overload,
    /// Once cancelled, nothing more is accepted.
    pub(super) stop: CancellationToken,
}

impl Shared {
    /// How long a TLS handshake may take: as long as the head of a request.
    fn handshake_limit(&self) -> Duration {
        Duration::from_secs(self.config.header_read_secs)
    }
}

/// How many workers there are: one a processor.
pub(crate) fn count() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// A worker's thread.
pub(super) struct Worker {
    finished: oneshot::Receiver<()>,
}

impl Worker {
    /// Starts one.
    pub(super) fn start(
        listeners: Vec<Listener>,
        shared: Arc<Shared>,
        index: usize,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (done, finished) = oneshot::channel();
        let work = move || {
            let local = LocalSet::new();
            local.block_on(&runtime, work(listeners, shared, index));
            // Cuts what did not finish, before anybody hears of it.
            drop((local, runtime));
            let _ = done.send(()); // Nobody waits longer than `shutdown_secs`.
        };
        thread::Builder::new().name("worker".into()).spawn(work)?;
        Ok(Self { finished })
    }

    /// Resolves when its requests have their responses.
    pub(super) async fn finished(self) {
        let _ = self.finished.await; // An error says so, too.
    }
}

async fn work(listeners: Vec<Listener>, shared: Arc<Shared>, index: usize) {
    let upstreams = shared.gateway.proxy().connections(count());
    let dispatch = Dispatch {
        hsts: shared.gateway.hsts(),
        gateway: shared.gateway.clone(),
        runtime: shared.runtime.clone(),
        upstreams: upstreams.clone(),
        peers: shared
            .gateway
            .forwarding()
            .map(forwarding::Connections::new),
        metrics: shared.gateway.worker_metrics(),
    };
    let keep_alive = shared.keep_alive[index].clone();
    let connections = Connections::new(dispatch, &shared.config, keep_alive, shared.stop.clone());
    let (watcher, ends) = (upstreams.clone(), shared.gateway.ends());
    tokio::task::spawn_local(async move { watcher.watch(ends).await });
    let sweeper = upstreams.clone();
    tokio::task::spawn_local(async move { sweeper.sweep().await });
    let opened: io::Result<Vec<_>> = listeners.into_iter().map(Listener::open).collect();
    match opened {
        Ok(listeners) => {
            let accepting = listeners
                .iter()
                .map(|it| accept(it, &connections, index, &shared));
            tokio::select! {
                _ = join_all(accepting) => {}
                () = shared.stop.cancelled() => {}
            }
        }
        Err(error) => warn!(%error, "a worker cannot listen"),
    }
    let open = &shared.open[index];
    open.close();
    open.empty().await;
    upstreams.finished().await;
}

/// Accepts for ever, from one of the listeners.
async fn accept(
    listener: &Open,
    connections: &Rc<Connections<Dispatch>>,
    index: usize,
    shared: &Shared,
) {
    let open = &shared.open[index];
    let mut taken = 0;
    loop {
        match listener::accept(listener).await {
            Ok((stream, source)) => {
                begin(stream, source, &listener.kind, connections, open, shared);
            }
            Err(error) => {
                // Out of file descriptors, most likely; a pause lets some go.
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        taken += 1;
        if has_more_than_its_share(index, shared) {
            taken = 0;
            tokio::time::sleep(HEAD_START).await;
        } else if taken > open.inside() / 16 {
            taken = 0;
            // Few at a time, for the others are for whoever is not busy; but the more there are,
            // the longer a turn is, and the last of a burst must not wait for hundreds of them.
            yield_now().await;
        }
    }
}

/// Whether it has more connections than others, or more of those that stay. The latter are its
/// load for long, and soon uneven; of the others a few more are no burden, and best left to
/// whoever has time.
fn has_more_than_its_share(index: usize, shared: &Shared) -> bool {
    let open = |open: &Arc<Gate>| open.inside();
    exceeds(&shared.open, index, open, SLACK)
        || exceeds(&shared.keep_alive, index, Arc::strong_count, 1)
}

/// Whether the `count` of one worker exceeds what is usual by more than an eighth and `slack`.
fn exceeds<T>(workers: &[T], index: usize, count: impl Fn(&T) -> usize, slack: usize) -> bool {
    let share = workers.iter().map(&count).sum::<usize>() / workers.len();
    count(&workers[index]) > share + share / 8 + slack
}

fn begin(
    stream: Stream,
    source: Source,
    kind: &Kind,
    connections: &Rc<Connections<Dispatch>>,
    open: &Arc<Gate>,
    shared: &Shared,
) {
    let Ok(permit) = shared.permits.clone().try_acquire_owned() else {
        return shared.overload.refuse(stream, kind);
    };
    if open.enter() {
        let (connections, open, kind) = (connections.clone(), open.clone(), kind.clone());
        let (limit, stop) = (shared.handshake_limit(), shared.stop.clone());
        tokio::task::spawn_local(async move {
            match (kind, stream) {
                (Kind::Https(tls), Either::Left(tcp)) => {
                    if let Some(stream) = handshake(&tls, tcp, source, limit, stop).await {
                        let serving = connections.serve(*stream, source, Entrance::Https, permit);
                        serving.await;
                    }
                }
                (Kind::Gateway(forwarding), Either::Left(tcp)) => {
                    match forwarding.accept(tcp).await {
                        Ok(None) => {}
                        Ok(Some(stream)) => {
                            let entrance = Entrance::Gateway;
                            connections.serve(stream, source, entrance, permit).await;
                        }
                        Err(error) => warn!(%error, %source, "refused as another machine"),
                    }
                }
                (kind, stream) => {
                    let entrance = kind.entrance();
                    connections.serve(stream, source, entrance, permit).await;
                }
            }
            open.leave();
        });
    }
}

/// The connection after its TLS handshake, if there is one in time. Once nothing more is accepted,
/// that is as much as a request that was on its way has.
async fn handshake(
    tls: &Tls,
    tcp: TcpStream,
    source: Source,
    limit: Duration,
    stop: CancellationToken,
) -> Option<Box<TlsStream>> {
    let stopped = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let begun = tokio::select! {
        begun = tls.handshake(tcp, limit) => begun,
        () = stopped => return None,
    };
    match begun {
        Ok(Handshake::Done(stream)) => return Some(stream),
        Ok(Handshake::Challenge) => {}
        Ok(Handshake::PlainHttp(tcp)) => linger(Either::Left(tcp), LINGER).await,
        Err(error) => debug!(%error, %source, "no TLS handshake"),
    }
    None
}
