//! What is counted, and as what.

use crate::site::{Site, value};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn requests_are_counted_by_whose_they_were_and_how_they_went() {
    let site = Site::start("", |builder| builder).await;
    let client = &site.ada.client;
    for path in ["/one", "/two", "/reply?status=404", "/dev/three"] {
        client.get(path).await.unwrap();
    }
    let request = |role: &str, class: &str| {
        format!("choiros_http_request_duration_seconds_count{{role=\"{role}\",class=\"{class}\"}}")
    };
    for (role, class, count) in [("live", "2xx", 2), ("live", "4xx", 1), ("dev", "2xx", 1)] {
        site.sample(&request(role, class), count).await;
    }
    let upstream =
        |role: &str| format!("choiros_upstream_duration_seconds_count{{role=\"{role}\"}}");
    site.sample(&upstream("live"), 3).await;
    site.sample(&upstream("dev"), 1).await;
    let of = |role: &str| {
        format!("choiros_workspace_requests_total{{workspace=\"sandbox\",role=\"{role}\"}}")
    };
    let metrics = site.metrics().await;
    assert_eq!(value(&metrics, &of("live")), Some(3), "{metrics}");
    assert_eq!(value(&metrics, &of("dev")), Some(1), "{metrics}");
    // Those of the gateway itself are nobody's.
    assert!(value(&metrics, &request("gateway", "2xx")).unwrap() > 0);
}

#[tokio::test]
async fn what_lasts_for_as_long_as_somebody_listens_is_counted_when_it_begins() {
    let site = Site::start("", |builder| builder).await;
    let events = site.ada.client.events("/events", None).await.unwrap();
    let socket = site.ada.client.websocket("/ws").await.unwrap();
    let request = |class: &str| {
        format!("choiros_http_request_duration_seconds_count{{role=\"live\",class=\"{class}\"}}")
    };
    site.sample(&request("2xx"), 1).await;
    site.sample(&request("1xx"), 1).await;
    drop((events, socket));
    site.sample("choiros_claims", 0).await;
    let metrics = site.metrics().await;
    assert_eq!(value(&metrics, &request("2xx")), Some(1), "counted twice");
    assert_eq!(value(&metrics, &request("1xx")), Some(1), "counted twice");
}

#[tokio::test]
async fn a_client_that_goes_away_counts_as_its_own_fault() {
    let site = Site::start("", |builder| builder).await;
    let hanging = site.ada.client.get("/hang");
    let soon = std::time::Duration::from_millis(300);
    assert!(tokio::time::timeout(soon, hanging).await.is_err());
    let gone = "choiros_http_request_duration_seconds_count{role=\"live\",class=\"4xx\"}";
    site.sample(gone, 1).await;
}

#[tokio::test]
async fn failed_log_ins_are_counted_by_cause() {
    let site = Site::start("", |builder| builder).await;
    let client = site.gateway.client();
    let nobody = json!({ "username": "nobody@example.org" });
    let start = client
        .post_json("/auth/login/start", &nobody)
        .await
        .unwrap();
    assert_eq!(start.status, 404);
    let code = json!({ "username": crate::site::ADA, "code": "wrong" });
    let recovery = client.post_json("/auth/recovery", &code).await.unwrap();
    assert_eq!(recovery.status, 401);
    let metrics = site.metrics().await;
    let count = |cause: &str| {
        value(
            &metrics,
            &format!("choiros_login_failures_total{{cause=\"{cause}\"}}"),
        )
    };
    assert_eq!(count("unknown_account"), Some(1));
    assert_eq!(count("recovery_code"), Some(1));
    assert_eq!(count("passkey"), Some(0));
    assert_eq!(count("rate_limited"), Some(0));
}

#[tokio::test]
async fn too_many_log_ins_are_a_cause_of_their_own() {
    let site = Site::start("", |builder| {
        builder.env("HYPERVISOR_AUTH_RATE_PER_ACCOUNT", "1")
    })
    .await;
    let nobody = json!({ "username": "nobody@example.org" });
    for _ in 0..2 {
        let client = site.gateway.client();
        client
            .post_json("/auth/login/start", &nobody)
            .await
            .unwrap();
    }
    let limited = "choiros_login_failures_total{cause=\"rate_limited\"}";
    site.sample(limited, 1).await;
}

#[tokio::test]
async fn a_cold_start_is_counted_once_however_many_wait() {
    let gateway = crate::common::gateway().await;
    let ada = testkit::person::Person::register(&gateway, crate::site::ADA)
        .await
        .unwrap();
    let asking = (0..4).map(|_| ada.client.request(Method::GET, "/health").send());
    for response in futures_util::future::join_all(asking).await {
        assert_eq!(response.unwrap().status, 200);
    }
    let live = ada.client.get("/").await.unwrap();
    assert_eq!(live.status, 200, "{}", live.text());
    let metrics = ada.client.get("/metrics").await.unwrap().text();
    let count = value(&metrics, "choiros_cold_start_duration_seconds_count");
    assert_eq!(count, Some(1), "{metrics}");
}
