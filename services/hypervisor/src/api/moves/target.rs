//! The other machine, as the one sees it that a workspace goes from.

use crate::Body;
use crate::api::at_home::FORWARDED;
use crate::forwarding::Forwarding;
use crate::role::Role;
use crate::routes::{Arrival, Offer, OfferedReleases, Target};
use async_trait::async_trait;
use axum::body::to_bytes;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::Full;
use serde::Serialize;
use serde_json::Value;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// More than any answer has.
const MOST: usize = 64 * 1024;

/// A machine that is reached as others' orders are.
pub(super) struct Elsewhere {
    forwarding: Arc<Forwarding>,
    machine: String,
}

impl Elsewhere {
    pub(super) fn new(forwarding: Arc<Forwarding>, machine: String) -> Self {
        Self {
            forwarding,
            machine,
        }
    }

    async fn ask(
        &self,
        workspace: &str,
        what: &str,
        content: &(impl Serialize + Sync),
    ) -> Result<Bytes, String> {
        let content = serde_json::to_vec(content).map_err(|error| error.to_string())?;
        let request = request(workspace, what, content)?;
        let response = self.forwarding.order(&self.machine, request).await;
        let response = response.map_err(|error| error.to_string())?;
        if response.status().is_success() {
            let body = to_bytes(response.into_body(), MOST).await;
            return body.map_err(|error| error.to_string());
        }
        Err(said(response).await)
    }
}

#[async_trait]
impl Target for Elsewhere {
    fn machine(&self) -> &str {
        &self.machine
    }

    async fn offer(&self, workspace: &str, offer: &Offer) -> Result<OfferedReleases, String> {
        let answer = self.ask(workspace, "offer", offer).await?;
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    }

    async fn stream(&self, workspace: &str, born: Role) -> Result<UnixStream, String> {
        let request = request(workspace, &format!("volumes/{born}"), Vec::new())?;
        let stream = self.forwarding.stream(&self.machine, request).await;
        match stream.map_err(|error| error.to_string())? {
            Ok(stream) => Ok(stream),
            Err(response) => Err(said(response).await),
        }
    }

    async fn arrive(&self, workspace: &str, arrival: &Arrival) -> Result<(), String> {
        self.ask(workspace, "arrive", arrival).await.map(drop)
    }
}

fn request(workspace: &str, what: &str, content: Vec<u8>) -> Result<Request<Full<Bytes>>, String> {
    Request::builder()
        .method(Method::POST)
        .uri(format!("/arrivals/{workspace}/{what}"))
        .header(header::HOST, "localhost")
        .header(&FORWARDED, HeaderValue::from_static("1"))
        .body(Full::new(content.into()))
        .map_err(|error| error.to_string())
}

/// What another machine says of why it did not do something.
async fn said(response: Response<Body>) -> String {
    let status = response.status();
    let body = to_bytes(response.into_body(), MOST)
        .await
        .unwrap_or_default();
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = answer["message"].as_str();
    message.map_or_else(|| format!("it answers {status}"), ToOwned::to_owned)
}
