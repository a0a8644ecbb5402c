//! The access log.

use crate::site::Site;
use http::Method;
use serde_json::Value;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// The line of the request whose path this is.
async fn line(site: &mut Site, path: &str) -> Value {
    let part = format!("\"path\":\"{path}\"");
    let is_it = |line: &str| line.contains("\"target\":\"access\"") && line.contains(&part);
    let line = site.gateway.process().stderr_line(is_it).await.unwrap();
    serde_json::from_str(&line).unwrap()
}

#[tokio::test]
async fn each_request_is_a_line_that_has_no_secret() {
    let mut site = Site::start("[log]\naccess = true", |builder| builder).await;
    let request = site
        .ada
        .client
        .request(Method::GET, "/source/5000?token=s3cret");
    let response = request
        .header("user-agent", "probe/1 \"quoted\"")
        .header("traceparent", &format!("00-{TRACE}-b7ad6b7169203331-01"))
        .header("authorization", "Bearer s3cret")
        .send()
        .await
        .unwrap();
    let told = line(&mut site, "/source/5000").await;
    assert_eq!(told["request_id"], response.header("x-request-id").unwrap());
    assert_eq!(told["trace_id"], TRACE);
    assert_eq!(told["method"], "GET");
    let host = format!("localhost:{}", site.gateway.port());
    assert_eq!(told["host"], host);
    assert_eq!(
        (&told["status"], &told["bytes"]),
        (&200.into(), &5000.into())
    );
    assert_eq!(
        (&told["role"], &told["workspace"]),
        (&"live".into(), &"sandbox".into())
    );
    assert_eq!(told["client"], "127.0.0.1");
    assert_eq!(told["protocol"], "HTTP/1.1");
    assert_eq!(told["user_agent"], "probe/1 \"quoted\"");
    assert_eq!(told["user_id"].as_str().unwrap().len(), 36);
    assert!(told["ts"].as_str().unwrap().ends_with('Z'));
    let took = |of: &str| told[of].as_f64().unwrap();
    assert!(took("upstream_duration") <= took("duration"), "{told}");
    let log = site.gateway.process().stderr();
    assert!(!log.contains("s3cret"), "{log}");
    let cookie = site.ada.client.session_cookie();
    let (_, secret) = cookie.split_once('=').unwrap_or(("", &cookie));
    assert!(!log.contains(secret), "{log}");
}

#[tokio::test]
async fn pages_of_the_gateway_and_clients_that_went_away_are_told_as_well() {
    let mut site = Site::start("[log]\naccess = true", |builder| builder).await;
    site.gateway
        .client()
        .get("/login?next=%2Fsecret")
        .await
        .unwrap();
    let told = line(&mut site, "/login").await;
    assert_eq!(
        (&told["status"], &told["role"]),
        (&200.into(), &"gateway".into())
    );
    assert_eq!(told["user_id"], Value::Null);
    assert_eq!(told["upstream_duration"], Value::Null);
    let hanging = site.ada.client.get("/hang");
    let soon = std::time::Duration::from_millis(300);
    assert!(tokio::time::timeout(soon, hanging).await.is_err());
    assert_eq!(line(&mut site, "/hang").await["status"], 499);
    let log = site.gateway.process().stderr();
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test]
async fn whoever_is_refused_is_told_with_their_workspace() {
    let config = "[log]\naccess = true\n[proxy]\nmax_requests_per_user = 1";
    let mut site = Site::start(config, |builder| builder).await;
    let _only = site.ada.client.websocket("/ws").await.unwrap();
    let refused = site.ada.client.get("/refused").await.unwrap();
    assert!(refused.text().contains("user_busy"), "{}", refused.text());
    let told = line(&mut site, "/refused").await;
    assert_eq!(told["status"], refused.status.as_u16());
    assert_eq!(
        (&told["role"], &told["workspace"]),
        (&"live".into(), &"sandbox".into())
    );
    assert_eq!(told["user_id"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn there_is_none_unless_it_is_asked_for() {
    let mut site = Site::start("", |builder| builder).await;
    site.ada.client.get("/echo").await.unwrap();
    let log = site.gateway.process().stderr();
    assert!(!log.contains("\"target\":\"access\""), "{log}");
}
