//! Speaks with a gateway as the operator's commands do.

use serde_json::Value;
use testkit::harness::Hypervisor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// The status, and the text of what is answered.
pub async fn ask(gateway: &Hypervisor, method: &str, path: &str, body: &Value) -> (u16, String) {
    let socket = gateway.state_dir().join("control.sock");
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    // HTTP/1.0: an answer without chunks, up to the end of the connection.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: gateway\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

pub async fn get(gateway: &Hypervisor, path: &str) -> Value {
    let (status, text) = ask(gateway, "GET", path, &Value::Null).await;
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// Does an act, or tells its refusal.
pub async fn act(gateway: &Hypervisor, act: &Value) -> Result<Value, (u16, Value)> {
    let (status, text) = ask(gateway, "POST", "/acts", act).await;
    let json = serde_json::from_str(&text).unwrap_or_default();
    match status {
        200..300 => Ok(json),
        _ => Err((status, json)),
    }
}

/// The error's code of an act that is refused, with a sentence.
pub async fn refusal(gateway: &Hypervisor, it: Value) -> (u16, String) {
    let (status, json) = act(gateway, &it).await.unwrap_err();
    let said = json["message"].as_str().unwrap();
    assert!(said.len() > 20, "{it}: {said}");
    (status, json["error"].as_str().unwrap().to_owned())
}
