//! What signals ask of the gateway.

use super::systemd;
use crate::tls::Tls;
use anyhow::{Context as _, Result};
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The signals that are listened for.
pub(super) struct Signals {
    /// Cancelled by the first that asks for an end.
    pub(super) stop: CancellationToken,
    /// Those that ask for a reload, the ones from before [`Signals::reload`] as well.
    hangups: Option<Signal>,
}

impl Signals {
    /// Listens from now on.
    ///
    /// SIGHUP asks for an end where a terminal was closed; where there is a certificate, or
    /// systemd, it asks for a reload.
    pub(super) fn listen(has_certificate: bool) -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        let stop = CancellationToken::new();
        let mut ends = vec![
            listen(SignalKind::terminate())?,
            listen(SignalKind::interrupt())?,
        ];
        let mut hangups = Some(listen(SignalKind::hangup())?);
        if !(has_certificate || systemd::is_heard()) {
            ends.extend(hangups.take());
        }
        for mut signals in ends {
            let stop = stop.clone();
            tokio::spawn(async move {
                signals.recv().await;
                stop.cancel();
            });
        }
        Ok(Self { stop, hangups })
    }

    /// Takes up the certificate as it is then, each time that a signal asks for it.
    pub(super) fn reload(self, tls: Option<Arc<Tls>>) {
        let Some(mut hangups) = self.hangups else {
            return;
        };
        let reloading = async move {
            while hangups.recv().await.is_some() {
                let tls = tls.clone();
                let reload = move || systemd::reloading(|| tls.iter().for_each(|tls| tls.reload()));
                let _ = tokio::task::spawn_blocking(reload).await; // Failures are in the log.
            }
        };
        tokio::spawn(async move { self.stop.run_until_cancelled(reloading).await });
    }
}
