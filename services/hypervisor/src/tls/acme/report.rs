//! How the certificates are, for an operator.

use super::Acme;
use crate::timestamp::Timestamp;
use crate::tls::Validity;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

/// How the certificate of a name is.
#[derive(Debug, Clone, Serialize)]
pub struct Certificate {
    /// The name.
    pub name: String,
    /// Whether there is one that is good.
    pub valid: bool,
    /// Until when the one that is served is good.
    pub expires_at: Option<Timestamp>,
    /// Whether one is being ordered.
    pub ordering: bool,
    /// Why the last order failed, if it did.
    pub error: Option<String>,
    /// When the next may be.
    pub retry_at: Option<Timestamp>,
}

impl Acme {
    /// Each name that has a certificate, should have one, or was asked for.
    pub fn certificates(&self) -> Vec<Certificate> {
        let now = Timestamp::now();
        let served = self.served.all();
        let ledger = self.ledger();
        let names: BTreeSet<&String> = self.served.own().iter().chain(served.keys()).collect();
        let names = names.into_iter().chain(ledger.names());
        let names: BTreeSet<&String> = names.filter(|name| self.served.exists(name)).collect();
        let report = names.into_iter().map(|name| {
            let certificate = served.get(name);
            // An authority that is away concerns those alone that need it.
            let failure = ledger.failure(name).filter(|_| {
                certificate.is_none_or(|it| !it.is_valid(now) || it.renew_at(name) <= now)
            });
            Certificate {
                name: name.clone(),
                valid: certificate.is_some_and(|it| it.is_valid(now)),
                expires_at: certificate.map(|it| it.validity.not_after),
                ordering: ledger.has(name),
                error: failure.map(|(error, _)| error.to_owned()),
                retry_at: failure.map(|(_, at)| at),
            }
        });
        report.collect()
    }

    /// For how long the certificate of each of those names is good.
    pub fn validities(&self) -> Vec<Option<Validity>> {
        let served = self.served.all();
        let names = self.certificates().into_iter();
        names
            .map(|it| Some(served.get(&it.name)?.validity))
            .collect()
    }

    /// Orders that failed since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}
