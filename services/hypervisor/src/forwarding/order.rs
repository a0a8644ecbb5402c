//! Orders of an operator that another machine does: in a protocol of their own, so that no request
//! of anybody else can become one.

use super::protocol::{OPERATOR, PeerStream};
use super::{ForwardError, Forwarding};
use crate::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc::Receiver;

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
        let stream = self.connect(machine, OPERATOR).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        Ok(response.map(Body::new))
    }
}
