//! Notices that the files are others than before, and serves what they are now.
//!
//! It looks at them every few seconds, which sees whatever way they change in: written over,
//! renamed, or behind a link that leads elsewhere from now on.

use super::Tls;
use super::certificate::Stamp;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a new certificate may wait.
const INTERVAL: Duration = Duration::from_secs(3);

/// What the last look at the files came to.
pub(super) struct Look {
    /// What was read then.
    stamps: [Stamp; 2],
    /// Why it is not served, if it is not.
    failure: Option<String>,
    /// Whether the log has that.
    pub(super) told: bool,
}

impl Look {
    pub(super) fn well(stamps: [Stamp; 2]) -> Self {
        Self {
            stamps,
            failure: None,
            told: false,
        }
    }
}

impl Tls {
    /// Looks at the files until `stop`, and serves what they are.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let looking = async {
            loop {
                tokio::time::sleep(INTERVAL).await;
                let this = self.clone();
                // A disk may take its time. What fails is tried again.
                let _ = tokio::task::spawn_blocking(move || this.look(false)).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = looking => {}
        }
    }

    /// Serves what the files are now, whether they changed or not. What cannot be served leaves
    /// the certificate that was served before, and is told in the log.
    pub fn reload(&self) {
        self.look(true);
    }

    /// Reads the files if they changed since the last look, or could not be served then.
    ///
    /// Who replaces them does one after the other, so that a pair that does not fit is told only
    /// when it is the same at the next look, unless someone `asked`.
    pub(super) fn look(&self, asked: bool) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.files.stamps();
        if !asked && last.failure.is_none() && stamps == last.stamps {
            return;
        }
        let cert = self.files.cert.display();
        match self.files.load(&self.provider) {
            Ok(pair) => {
                let is_new = pair.cert != self.served.0.load().cert;
                self.served.0.store(Arc::new(pair));
                *last = Look::well(stamps);
                if is_new || asked {
                    info!(%cert, "new connections get the certificate as it is now");
                }
            }
            Err(error) => {
                let failure = Some(error.to_string());
                let is_same = last.failure == failure && last.stamps == stamps;
                let told = is_same && last.told;
                let tell = asked || is_same && !told;
                if tell {
                    warn!("{error}; the certificate that was served before goes on to be");
                }
                *last = Look {
                    stamps,
                    failure,
                    told: told || tell,
                };
            }
        }
    }
}
