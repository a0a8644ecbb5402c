//! What garbage in a passkey ceremony costs in the log.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::builder;
use serde_json::{Value, json};
use testkit::passkey::Authenticator;

/// A field of this many bytes.
fn field(bytes: usize) -> Value {
    URL_SAFE_NO_PAD.encode(vec![0xa5; bytes]).into()
}

#[tokio::test]
async fn garbage_costs_one_short_line() {
    for filter in ["info", "trace,hyper=info,h2=info,mio=info"] {
        let mut gateway = builder()
            .env("HYPERVISOR_LOG_FILTER", filter)
            .start()
            .await
            .unwrap();
        let client = gateway.client();
        for (path, part) in [
            ("/auth/register", "attestationObject"),
            ("/auth/register", "clientDataJSON"),
            ("/auth/login", "authenticatorData"),
            ("/auth/login", "signature"),
            ("/auth/login", "userHandle"),
        ] {
            let logs_in = path.ends_with("login");
            let named = if logs_in {
                json!({})
            } else {
                json!({ "username": "ada" })
            };
            let start = format!("{path}/start");
            let options = client.post_json(&start, &named).await.unwrap();
            let options: Value = options.json().unwrap();
            let mut keys = Authenticator::new();
            let mut sent = if logs_in {
                json!({ "id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {
                    "clientDataJSON": field(10), "authenticatorData": field(37),
                    "signature": field(70), "userHandle": field(16),
                }})
            } else {
                keys.create(&options, &client.origin()).unwrap()
            };
            sent["response"][part] = field(40_000);
            let before = gateway.process().transcript().len();
            let response = client
                .post_json(&format!("{path}/finish"), &sent)
                .await
                .unwrap();
            assert!(
                response.status.is_client_error(),
                "{path} {part}: {}",
                response.text()
            );
            let _ = client.get("/health").await.unwrap();
            let said = gateway.process().transcript()[before..].to_owned();
            let refusals = said.lines().filter(|line| line.contains("refused"));
            assert!(refusals.count() <= 2, "{path} {part}: {said}");
            assert!(said.len() < 2000, "{path} {part}: {} bytes", said.len());
        }
    }
}
