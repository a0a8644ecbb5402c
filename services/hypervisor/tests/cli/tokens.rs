//! `hypervisor tokens`.

use crate::common::gateway;
use crate::{json, refusal};
use serde_json::json;
use testkit::person::Person;

#[tokio::test]
async fn a_token_lets_a_program_in_until_it_is_revoked() {
    let gateway = gateway().await;
    Person::register(&gateway, "ada").await.unwrap();
    let make = ["tokens", "create", "deploy", "--user", "ada", "--days", "7"];
    let scope = ["--scope", "sandboxes:read"];
    let token = json(&gateway, &[&make[..], &scope].concat()).await;
    let secret = token["token"].as_str().unwrap().to_owned();
    let client = gateway.client();
    let ask = async || {
        let request = client.request(http::Method::GET, "/.choiros/api/sandboxes");
        // As no browser sends it.
        let headers = ["sec-fetch-site", "sec-fetch-mode", "origin"];
        let request = headers.iter().fold(request, |it, name| it.without(name));
        let request = request.header("authorization", &format!("Bearer {secret}"));
        let response = request.send().await.unwrap();
        (response.status.as_u16(), response.text())
    };
    let (status, said) = ask().await;
    assert_eq!(status, 200, "{said}");
    let list = ["tokens", "list", "--user", "ada"];
    let rows = json(&gateway, &list).await;
    assert_eq!(rows[0]["id"], token["id"]);
    assert!(!rows.to_string().contains(&secret), "{rows}");
    json(
        &gateway,
        &["tokens", "revoke", token["id"].as_str().unwrap()],
    )
    .await;
    let (status, said) = ask().await;
    assert_eq!(status, 401, "{said}");
    assert_eq!(json(&gateway, &list).await, json!([]));
    let (code, why) = refusal(&gateway, &make).await;
    assert_eq!(code, 2);
    assert!(why.contains("--scope"), "{why}");
}
