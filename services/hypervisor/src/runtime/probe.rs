//! Asks a sandbox whether it is healthy and the one that it should be.

use super::Spec;
use crate::config::Address;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What our sandbox service calls itself.
const SERVICE: &str = "choiros-sandbox";
/// Bytes of a health response at most.
const MAX_BODY: usize = 64 * 1024;
/// Characters of a stranger's response that are repeated in a sentence.
const MAX_QUOTE: usize = 120;

/// What a probe found instead of the healthy sandbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "a field is told by its name")]
pub enum ProbeError {
    /// It does not run, so there is nothing to ask.
    #[error("sandbox `{0}` is stopped; start it first")]
    Stopped(String),
    /// No connection.
    #[error("nothing answers at {address} ({reason})")]
    Unreachable { address: SocketAddr, reason: String },
    /// Connected, but no whole answer in time.
    #[error(
        "{address} did not answer GET {path} within {} s; name a page that is quicker with health_path, or raise runtime.probe_timeout_secs",
        within.as_secs_f32()
    )]
    TimedOut {
        address: SocketAddr,
        path: String,
        within: Duration,
    },
    /// The response is not HTTP.
    #[error("what listens at {address} does not speak HTTP ({reason})")]
    NotHttp { address: SocketAddr, reason: String },
    /// Not the status of one that is well.
    #[error("{address} answers GET {path} with {status}{}{}", quoted(said), remedy(*status, *wanted))]
    Unhealthy {
        address: SocketAddr,
        path: String,
        status: StatusCode,
        wanted: Option<u16>,
        said: String,
    },
    /// Healthy, but not the sandbox that it should be.
    #[error(
        "{address} answers as {found}, and not as {expected}{}",
        if *ours { "" } else { "; if it is a service of your own, set identity = false" }
    )]
    Stranger {
        address: SocketAddr,
        found: String,
        ours: bool,
        expected: String,
    },
}

impl ProbeError {
    /// Whether something that cannot be the sandbox answered, so that patience is no use.
    pub(super) const fn is_impostor(&self) -> bool {
        matches!(self, Self::NotHttp { .. } | Self::Stranger { .. })
    }

    /// Whether nothing answered at all.
    pub(super) const fn is_silence(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// What is to be said where another place was silent before this one.
    pub(super) fn after(self, before: Option<Self>) -> Self {
        let (Some(Self::Unreachable { address, reason }), Self::Unreachable { .. }) =
            (before, &self)
        else {
            return self;
        };
        let reason = format!("{reason}, nor elsewhere: {self}");
        Self::Unreachable { address, reason }
    }
}

/// Resolves `Ok` if the sandbox answers at `address`, healthy and as itself: with `named` it has to
/// say so, and without it may not say that it is another of our sandboxes.
pub(super) async fn probe(
    spec: &Spec,
    named: bool,
    address: SocketAddr,
    within: Duration,
) -> Result<(), ProbeError> {
    let timed_out = |_| ProbeError::TimedOut {
        address,
        path: spec.declared.health_path.clone(),
        within,
    };
    tokio::time::timeout(within, ask(spec, named, address))
        .await
        .map_err(timed_out)?
}

async fn ask(spec: &Spec, named: bool, address: SocketAddr) -> Result<(), ProbeError> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| unreachable(address, &error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| refused(address, &error))?;
    // The set ends the connection when this probe does, however it ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let request = Request::get(&spec.declared.health_path)
        .header(header::HOST, host(spec, address))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| ProbeError::Unreachable {
            address,
            reason: format!("health_path and health_host make no request: {error}"),
        })?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| refused(address, &error))?;
    judge(spec, named, address, response).await
}

/// As it was declared, `localhost` included, whichever family it was found in.
fn host(spec: &Spec, address: SocketAddr) -> String {
    let declared = spec.declared.listens().map(|address| address.host());
    let own = spec.declared.health_host.clone().or(declared);
    own.unwrap_or_else(|| Address::Localhost(address.port()).host())
}

