//! What the operator's commands can do.

use crate::harness::{Site, open};
use http::StatusCode;
use hypervisor::auth::AuthError;
use serde_json::json;
use testkit::passkey::Authenticator;

#[tokio::test]
async fn the_operator_sees_every_user() {
    let site = Site::new(&open()).await;
    site.member("ada").await;
    site.member("bob").await;
    let users = site.auth.people("").await.unwrap();
    let seen: Vec<_> = users
        .iter()
        .map(|user| {
            (
                &*user.user.username,
                user.passkeys,
                user.sessions,
                user.recovery_codes_left,
            )
        })
        .collect();
    assert_eq!(seen, [("ada", 1, 1, 10), ("bob", 1, 1, 10)]);
}

#[tokio::test]
async fn the_operator_can_let_a_user_in_who_lost_everything() {
    let site = Site::new(&open()).await;
    site.member("ada").await;
    let given = site.auth.recovery_code_for(" ADA ").await.unwrap();
    let link = format!("http://localhost:9090/recovery?username=ada#{}", given.code);
    assert_eq!(given.url, link, "the code is in nobody's log");
    let mut browser = site.browser();
    let body = json!({ "username": given.username, "code": given.code });
    let response = browser.post("/auth/recovery", body.clone()).await;
    assert_eq!(response.status, StatusCode::OK);
    let added = browser.add_passkey(&mut Authenticator::new(), "").await;
    assert_eq!(
        (added.status, added.text("name")),
        (StatusCode::OK, "Passkey 2")
    );
    let again = browser.post("/auth/recovery", body).await;
    assert_eq!(again.error(), (401, "recovery_failed"));
    let refusal = site.auth.recovery_code_for("nobody").await.unwrap_err();
    assert!(matches!(refusal, AuthError::NoUser(_)));
}
