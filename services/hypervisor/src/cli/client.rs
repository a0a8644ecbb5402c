//! Talks to the running gateway over its Unix socket.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::PathBuf;
use tokio::net::UnixStream;

/// The gateway's own response that it does not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(String);

pub(super) struct Client {
    socket: PathBuf,
}

impl Client {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, body.to_string().into()).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Value> {
        let socket = self.socket.display();
        let stream = UnixStream::connect(&self.socket).await.with_context(|| {
            format!(
                "no gateway answers on {socket}; start it with `hypervisor serve`, or give the same --config and be root or its user"
            )
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let response = sender.send_request(request).await.with_context(|| {
            format!(
                "the gateway on {socket} gave no reply; its socket is for root and its own user, unless it ended just now"
            )
        })?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let reply: Value = serde_json::from_slice(&body).with_context(|| {
            format!("the gateway answered {status} without JSON; restart it if it is of another version than this command")
        })?;
        if status.is_success() {
            return Ok(reply);
        }
        let message = reply["message"].as_str();
        let message = message.unwrap_or("refused, without a reason");
        Err(Refusal(message.to_owned()).into())
    }
}
