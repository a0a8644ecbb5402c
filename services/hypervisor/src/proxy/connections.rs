//! One worker's connections to the sandboxes, and those of them that wait for a request.

use super::Limits;
use super::connection::{Connection, Unsent};
use super::idle_timeout::IdleTimeout;
use super::in_flight::{InFlight, Requests};
use super::reuse::Reuse;
use super::send_error::SendError;
use super::upload::Upload;
use crate::clock;
use crate::http1::Asked;
use crate::lifetime::Lifetimes;
use bytes::Bytes;
use http::header::UPGRADE;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

/// How often those that waited too long are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// How many clocks for responses are kept.
const TIMERS: usize = 256;

/// The connections of one worker, by the route that they belong to: those of an old generation
/// are never found again, and end with their time.
pub struct Connections {
    limits: Limits,
    idle: RefCell<Idle>,
    timers: RefCell<Vec<IdleTimeout>>,
    /// What is under way.
    requests: Rc<Requests>,
    /// What goes on after a response: tunnels, and bodies that are read to their end.
    pub(super) tasks: TaskTracker,
}

#[derive(Default)]
struct Idle {
    of: HashMap<u64, Route>,
    count: usize,
}

#[derive(Default)]
struct Route {
    /// The one that was used last is the last.
    waiting: Vec<Connection>,
    reuse: Rc<Reuse>,
    used: Duration,
}

/// A response that has begun, and the connection that its body comes by.
pub(super) type Exchanged = (Response<Incoming>, Connection);

impl Connections {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            limits,
            idle: RefCell::default(),
            timers: RefCell::default(),
            requests: Rc::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// The response's head. A request that went nowhere is sent once more, by a new connection:
    /// if not a byte of it was sent; or if its connection had waited and proved dead, and it may
    /// be repeated. `on_interim` says who is told what comes before the response.
    pub(super) async fn send(
        &self,
        route: u64,
        address: SocketAddr,
        mut request: Request<Upload>,
        on_interim: impl Fn(&mut Request<Upload>),
    ) -> Result<Exchanged, SendError> {
        let repeatable = request.method().is_idempotent() && request.body().is_none();
        let asked = Asked {
            head: request.method() == Method::HEAD,
            upgrade: request.headers().contains_key(UPGRADE),
        };
        let mut again = Bytes::new();
        on_interim(&mut request);
        if let Some(mut connection) = self.take(route, repeatable) {
            let method = request.method().clone();
            match connection.send(request, asked, repeatable).await {
                Ok(response) => return Ok((response, connection)),
                Err(Unsent::Failed(error)) => return Err(SendError::Exchange(error)),
                Err(Unsent::Whole(unsent)) => request = *unsent,
                Err(Unsent::Dead(written)) => {
                    again = written;
                    // hyper has to know what it waits for.
                    request = Request::new(Upload::none());
                    *request.method_mut() = method;
                    on_interim(&mut request);
                }
            }
        }
        let reuse = self.idle.borrow_mut().route(route).reuse.clone();
        let mut connection = Connection::open(address, &self.limits, reuse, again).await?;
        match connection.send(request, asked, false).await {
            Ok(response) => Ok((response, connection)),
            Err(Unsent::Failed(error)) => Err(SendError::Exchange(error)),
            Err(Unsent::Whole(_) | Unsent::Dead(_)) => {
                let error = io::Error::new(io::ErrorKind::ConnectionReset, "it closed at once");
                Err(SendError::Connect(error))
            }
        }
    }

    /// A clock for a response, which is to be [`Connections::put_timer`] back: its timer stays
    /// set, and most responses come before it would go off.
    pub(super) fn timer(&self) -> IdleTimeout {
        let kept = self.timers.borrow_mut().pop();
        kept.unwrap_or_else(|| IdleTimeout::new(self.limits.response))
    }

    pub(super) fn put_timer(&self, mut timer: IdleTimeout) {
        timer.moved();
        let mut timers = self.timers.borrow_mut();
        if timers.len() < TIMERS {
            timers.push(timer);
        }
    }

    /// The connection that was used last, if it is still good.
    fn take(&self, route: u64, repeatable: bool) -> Option<Connection> {
        let idle = &mut *self.idle.borrow_mut();
        let waiting = &mut idle.of.get_mut(&route)?.waiting;
        while let Some(last) = waiting.pop_if(|last| repeatable || last.is_fresh()) {
            idle.count -= 1;
            if last.is_good(repeatable) {
                return Some(last);
            }
        }
        None
    }

    /// Has a connection wait for the next request, once the last one is through; or closes it if
    /// too many do.
    pub(super) fn put(self: &Rc<Self>, route: u64, mut connection: Connection) {
        if connection.is_ready() {
            self.put_ready(route, connection);
        } else if !connection.is_closed() {
            let this = self.clone();
            tokio::task::spawn_local(async move {
                if connection.ready().await {
                    this.put_ready(route, connection);
                }
            });
        }
    }

    fn put_ready(&self, route: u64, connection: Connection) {
        let idle = &mut *self.idle.borrow_mut();
        if idle.count < self.limits.pool_most && !connection.is_closed() {
            idle.count += 1;
            let route = idle.route(route);
            route.used = connection.wait();
            route.waiting.push(connection);
        }
    }

    /// Closes, for ever, what waited too long or was closed by its sandbox.
    pub async fn sweep(&self) {
        let most = self.limits.pool_idle;
        let every = SWEEP.min(most).max(Duration::from_secs(1));
        loop {
            sleep(every).await;
            let now = clock::monotonic();
            let idle = &mut *self.idle.borrow_mut();
            let is_over = |since| now.saturating_sub(since) >= most;
            idle.of.retain(|_, route| {
                let kept = |it: &mut Connection| !is_over(it.since()) && !it.is_closed();
                route.waiting.retain_mut(kept);
                route.reuse.forget();
                // What is known of it counts for a while after the last connection.
                !route.waiting.is_empty() || !is_over(route.used)
            });
            idle.count = idle.of.values().map(|route| route.waiting.len()).sum();
        }
    }

    /// A request that ends with the first of its lifetimes.
    pub(super) fn begin(&self, lifetimes: Lifetimes) -> InFlight {
        self.requests.begin(lifetimes)
    }

    /// What `work` comes to on behalf of a request that is not sent yet; `None` if one of the
    /// lifetimes is over before.
    pub async fn unless_over<T>(
        &self,
        lifetimes: &Lifetimes,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        self.begin(lifetimes.clone()).unless_over(work).await
    }

    /// Ends requests, for ever, with their lifetimes, whose ends are told by `ends`.
    pub async fn watch(&self, ends: watch::Receiver<()>) {
        self.requests.watch(ends).await;
    }

    /// Resolves when nothing goes on behind a response any more.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Idle {
    fn route(&mut self, route: u64) -> &mut Route {
        self.of.entry(route).or_default()
    }
}
