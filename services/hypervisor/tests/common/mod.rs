//! What the tests of the whole program share.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

pub mod shell;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::client::Response as Answer;
use testkit::harness::{Builder, Hypervisor};

/// A hypervisor that lets anyone register, as often as a test likes.
pub fn builder() -> Builder {
    Hypervisor::builder(Path::new(env!("CARGO_BIN_EXE_hypervisor")))
        .env("HYPERVISOR_REGISTRATION", "open")
        .env("HYPERVISOR_AUTH_RATE_PER_ADDRESS", "1000000")
        .env("HYPERVISOR_AUTH_RATE_PER_ACCOUNT", "1000000")
}

/// The same, where each sandbox has an origin of its own.
pub fn builder_of_own_origins() -> Builder {
    builder().env("HYPERVISOR_ORIGINS", "own")
}

/// The first, started.
pub async fn gateway() -> Hypervisor {
    builder().start().await.unwrap()
}

/// A sandbox that says on every response which one it is, for the adopt runtime.
#[derive(Debug, Clone)]
pub struct Side {
    name: &'static str,
    role: &'static str,
    pub address: SocketAddr,
    healthy: Arc<AtomicBool>,
}

impl Side {
    pub async fn start(role: &'static str) -> Self {
        Self::start_at(role, "127.0.0.1:0").await
    }

    pub async fn start_at(role: &'static str, place: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(place).await.unwrap();
        let side = Self {
            name: if role == "live" {
                "sandbox-live"
            } else {
                "sandbox-dev"
            },
            role,
            address: listener.local_addr().unwrap(),
            healthy: Arc::new(AtomicBool::new(true)),
        };
        let router = Router::new()
            .route("/health", get(health))
            .route("/slow", get(slow))
            .route("/ws", any(echo))
            .fallback(whoami)
            .with_state(side.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        side
    }

    pub fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::SeqCst);
    }
}

/// Both sandboxes of the default workspace, and the config that adopts them.
pub async fn sides() -> (Side, Side, String) {
    let (live, dev) = (Side::start("live").await, Side::start("dev").await);
    let config = format!(
        "[runtime]\nkind = \"adopt\"\nprobe_secs = 1\n\
         [workspaces.sandbox.live]\naddress = \"{}\"\n\
         [workspaces.sandbox.dev]\naddress = \"{}\"\n",
        live.address, dev.address
    );
    (live, dev, config)
}

/// The values of a header as a [`Side`] saw them.
pub fn seen(response: &Answer, name: &str) -> Vec<String> {
    let response: Value = response.json().unwrap();
    let headers = response["headers"].as_array().unwrap().iter();
    let named = headers.filter(|header| header[0] == name);
    named
        .map(|header| header[1].as_str().unwrap().to_owned())
        .collect()
}

async fn health(State(side): State<Side>) -> Response {
    let body = json!({
        "status": "healthy", "service": "choiros-sandbox", "version": "0",
        "name": side.name, "instance_role": side.role, "hostname": "test",
    });
    if side.healthy.load(Ordering::SeqCst) {
        axum::Json(body).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the disk is on fire").into_response()
    }
}

/// Answers with the request as it arrived, and who answers.
async fn whoami(State(side): State<Side>, request: Request) -> Response {
    let header = |name: &HeaderName, value: &HeaderValue| {
        json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])
    };
    let (parts, body) = request.into_parts();
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| header(name, value))
        .collect();
    let generation = parts.headers["x-choiros-generation"].clone();
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .map_or(0, |body| body.len());
    let seen = json!({
        "method": parts.method.as_str(), "target": parts.uri.to_string(),
        "headers": headers, "bytes": bytes,
    });
    let said = [
        ("x-side", HeaderValue::from_static(side.name)),
        ("x-seen-generation", generation),
    ];
    (said, axum::Json(seen)).into_response()
}

async fn slow(side: State<Side>, request: Request) -> Response {
    tokio::time::sleep(Duration::from_secs(2)).await;
    whoami(side, request).await
}

/// Says its name first, then what it hears.
async fn echo(State(side): State<Side>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        let _ = socket.send(Message::Text(side.name.into())).await;
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Text(_) | Message::Binary(_))
                && socket.send(message).await.is_err()
            {
                return;
            }
        }
    })
}
