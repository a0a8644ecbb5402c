//! Orders of an operator that another machine does: in a protocol of their own, so that no request
//! of anybody else can become one.

use super::identity::PeerStream;
use super::{ForwardError, Forwarding};
use crate::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// What is agreed on in the handshake.
pub(super) const PROTOCOL: &[u8] = b"choiros-operator";

/// Connections that wait for somebody to serve them.
const MOST: usize = 16;

/// Connections with orders, from where they are accepted to where they are served.
pub(super) struct Orders {
    sender: Sender<PeerStream>,
    receiver: Mutex<Option<Receiver<PeerStream>>>,
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
        if stream.get_ref().1.alpn_protocol() != Some(PROTOCOL) {
            return Some(stream);
        }
        // Whoever served them has ended, and so does this.
        let _ = self.sender.send(stream).await;
        None
    }
}

impl Forwarding {
    /// The connections of other machines that have orders, for whoever asks first.
    pub fn orders(&self) -> Option<Receiver<PeerStream>> {
        self.orders.receiver.lock().ok()?.take()
    }

    /// Has another machine do an order.
    ///
    /// # Errors
    /// It cannot be reached, or went away in the midst of it.
    pub async fn order(
        &self,
        machine: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Body>, ForwardError> {
        let stream = self.connect(machine, PROTOCOL).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        Ok(response.map(Body::new))
    }
}
