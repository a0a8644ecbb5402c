//! For how long a certificate is good.

use crate::timestamp::Timestamp;
use x509_parser::prelude::{FromDer, X509Certificate};

/// When a certificate begins and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From then on clients take it.
    pub not_before: Timestamp,
    /// Until then.
    pub not_after: Timestamp,
}

impl Validity {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        let validity = certificate.validity();
        let [not_before, not_after] = [validity.not_before, validity.not_after]
            .map(|time| Timestamp::from_millis(time.timestamp().saturating_mul(1000)));
        Self {
            not_before,
            not_after,
        }
    }

    /// Of what is served, which need not be X.509.
    pub(super) fn parse(certificate: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        Some(Self::of(&certificate))
    }

    /// Whether clients take it: a certificate of the future is as good as none.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.not_before <= now && now < self.not_after
    }
}
