//! Has certificates ordered and renewed, for as long as this program serves.

use super::Acme;
use super::issued::Issued;
use super::problem::{Failure, Fault};
use crate::timestamp::Timestamp;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::{JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long what is due may wait. A clock that jumps is noticed by this, too.
const INTERVAL: Duration = Duration::from_secs(3);

/// How long nothing is ordered once certificates come that this host's clock makes no sense of.
const WRONG_CLOCK: Duration = Duration::from_hours(6);

impl Acme {
    /// Orders what is due and what is asked for, until `stop`.
    pub(in crate::tls) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut orders = JoinSet::new();
        loop {
            self.ask_for_due();
            while let Some(name) = { self.ledger().begin() } {
                orders.spawn(self.clone().order(name));
            }
            tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = orders.join_next(), if !orders.is_empty() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// Asks for what nobody has to ask for: the gateway's own hosts, and renewals.
    fn ask_for_due(&self) {
        let now = Timestamp::now();
        let certificates = self.served.all();
        let is_due = |name: &str| {
            certificates
                .get(name)
                .is_none_or(|it| !it.is_valid(now) || it.renew_at(name) <= now)
        };
        let (there, gone): (Vec<_>, Vec<_>) =
            certificates.iter().partition(|it| self.served.exists(it.0));
        let mut others: Vec<_> = there.into_iter().filter(|it| is_due(it.0)).collect();
        others.sort_by_key(|(_, certificate)| certificate.validity.not_after);
        let own = self.served.own().iter().filter(|name| is_due(name));
        let mut ledger = self.ledger();
        for name in own.chain(others.into_iter().map(|it| it.0)) {
            ledger.ask(name, now);
        }
        ledger.keep(|name| self.served.exists(name));
        drop(ledger);
        // A host that comes back soon has its certificate still.
        for (name, _) in gone.into_iter().filter(|it| it.1.validity.not_after < now) {
            self.served.remove(name);
            self.folder.remove_certificate(name);
        }
    }

    async fn order(self: Arc<Self>, name: String) {
        let (this, of) = (self.clone(), name.clone());
        // A panic in what others wrote costs this order alone.
        let obtained = tokio::spawn(async move { this.obtain(&of).await }).await;
        let obtained = obtained.unwrap_or_else(|_| {
            Err(Failure::new(
                Fault::Name,
                "the order broke off; it is tried again",
            ))
        });
        let outcome = match obtained {
            Ok(pem) => self.clone().take_up(name.clone(), pem).await,
            Err(failure) => Err(failure),
        };
        self.end(&name, outcome).await;
    }

    /// Serves and keeps a new certificate.
    async fn take_up(self: Arc<Self>, name: String, pem: String) -> Result<(), Failure> {
        let issued = Issued::read(&name, pem.as_bytes(), &self.provider);
        let issued = issued.map_err(|reason| {
            let said =
                format!("what the authority issued cannot be served: {reason}; it is asked again");
            Failure::new(Fault::Name, said)
        })?;
        let (now, until) = (Timestamp::now(), issued.validity.not_after);
        if !issued.is_valid(now) || issued.renew_at(&name) <= now {
            let from = issued.validity.not_before;
            let said = format!(
                "what the authority issued is for {from} to {until}, and this host's clock says {now}; set the clock"
            );
            return Err(Failure {
                retry_after: Some(WRONG_CLOCK),
                ..Failure::new(Fault::Authority, said)
            });
        }
        self.served.put(&name, issued);
        info!(%name, %until, "there is a new certificate");
        let kept = spawn_blocking(move || self.folder.keep_certificate(&name, &pem)).await;
        if let Ok(Err(error)) = kept {
            warn!(%error, "the new certificate is not kept, and ordered anew after a restart; make room in tls.acme.dir");
        }
        Ok(())
    }

    async fn end(self: Arc<Self>, name: &str, outcome: Result<(), Failure>) {
        let now = Timestamp::now();
        let wait = self.ledger().end(name, outcome.as_ref().err(), now);
        if let Err(failure) = outcome {
            self.failures.fetch_add(1, Ordering::Relaxed);
            if let Some(wait) = wait {
                self.warn(name, &failure, wait);
            }
        }
        let failures = move || {
            let failures = || self.ledger().failures().clone();
            self.folder.keep_failures(failures)
        };
        let kept = spawn_blocking(failures).await;
        if let Ok(Err(error)) = kept {
            warn!(%error, "what failed is not kept over a restart; make room in tls.acme.dir");
        }
    }

    fn warn(&self, name: &str, failure: &Failure, wait: Duration) {
        let wait = wait.as_secs();
        match self.served.get(name) {
            Some(old) => {
                let until = old.validity.not_after;
                warn!(
                    "no new certificate for {name}: {failure}; the one that it has is good until {until}, and the next attempt is in {wait} s"
                );
            }
            None => {
                warn!("no certificate for {name}: {failure}; the next attempt is in {wait} s");
            }
        }
    }
}
