//! One id for a request: in its response, on its error page and in the log.

use crate::site::Site;
use http::Method;
use serde_json::Value;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn each_response_has_an_id_of_its_own_whatever_client_and_sandbox_say() {
    let site = Site::start("", |builder| builder).await;
    let request = site.ada.client.request(Method::GET, "/echo");
    let response = request.header("x-request-id", "mine").send().await.unwrap();
    let id = response.header("x-request-id").unwrap().to_owned();
    assert_eq!(id.len(), 32, "{id}");
    let seen: Value = response.json().unwrap();
    let theirs = r#"["x-request-id","mine"]"#;
    assert!(seen.to_string().contains(theirs), "{seen}");
    let other = site.ada.client.get("/echo").await.unwrap();
    assert_ne!(other.header("x-request-id"), Some(&*id));
    let own = "/reply?header=x-request-id:theirs";
    let own = site.ada.client.get(own).await.unwrap();
    assert_ne!(own.header("x-request-id"), Some("theirs"));
}

#[tokio::test]
async fn an_error_page_and_the_log_name_the_request_and_its_trace() {
    let site = Site::start("", |builder| builder).await;
    let request = site.ada.client.request(Method::GET, "/die");
    let response = request
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("traceparent", &format!("00-{TRACE}-b7ad6b7169203331-01"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status, 502);
    let id = response.header("x-request-id").unwrap().to_owned();
    let page = response.text();
    assert!(page.contains(&format!("<code>{id}</code>")), "{page}");
    let mut site = site;
    let is_it = |line: &str| line.contains("request failed") && line.contains(&id);
    let line = site.gateway.process().stderr_line(is_it).await.unwrap();
    assert!(line.contains(TRACE), "{line}");
    let told = site.ada.client.get("/die").await.unwrap();
    let id = told.header("x-request-id").unwrap().to_owned();
    let told: Value = told.json().unwrap();
    assert_eq!(told["request_id"], id);
}
