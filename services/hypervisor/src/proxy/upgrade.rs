//! Upgrades: which are asked for, whether they may be, and how the sandbox's 101 is passed on.

use super::begun_body::BegunBody;
use super::connections::Connections;
use super::download::ResponseBody;
use super::failure::Reason;
use super::in_flight::InFlight;
use super::navigation::has_sec_fetch;
use super::tunnel::Tunnel;
use super::{RoutedClaim, hop, own_origin};
use crate::Body;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue, ORIGIN, UPGRADE};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

/// An upgrade that a client asked for.
pub(super) struct Upgrade {
    client: OnUpgrade,
    /// What `Upgrade` said.
    protocol: HeaderValue,
}

impl Upgrade {
    /// The upgrade that `request` asks for, if any. With an `origin` only pages of that one may.
    ///
    /// # Errors
    /// [`Reason::ForeignOrigin`]: a browser sends our cookie along with a WebSocket that any
    /// page opens, and only tells us which page it was.
    pub(super) fn asked(
        request: &mut Request<Incoming>,
        origin: Option<&HeaderValue>,
    ) -> Result<Option<Self>, Reason> {
        let headers = request.headers();
        let Some(protocol) = headers.get(UPGRADE).cloned() else {
            return Ok(None);
        };
        let asked = request.version() == Version::HTTP_11
            && hop::lists(headers, &CONNECTION, "upgrade")
            && !is_http(headers);
        if !asked {
            return Ok(None);
        }
        let ours = match (origin, headers.get(ORIGIN)) {
            (None, _) => true,
            (Some(origin), Some(given)) => given == origin,
            (Some(_), None) => !has_sec_fetch(headers),
        };
        if !ours {
            return Err(Reason::ForeignOrigin);
        }
        let client = hyper::upgrade::on(request);
        Ok(Some(Self { client, protocol }))
    }

    /// Asks the sandbox for the same.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocol.clone());
    }

    /// Passes the sandbox's 101 on, and then bytes both ways.
    pub(super) fn switch<C: RoutedClaim>(
        self,
        connections: &Connections,
        mut response: Response<BegunBody>,
        has_own_host: bool,
        claim: C,
        in_flight: InFlight,
    ) -> Response<ResponseBody<C>> {
        let upstream = hyper::upgrade::on(&mut response);
        let headers = response.headers_mut();
        let protocol = headers.get(UPGRADE).cloned().unwrap_or(self.protocol);
        hop::strip(headers, own_origin::beyond(has_own_host));
        headers.remove(CONTENT_LENGTH);
        let tunnel = Tunnel {
            websocket: protocol.as_bytes().eq_ignore_ascii_case(b"websocket"),
            drain_deadline: claim.drain_deadline().clone(),
            in_flight,
        };
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
        connections.tasks.spawn_local(async move {
            let sandbox = claim.sandbox();
            match tokio::try_join!(self.client, upstream) {
                Ok((client, upstream)) => tunnel.forward(client, upstream).await,
                Err(error) => tracing::debug!(sandbox, %error, "upgrade not completed"),
            }
            drop(claim);
        });
        response.map(|_| ResponseBody::Left(Body::empty()))
    }
}

/// `h2c` and its like would carry requests past us, with whatever identity they claim. RFC 9110
/// lets us ignore an upgrade.
fn is_http(headers: &HeaderMap) -> bool {
    hop::tokens(headers, &UPGRADE).any(|protocol| {
        let name = protocol.split(|byte| *byte == b'/').next();
        name.is_some_and(|name| {
            [b"h2c".as_slice(), b"h2", b"h3", b"http", b"tls"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        })
    })
}
