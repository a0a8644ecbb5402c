//! One worker's connections to the sandboxes, and those of them that wait for a request.

use super::Limits;
use super::connection::{Connection, Unsent};
use super::reuse::Reuse;
use super::send_error::SendError;
use super::upload::Upload;
use crate::clock;
use http::{Request, Response};
use hyper::body::Incoming;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

/// How often those that waited too long are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// The connections of one worker, by the route that they belong to: those of an old generation
/// are never found again, and end with their time.
pub struct Connections {
    limits: Limits,
    idle: RefCell<Idle>,
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
pub(super) struct Begun {
    pub(super) response: Response<Incoming>,
    pub(super) connection: Connection,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            limits,
            idle: RefCell::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// The response's head. A request that went nowhere is sent once more, by a new connection:
    /// if not a byte of it was sent; or if its connection had waited and proved dead, and it may
    /// be repeated.
    pub(super) async fn send(
        &self,
        route: u64,
        address: SocketAddr,
        request: Request<Upload>,
    ) -> Result<Begun, SendError> {
        let repeatable = request.method().is_idempotent() && request.body().is_none();
        let mut request = request;
        if let Some(mut connection) = self.take(route, repeatable) {
            let again = repeatable.then(|| copy(&request));
            let unsent = match connection.send(request).await {
                Ok(response) => {
                    return Ok(Begun {
                        response,
                        connection,
                    });
                }
                Err(unsent) => unsent,
            };
            request = match (unsent.request, again) {
                (Some(request), _) => request,
                (None, Some(again)) if unsent.dead => again,
                (None, _) => return Err(SendError::Exchange(unsent.error)),
            };
        }
        let reuse = self.idle.borrow_mut().route(route).reuse.clone();
        let mut connection = Connection::open(address, &self.limits, reuse).await?;
        match connection.send(request).await {
            Ok(response) => Ok(Begun {
                response,
                connection,
            }),
            Err(Unsent { error, .. }) => Err(SendError::Exchange(error)),
        }
    }

    /// The connection that was used last, if it is still good.
    fn take(&self, route: u64, repeatable: bool) -> Option<Connection> {
        let idle = &mut *self.idle.borrow_mut();
        let waiting = &mut idle.of.get_mut(&route)?.waiting;
        while let Some(last) = waiting.pop_if(|last| repeatable || last.is_fresh()) {
            idle.count -= 1;
            if last.is_good() {
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

/// The same request; for those without a body.
fn copy(request: &Request<Upload>) -> Request<Upload> {
    let mut copy = Request::new(Upload::none());
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    request.headers().clone_into(copy.headers_mut());
    request.extensions().clone_into(copy.extensions_mut());
    copy
}
