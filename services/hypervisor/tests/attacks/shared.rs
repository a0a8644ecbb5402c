//! All sandboxes at the gateway's origin.

use crate::site::{ADA, MALLORY, Site};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test]
async fn the_page_of_a_sandbox_can_do_no_sensitive_act() {
    let site = Site::start("shared").await;
    let page = site.person(ADA).await;
    drop(site.person(MALLORY).await);
    site.make_admin(ADA).await;
    let before = site.state(&page).await;
    let facts = json!({
        "gateway": "",
        "user": before[2]["user_id"],
        "other": site.id_of(MALLORY).await,
        "passkey": before[3][0][0],
    });
    for path in ["/", "/dev/"] {
        page.open(&format!("{}{path}", site.gateway.base_url()))
            .await;
        let got = site.attack(&page, &facts).await;
        assert_eq!(got, BTreeMap::new(), "{path}");
        assert_eq!(site.state(&page).await, before, "{path}");
    }
}

#[tokio::test]
async fn a_service_worker_is_let_in_below_its_folder_alone() {
    let site = Site::start("shared").await;
    let page = site.person(ADA).await;
    for (script, scope, may) in [
        ("/sw.js", "/", false),
        ("/sw.js", "/login", false),
        ("/sw.js", "/auth/", false),
        ("//sw.js", "/", false),
        ("/app/../sw.js", "/", false),
        ("/app/%2e%2e/sw.js", "/", false),
        ("/%73w.js", "/", false),
        ("/app/sw.js", "/", false),
        ("/app/sw.js", "/app/", true),
        ("/dev/sw.js", "/dev/", true),
        ("/dev/sw.js", "/", false),
    ] {
        let registered = format!(
            "navigator.serviceWorker.register('{script}', {{scope: '{scope}'}}).then(() => true, () => false)"
        );
        let did: bool = page.eval(&registered).await;
        assert_eq!(did, may, "{script} for {scope}");
    }
    for path in ["/login", "/auth/account", "/register", "/recovery"] {
        page.open(&format!("{}{path}", site.gateway.base_url()))
            .await;
        assert_eq!(page.count("#taken").await, 0, "{path}");
    }
}

#[tokio::test]
async fn the_page_of_a_sandbox_cannot_have_a_passkey_answer_for_somebody_elsewhere() {
    let site = Site::start("shared").await;
    let page = site.person(ADA).await;
    // The attacker begins to log in as Ada, on a machine of their own.
    let elsewhere = site.gateway.client();
    let named = json!({ "username": ADA });
    let start = elsewhere.post_json("/auth/login/start", &named);
    let options: Value = start.await.unwrap().json().unwrap();
    page.open(&format!("{}/", site.gateway.base_url())).await;
    let relay = include_str!("relay.js");
    let relay = relay.split_once('\n').unwrap().1;
    let call = format!("({})({})", relay.trim(), options["publicKey"]);
    let got: BTreeMap<String, String> = page.eval(&call).await;
    assert_eq!(got.len(), 7);
    // A window of no address, or of a blob's, has no header that could deny it: SECURITY.md says so.
    for (place, got) in got {
        assert_eq!(got, "NotAllowedError", "{place}");
    }
}
