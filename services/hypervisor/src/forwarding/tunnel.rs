//! A request that becomes a tunnel, such as a WebSocket, on a connection of its own.

use super::protocol::HTTP1;
use super::{ForwardError, Forwarding};
use crate::Body;
use http::header::{CONNECTION, TRANSFER_ENCODING, UPGRADE};
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tracing::debug;

/// Asks the other gateway for it; once it agrees, passes bytes both ways.
pub(super) async fn open(
    forwarding: &Forwarding,
    machine: &str,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, ForwardError> {
    let stream = forwarding.connect(machine, HTTP1).await?;
    let client = hyper::upgrade::on(&mut request);
    *request.version_mut() = Version::HTTP_11;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(async move {
        if let Err(error) = connection.with_upgrades().await {
            debug!(%error, "the connection to another machine ended");
        }
    });
    let mut response = sender.send_request(request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let upstream = hyper::upgrade::on(&mut response);
        tokio::task::spawn_local(pass(client, upstream));
    } else {
        // It was refused, and this is of the connection that ends with that.
        for name in [CONNECTION, TRANSFER_ENCODING, UPGRADE] {
            response.headers_mut().remove(name);
        }
    }
    Ok(response.map(Body::new))
}

async fn pass(client: OnUpgrade, upstream: OnUpgrade) {
    let passed = async {
        let (client, upstream) = tokio::try_join!(client, upstream)?;
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        copy_bidirectional(&mut client, &mut upstream).await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    if let Err(error) = passed.await {
        debug!(%error, "a tunnel to another machine ended");
    }
}
