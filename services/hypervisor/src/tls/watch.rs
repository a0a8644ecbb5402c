//! Notices that the files are others than before, and serves what they are now.
//!
//! It looks at them every few seconds, which sees whatever way they change in: written over,
//! renamed, or behind a link that leads elsewhere from now on.

use super::Tls;
use super::certificate::FileVersion;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a new certificate may wait.
const INTERVAL: Duration = Duration::from_secs(3);

/// What the last look at the files came to.
pub(super) struct LastRead {
    /// What was read then.
    versions: [FileVersion; 2],
    /// Why it is not served, if it is not.
    failure: Option<String>,
    /// Whether the log has that.
    pub(super) logged: bool,
}

impl LastRead {
    pub(super) fn well(versions: [FileVersion; 2]) -> Self {
        Self {
            versions,
            failure: None,
            logged: false,
        }
    }
}

impl Tls {
    /// Looks at the files until `stop`, and serves what they are.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let refreshing = async {
            loop {
                tokio::time::sleep(INTERVAL).await;
                let this = self.clone();
                // A disk may take its time. What fails is tried again.
                let _ = tokio::task::spawn_blocking(move || this.refresh(false)).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = refreshing => {}
        }
    }

    /// Serves what the files are now, whether they changed or not. What cannot be served leaves
    /// the certificate that was served before, and is told in the log.
    pub fn reload(&self) {
        self.refresh(true);
    }

    /// Reads the files if they changed since they were last read, or could not be served then.
    ///
    /// Who replaces them does one after the other, so that a pair that does not fit is logged only
    /// when it is the same the next time, unless it was `requested`.
    pub(super) fn refresh(&self, requested: bool) {
        let mut last = self
            .last_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let versions = self.files.versions();
        if !requested && last.failure.is_none() && versions == last.versions {
            return;
        }
        let cert = self.files.cert.display();
        match self.files.load(&self.provider) {
            Ok(pair) => {
                let is_new = pair.cert != self.resolver.0.load().cert;
                self.resolver.0.store(Arc::new(pair));
                *last = LastRead::well(versions);
                if is_new || requested {
                    info!(%cert, "new connections get the certificate as it is now");
                }
            }
            Err(error) => {
                let failure = Some(error.to_string());
                let is_same = last.failure == failure && last.versions == versions;
                let logged = is_same && last.logged;
                let warns = requested || is_same && !logged;
                if warns {
                    warn!("{error}; the certificate that was served before goes on to be");
                }
                *last = LastRead {
                    versions,
                    failure,
                    logged: logged || warns,
                };
            }
        }
    }
}
