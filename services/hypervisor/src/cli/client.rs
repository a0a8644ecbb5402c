//! Talks to the running gateway over its Unix socket.

use anyhow::{Error, Result};
use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io;
use std::path::PathBuf;
use tokio::net::UnixStream;

/// Why there is no answer that says «done».
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// Nothing was asked.
    #[error(
        "no gateway answers on {socket}; start it with `hypervisor serve`, or give the same --config and be root or its user"
    )]
    Unreachable {
        socket: String,
        #[source]
        cause: io::Error,
    },
    /// It may be done, and it may not.
    #[error(
        "the gateway on {socket} gave no reply; its socket is for root and its own user, unless it ended just now"
    )]
    NoAnswer {
        socket: String,
        #[source]
        cause: hyper::Error,
    },
    /// It was asked, and what came of it could not be found out.
    #[error("{0}")]
    Unknown(String),
    /// The gateway does not do it.
    #[error("{0}")]
    Refused(String),
}

impl ClientError {
    pub(super) fn is_refusal(error: &Error) -> bool {
        matches!(error.downcast_ref(), Some(Self::Refused(_)))
    }
}

pub(super) struct Client {
    socket: PathBuf,
}

impl Client {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::POST, path, body.to_string().into()).await
    }

    /// Has the gateway do an act; what it answers, if that is more than «done».
    pub(super) async fn act(&self, act: &Value) -> Result<Value> {
        self.post("/acts", act).await
    }

    /// The same on the workspace of this name.
    pub(super) async fn act_on(
        &self,
        workspace: &str,
        name: &str,
        mut order: Value,
    ) -> Result<Value> {
        order["act"] = name.into();
        order["workspace"] = workspace.into();
        self.act(&order).await
    }

    /// Hands each line of a response on as it comes, until the gateway ends it.
    pub(super) async fn lines(
        &self,
        path: &str,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let response = self.send(Method::GET, path, Bytes::new()).await?;
        if !response.status().is_success() {
            return self.reply(response).await.map(|_| ());
        }
        let mut body = response.into_body();
        let mut buffer = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|cause| self.no_answer(cause))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            buffer.extend_from_slice(&data);
            while let Some(end) = memchr::memchr(b'\n', &buffer) {
                take(&buffer.split_to(end + 1)[..end])?;
            }
        }
        if buffer.is_empty() {
            return Ok(());
        }
        take(&buffer)
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Value> {
        let response = self.send(method, path, body).await?;
        self.reply(response).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Response<Incoming>> {
        let stream = UnixStream::connect(&self.socket).await;
        let stream = stream.map_err(|cause| ClientError::Unreachable {
            socket: self.socket.display().to_string(),
            cause,
        })?;
        let opened = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = opened.map_err(|cause| self.no_answer(cause))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let response = sender.send_request(request).await;
        Ok(response.map_err(|cause| self.no_answer(cause))?)
    }

    /// What a response says: `null` if nothing.
    async fn reply(&self, response: Response<Incoming>) -> Result<Value> {
        let status = response.status();
        let body = response.into_body().collect().await;
        let body = body.map_err(|cause| self.no_answer(cause))?.to_bytes();
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        let reply: Value = serde_json::from_slice(&body).map_err(|error| {
            Error::from(error).context(format!(
                "the gateway answered {status} without JSON; restart it if it is of another version than this command"
            ))
        })?;
        if status.is_success() {
            return Ok(reply);
        }
        let message = reply["message"].as_str();
        let message = message.unwrap_or("refused, without a reason");
        Err(ClientError::Refused(message.to_owned()).into())
    }

    fn no_answer(&self, cause: hyper::Error) -> ClientError {
        ClientError::NoAnswer {
            socket: self.socket.display().to_string(),
            cause,
        }
    }
}
