//! A gateway with a certificate, someone with a session, and what stands behind it.

use crate::common::builder;
use anyhow::Result;
use http::Request;
use http::response::Parts;
use http_body_util::BodyExt as _;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use std::path::PathBuf;
use std::sync::Arc;
use testkit::harness::{Builder, Hypervisor};
use testkit::person::Person;
use testkit::raw::Raw;
use testkit::tls::{self, Authority, CERT_FILE, Issued, KEY_FILE, Kind};
use testkit::upstream::Upstream;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

pub struct Site {
    pub gateway: Hypervisor,
    pub authority: Authority,
    /// The live sandbox.
    pub upstream: Upstream,
    _dev: Upstream,
}

/// A builder of a gateway that has this certificate.
pub fn with(authority: &Authority, certificate: Issued) -> Builder {
    builder().tls(authority, certificate)
}

impl Site {
    /// One whose `[tls]` goes on with these lines.
    pub async fn start(tls: &str) -> Self {
        Self::start_as(tls, Kind::Ecdsa, |builder| builder).await
    }

    pub async fn start_as(tls: &str, kind: Kind, more: impl FnOnce(Builder) -> Builder) -> Self {
        let authority = Authority::new().unwrap();
        let certificate = authority.issue(kind).unwrap();
        let (live, dev) = (Upstream::start().await, Upstream::start().await);
        let (live, dev) = (live.unwrap(), dev.unwrap());
        let config = format!(
            "[tls]\n{tls}\n[runtime]\nkind = \"adopt\"\n\
             [workspaces.sandbox.live]\naddress = \"{}\"\nidentity = false\n\
             [workspaces.sandbox.dev]\naddress = \"{}\"\nidentity = false\n",
            live.address(),
            dev.address()
        );
        let builder = more(with(&authority, certificate).config(&config));
        Self {
            gateway: builder.start().await.unwrap(),
            authority,
            upstream: live,
            _dev: dev,
        }
    }

    pub async fn person(&self) -> Person {
        Person::register(&self.gateway, "alice").await.unwrap()
    }

    /// What `Host` says.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.gateway.port())
    }

    /// A client that speaks these protocols, the first by preference.
    pub fn client(&self, protocols: &[&str]) -> ClientConfig {
        let mut config = self.authority.trusted();
        config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
        config
    }

    pub async fn connect(&self, config: ClientConfig) -> Result<TlsStream<TcpStream>> {
        tls::connect(self.gateway.address(), "localhost", Arc::new(config)).await
    }

    /// A connection for HTTP/1.1.
    pub async fn raw(&self) -> Raw {
        Raw::on(self.connect(self.client(&["http/1.1"])).await.unwrap())
    }

    /// The response to a GET over HTTP/2, and its body.
    pub async fn http2(&self, host: &str, path: &str, cookie: &str) -> (Parts, String) {
        let stream = self.connect(self.client(&["h2"])).await.unwrap();
        get_over_http2(stream, host, path, cookie).await
    }

    /// The certificate that a new connection is given.
    pub async fn certificate(&self) -> CertificateDer<'static> {
        let stream = self.connect(self.authority.trusted()).await.unwrap();
        first(&stream)
    }

    /// The files of the certificate and its key.
    pub fn files(&self) -> [PathBuf; 2] {
        [CERT_FILE, KEY_FILE].map(|name| self.gateway.state_dir().join(name))
    }
}

/// The server's certificate on this connection.
pub fn first(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

pub async fn get_over_http2(
    stream: TlsStream<TcpStream>,
    host: &str,
    path: &str,
    cookie: &str,
) -> (Parts, String) {
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get(format!("https://{host}{path}")).header("cookie", cookie);
    let request = request.body(String::new()).unwrap();
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    connection.abort();
    (parts, String::from_utf8(body.to_vec()).unwrap())
}

/// A GET of this path.
pub fn get(host: &str, path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")
}