fn unreachable(address: SocketAddr, error: &std::io::Error) -> ProbeError {
    ProbeError::Unreachable {
        address,
        reason: error.to_string(),
    }
}

/// A connection that breaks is one that may heal; a response that cannot be parsed is not.
fn refused(address: SocketAddr, error: &hyper::Error) -> ProbeError {
    let reason = error.to_string();
    if error.is_parse() {
        return ProbeError::NotHttp { address, reason };
    }
    ProbeError::Unreachable { address, reason }
}

/// The part of our sandbox service's `/health` that says who it is.
#[derive(Deserialize)]
struct Identity {
    service: String,
    name: String,
    instance_role: String,
}

async fn judge(
    spec: &Spec,
    named: bool,
    address: SocketAddr,
    response: Response<Incoming>,
) -> Result<(), ProbeError> {
    let status = response.status();
    let is_well = spec
        .declared
        .health_status
        .map_or(status.is_success(), |wanted| status == wanted);
    if is_well && !spec.declared.identity {
        return Ok(());
    }
    let server = response.headers().get(header::SERVER);
    let server = server
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = Limited::new(response.into_body(), MAX_BODY).collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    if !is_well {
        return Err(ProbeError::Unhealthy {
            address,
            path: spec.declared.health_path.clone(),
            status,
            wanted: spec.declared.health_status,
            said: quote(&String::from_utf8_lossy(&body)),
        });
    }
    match serde_json::from_slice(&body) {
        Ok(identity) if is(spec, &identity) => Ok(()),
        Ok(Identity { service, .. }) if !named && service != SERVICE => Ok(()),
        Err(_) if !named => Ok(()),
        found => Err(stranger(spec, address, found.ok(), server.as_deref())),
    }
}

/// Whoever is not the sandbox, as they name themselves.
fn stranger(
    spec: &Spec,
    address: SocketAddr,
    identity: Option<Identity>,
    server: Option<&str>,
) -> ProbeError {
    let ours = identity.as_ref().is_some_and(|it| it.service == SERVICE);
    let found = match (identity, server) {
        (Some(it), _) if ours => format!(
            "sandbox `{}` ({})",
            quote(&it.name),
            quote(&it.instance_role)
        ),
        (Some(it), _) => format!("the service `{}`", quote(&it.service)),
        (None, Some(server)) => format!("something else (Server: {})", quote(server)),
        (None, None) => "something else, which does not name itself".to_owned(),
    };
    ProbeError::Stranger {
        address,
        found,
        ours,
        expected: format!("sandbox `{}` ({})", spec.name, spec.instance_role),
    }
}

fn is(spec: &Spec, found: &Identity) -> bool {
    found.service == SERVICE
        && found.name == spec.name
        && found.instance_role == spec.instance_role.as_str()
}

/// The beginning of what a stranger said, fit for a sentence.
fn quote(said: &str) -> String {
    let visible = said.trim().chars().filter(|c| !c.is_control());
    visible.take(MAX_QUOTE).collect()
}

/// Which options say what is asked, and what counts as well.
fn remedy(status: StatusCode, wanted: Option<u16>) -> String {
    if let Some(wanted) = wanted {
        return format!("; health_status wants {wanted}, so mend it, or that option");
    }
    let code = status.as_u16();
    match code {
        300..400 => format!(
            "; if that is well, set health_status = {code}, else name a page that answers 2xx with health_path"
        ),
        400..500 => format!(
            "; name a page that answers 2xx with health_path, the host that it answers to with health_host, or this status with health_status = {code}"
        ),
        _ => {
            "; if it is well all the same, name a page that answers 2xx with health_path".to_owned()
        }
    }
}

fn quoted(said: &str) -> String {
    if said.is_empty() {
        return String::new();
    }
    format!(": {said}")
}
