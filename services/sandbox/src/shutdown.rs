//! How the end of the service is told to everything that would go on for ever.

use tokio::sync::watch;

/// Tells streams and sockets to end, and knows when they all have.
#[derive(Debug)]
pub struct Shutdown(watch::Sender<bool>);

impl Shutdown {
    /// Nothing ends yet.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets everything end.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// For something that goes on until the end begins; it counts as going on while it has this.
    pub fn notice(&self) -> Notice {
        Notice(self.0.subscribe())
    }

    /// Resolves once no [`Notice`] is left.
    pub async fn all_gone(&self) {
        self.0.closed().await;
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

/// What a stream or socket holds while it goes on.
#[derive(Debug)]
pub struct Notice(watch::Receiver<bool>);

impl Notice {
    /// Resolves once the end has begun.
    pub async fn wait(&mut self) {
        // An error means that the `Shutdown` itself is gone, which is an end too.
        let _ = self.0.wait_for(|begun| *begun).await;
    }
}
