//! Handshakes: by which name, and whether the authority is the one who looks.

use super::{Acme, challenge};
use crate::timestamp::Timestamp;
use crate::tls::TlsStream;
use crate::tls::handshake::in_time;
use rustls::server::Acceptor;
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::LazyConfigAcceptor;

/// How long the first visitor of a host waits for its certificate. Browsers wait longer.
const WAIT: Duration = Duration::from_secs(25);

impl Acme {
    /// Has the handshake, which ends by then, or so long after a wait for a certificate; `None` if it was the authority's,
    /// after which nothing follows.
    pub(in crate::tls) async fn accept(
        &self,
        stream: TcpStream,
        mut by: Instant,
        limit: Duration,
    ) -> io::Result<Option<TlsStream>> {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream);
        let started = in_time(by, hello).await?;
        let hello = started.client_hello();
        let name = self.served.meant(&hello);
        if challenge::is_one(&hello) {
            let shown = name.and_then(|name| self.challenges.get(&name));
            let shown = shown.ok_or_else(|| io::Error::other("nobody is to look at that name"))?;
            let looked = async { started.into_stream(shown).await?.shutdown().await };
            in_time(by, looked).await?;
            return Ok(None);
        }
        if let Some(name) = name
            && self.wait_for(&name).await
        {
            by = Instant::now() + limit;
        }
        let rest = started.into_stream(self.config.clone());
        in_time(by, rest).await.map(Some)
    }

    /// Waits for a certificate of a host that has none which is good, unless it is not the time to
    /// order one. Says whether it did.
    async fn wait_for(&self, name: &str) -> bool {
        let now = Timestamp::now();
        let has_one = || self.served.get(name).is_some_and(|it| it.is_valid(now));
        if !self.served.exists(name) || has_one() {
            return false;
        }
        let Some(order) = ({ self.ledger().ask(name, now) }) else {
            return false;
        };
        self.wake.notify_one();
        let _ = timeout(WAIT, order.cancelled()).await; // Whatever there is then is served.
        true
    }
}
