//! A small HTTP client that behaves like a page of the hypervisor: it keeps cookies, says that
//! it is of the same origin, and follows no redirect.
//!
//! It connects to 127.0.0.1 whatever the base's host is, and names that host in `Host`.

mod jar;
mod request;

pub use request::{Request, Response};

use crate::tls;
use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client as Pool, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use jar::Jar;
use rustls::{ClientConfig, DEFAULT_VERSIONS, RootCertStore};
use serde::Serialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};
use url::Url;

/// A WebSocket of [`Client::websocket`].
pub type WebSocket = WebSocketStream<TcpStream>;

/// A client with one cookie jar; clones share it.
#[derive(Debug, Clone)]
pub struct Client {
    base: Url,
    port: u16,
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
    jar: Arc<Mutex<Jar>>,
}

impl Client {
    /// A client of `base`, such as `http://localhost:9090`.
    ///
    /// # Panics
    /// `base` is no such address.
    pub fn new(base: &str) -> Self {
        Self::over_tls(base, tls::config(RootCertStore::empty(), DEFAULT_VERSIONS))
    }

    /// The same of `https://…`, whose certificate is as `tls` wants it.
    ///
    /// # Panics
    /// `base` is no such address.
    pub fn over_tls(base: &str, tls: ClientConfig) -> Self {
        let base = Url::parse(base).unwrap_or_else(|error| panic!("{base}: {error}"));
        let Some(port) = base.port_or_known_default() else {
            panic!("{base} has no port")
        };
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Self {
            base,
            port,
            pool: Pool::builder(TokioExecutor::new()).build(connector),
            jar: Arc::default(),
        }
    }

    /// A client of the same server by another name, with a jar of its own.
    ///
    /// # Errors
    /// It is no host's name.
    pub fn at(&self, host: &str) -> Result<Self> {
        let mut base = self.base.clone();
        base.set_host(Some(host)).with_context(|| host.to_owned())?;
        Ok(Self {
            base,
            jar: Arc::default(),
            ..self.clone()
        })
    }

    /// The same browser, whose requests come to this port, whatever the base's is.
    #[must_use]
    pub fn through(&self, port: u16) -> Self {
        Self {
            port,
            ..self.clone()
        }
    }

    /// The name of the host.
    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// The origin that it says to come from.
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// A request like a page's own `fetch` of this path.
    pub fn request(&self, method: Method, path: &str) -> Request {
        Request::new(self.clone(), method, path)
    }

    /// GET, as `fetch` does it.
    ///
    /// # Errors
    /// There was no whole response.
    pub async fn get(&self, path: &str) -> Result<Response> {
        self.request(Method::GET, path).send().await
    }

    /// GET, as the address bar does it.
    ///
    /// # Errors
    /// There was no whole response.
    pub async fn navigate(&self, path: &str) -> Result<Response> {
        self.request(Method::GET, path)
            .header("sec-fetch-site", "none")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .send()
            .await
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// There was no whole response.
    pub async fn post_json(&self, path: &str, body: &impl Serialize) -> Result<Response> {
        self.request(Method::POST, path).json(body)?.send().await
    }

    /// PATCH with a JSON body.
    ///
    /// # Errors
    /// There was no whole response.
    pub async fn patch_json(&self, path: &str, body: &impl Serialize) -> Result<Response> {
        self.request(Method::PATCH, path).json(body)?.send().await
    }

    /// DELETE.
    ///
    /// # Errors
    /// There was no whole response.
    pub async fn delete(&self, path: &str) -> Result<Response> {
        self.request(Method::DELETE, path).send().await
    }

    /// Server-sent events of this path, after the event `last` if one is given.
    ///
    /// # Errors
    /// The response is no event stream.
    pub async fn events(&self, path: &str, last: Option<&str>) -> Result<crate::sse::Stream> {
        let mut request = self
            .request(Method::GET, path)
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send_streaming().await?;
        let kind = response.headers().get(header::CONTENT_TYPE);
        anyhow::ensure!(
            kind.is_some_and(|kind| kind == "text/event-stream"),
            "{path} answered {} {kind:?}",
            response.status()
        );
        Ok(crate::sse::Stream::new(response.into_body()))
    }

    /// A WebSocket to this path, with our cookies and origin.
    ///
    /// # Errors
    /// The upgrade was refused.
    pub async fn websocket(&self, path: &str) -> Result<WebSocket> {
        self.websocket_with(path, &[]).await
    }

    /// The same with these headers, too.
    ///
    /// # Errors
    /// It was refused, or a header is none.
    pub async fn websocket_with(
        &self,
        path: &str,
        with: &[(&'static str, &str)],
    ) -> Result<WebSocket> {
        let mut request = format!("ws://{}{path}", self.authority()).into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(header::ORIGIN, HeaderValue::from_str(&self.origin())?);
        if let Some(cookies) = self.jar().header() {
            headers.insert(header::COOKIE, cookies);
        }
        for (name, value) in with {
            headers.insert(*name, HeaderValue::from_str(value)?);
        }
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = client_async(request, stream)
            .await
            .with_context(|| format!("WebSocket {path}"))?;
        Ok(socket)
    }

    /// The name of the session's cookie.
    pub fn session_cookie(&self) -> String {
        if self.base.scheme() == "https" {
            "__Host-choiros".into()
        } else {
            let port = self.base.port_or_known_default();
            format!("choiros-{}", port.unwrap_or_default())
        }
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().get(name)
    }

    /// The `Cookie` header, for requests by other means.
    pub fn cookies(&self) -> String {
        let header = self.jar().header();
        let text = header.as_ref().and_then(|header| header.to_str().ok());
        text.unwrap_or_default().to_owned()
    }

    /// Sets a cookie, or changes it.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar().set(name, value);
    }

    /// Forgets every cookie.
    pub fn clear_cookies(&self) {
        *self.jar() = Jar::default();
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `Host` says.
    fn authority(&self) -> &str {
        self.base.authority()
    }
}
