//! HTTP to the authority: the only requests that this program sends to the internet.
//!
//! Each has a connection of its own, for they are few: an order is some ten of them, every other
//! month.

use bytes::Bytes;
use http::header::{HOST, HeaderValue, RETRY_AFTER};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long a request may take, from the look-up of the name to the last byte of the response.
const LIMIT: Duration = Duration::from_secs(30);

/// Bytes of a response at most; a chain of certificates has a few thousand.
const LARGEST: usize = 256 * 1024;

type Boxed = Box<dyn std::error::Error + Send + Sync>;
type Responding = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

/// Why there was no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// No connection.
    #[error("{0} cannot be reached ({1}); let this host reach it, or mend tls.acme.directory")]
    Unreachable(String, io::Error),
    /// A connection to someone else, so far as we can tell.
    #[error(
        "{0} cannot be trusted ({1}); give the roots of its certificate in tls.acme.ca_file, or see whether this host's clock is right"
    )]
    Untrusted(String, io::Error),
    /// A connection that led to nothing.
    #[error("{0} gave no response ({1}); it is asked again")]
    Broken(String, Boxed),
    /// A URL that is none of an ACME server's.
    #[error("{0} is no https URL; mend tls.acme.directory")]
    NotHttps(String),
}

/// How long the authority asked to be left alone in its last response.
#[derive(Debug, Clone, Default)]
pub(super) struct RetryAfter(Arc<Mutex<Option<Duration>>>);

impl RetryAfter {
    pub(super) fn asked(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, response: &http::response::Parts) {
        let is_refusal = matches!(
            response.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        let value = response.headers.get(RETRY_AFTER);
        let value = value.filter(|_| is_refusal).and_then(seconds);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}

/// Seconds, or a date.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    at.duration_since(SystemTime::now()).ok()
}

/// Sends the requests of one order.
pub(super) struct Http {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) retry_after: RetryAfter,
}

impl HttpClient for Http {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Responding {
        let (tls, retry_after) = (self.tls.clone(), self.retry_after.clone());
        Box::pin(async move {
            let response = send(request, tls).await;
            let response = response.map_err(|error| Error::Other(Box::new(error)))?;
            retry_after.note(&response.parts);
            Ok(response)
        })
    }
}

async fn send(
    mut request: Request<BodyWrapper<Bytes>>,
    tls: Arc<ClientConfig>,
) -> Result<BytesResponse, HttpError> {
    let uri = std::mem::take(request.uri_mut());
    let (host, port) = place(&uri).ok_or_else(|| HttpError::NotHttps(uri.to_string()))?;
    let late = |_| HttpError::Unreachable(host.clone(), io::ErrorKind::TimedOut.into());
    let exchange = async {
        let unreachable = |error| HttpError::Unreachable(host.clone(), error);
        let stream = TcpStream::connect((&*host, port)).await;
        let stream = stream.map_err(unreachable)?;
        let name = ServerName::try_from(host.clone());
        let name = name.map_err(|_| HttpError::NotHttps(uri.to_string()))?;
        let stream = TlsConnector::from(tls).connect(name, stream).await;
        let stream = stream.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => HttpError::Untrusted(host.clone(), error),
            _ => unreachable(error),
        })?;
        let target = uri.path_and_query().map_or("/", |it| it.as_str());
        let broken = |error| HttpError::Broken(host.clone(), error);
        *request.uri_mut() = target.parse().map_err(|error| broken(Boxed::from(error)))?;
        let authority = uri.authority().map_or("", |it| it.as_str());
        let field = HeaderValue::from_str(authority);
        let field = field.map_err(|error| broken(error.into()))?;
        request.headers_mut().insert(HOST, field);
        exchange(stream, request).await.map_err(broken)
    };
    timeout(LIMIT, exchange).await.map_err(late)?
}

/// Host and port of an https URL.
fn place(uri: &Uri) -> Option<(String, u16)> {
    let host = uri.host().filter(|_| uri.scheme_str() == Some("https"))?;
    let host = host.trim_matches(['[', ']']);
    Some((host.to_owned(), uri.port_u16().unwrap_or(443)))
}

async fn exchange(
    stream: tokio_rustls::client::TlsStream<TcpStream>,
    request: Request<BodyWrapper<Bytes>>,
) -> Result<BytesResponse, Boxed> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
        Ok(BytesResponse {
            parts,
            body: Box::new(body),
        })
    };
    // The connection is driven by whoever waits for the response, and ends with it.
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        response = &mut exchange => response,
        ended = connection => {
            ended?;
            exchange.await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_spoken() {
        for (url, wanted) in [
            ("https://acme.example/dir", Some(("acme.example", 443))),
            ("https://acme.example:14000/", Some(("acme.example", 14000))),
            ("https://[::1]:14000/", Some(("::1", 14000))),
            ("http://acme.example/", None),
            ("/dir", None),
        ] {
            let found = place(&url.parse().unwrap());
            let found = found.as_ref().map(|(host, port)| (host.as_str(), *port));
            assert_eq!(found, wanted, "{url}");
        }
    }

    #[test]
    fn only_a_refusal_says_when_to_come_again() {
        let said = |status: u16, value: &str| {
            let retry_after = RetryAfter::default();
            let response = http::Response::builder().status(status);
            let response = response.header(RETRY_AFTER, value).body(()).unwrap();
            retry_after.note(&response.into_parts().0);
            retry_after.asked().map(|it| it.as_secs())
        };
        assert_eq!(said(429, "120"), Some(120));
        assert_eq!(said(503, " 7 "), Some(7));
        assert_eq!(said(200, "120"), None);
        assert_eq!(said(429, "soon"), None);
        assert_eq!(said(429, "Thu, 01 Jan 1970 00:00:00 GMT"), None);
        let hour = SystemTime::now() + Duration::from_hours(1);
        let date = said(429, &httpdate::fmt_http_date(hour)).unwrap();
        assert!((3500..=3600).contains(&date), "{date}");
    }
}
