//! Connections with orders of an operator, from where they are accepted to where they are served.

use super::protocol::{OPERATOR, PeerStream};
use std::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Connections that wait for somebody to serve them.
const MOST: usize = 16;

/// Those that were accepted.
pub(super) struct Orders {
    sender: Sender<PeerStream>,
    pub(super) receiver: Mutex<Option<Receiver<PeerStream>>>,
}

impl Orders {
    pub(super) fn new() -> Self {
        let (sender, receiver) = channel(MOST);
        Self {
            sender,
            receiver: Mutex::new(Some(receiver)),
        }
    }

    /// A connection of another machine, unless it is one with orders.
    pub(super) async fn sort(&self, stream: PeerStream) -> Option<PeerStream> {
        if stream.get_ref().1.alpn_protocol() != Some(OPERATOR) {
            return Some(stream);
        }
        // Whoever served them has ended, and so does this.
        let _ = self.sender.send(stream).await;
        None
    }
}
