//! One request and its response.

use super::Client;
use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::timeout;

/// A request that is being put together; a `header` replaces one of the same name.
#[derive(Debug, Clone)]
pub struct Request {
    client: Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    pub(super) fn new(client: Client, method: Method, path: &str) -> Self {
        let request = Self {
            client,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "cors")
        .header("accept", "*/*");
        // As browsers do: an `Origin` goes with whatever may change something.
        if request.method == Method::GET || request.method == Method::HEAD {
            return request;
        }
        let origin = request.client.origin();
        request.header("origin", &origin)
    }

    /// With this header, in place of any other of that name.
    ///
    /// # Panics
    /// It is no valid header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap_or_else(|_| panic!("header name {name}"));
        let value = HeaderValue::from_str(value).unwrap_or_else(|_| panic!("value of {name}"));
        self.headers.insert(name, value);
        self
    }

    /// Without this header: what programs that are no browser don't send.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// With a JSON body.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn json(self, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body)?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// Sends it and reads the whole response.
    ///
    /// # Errors
    /// There was no whole answer in time.
    pub async fn send(self) -> Result<Response> {
        let what = format!("{} {}", self.method, self.path);
        let response = async {
            let (parts, body) = self.send_streaming().await?.into_parts();
            Ok(Response {
                status: parts.status,
                headers: parts.headers,
                body: body.collect().await?.to_bytes(),
            })
        };
        timeout(2 * crate::wait::DEADLINE, response)
            .await
            .unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in time")))
            .context(what)
    }

    /// Sends it and leaves the response's body to be read.
    ///
    /// # Errors
    /// There was no response.
    pub async fn send_streaming(self) -> Result<http::Response<Incoming>> {
        let client = self.client;
        let scheme = client.base.scheme();
        let uri = format!("{scheme}://127.0.0.1:{}{}", client.port, self.path);
        let mut request = http::Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = uri.parse().with_context(|| uri.clone())?;
        *request.headers_mut() = self.headers;
        let headers = request.headers_mut();
        let host = HeaderValue::from_str(client.authority())?;
        headers.entry(header::HOST).or_insert(host);
        if let Some(cookies) = client.jar().header() {
            headers.entry(header::COOKIE).or_insert(cookies);
        }
        let response = client.pool.request(request).await?;
        client.jar().learn(response.headers());
        Ok(response)
    }
}

/// A whole response.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Response {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is no JSON, or of another shape; the message has status and body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{} with body {:?}", self.status, self.text()))
    }

    /// A header's value, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
