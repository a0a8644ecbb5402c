//! Each sandbox at its own origin.

use crate::site::{ADA, MALLORY, Site};
use serde_json::json;
use std::collections::BTreeMap;

fn origin(site: &Site, name: &str) -> String {
    format!("http://{name}.localhost:{}", site.gateway.port())
}

#[tokio::test]
async fn the_page_of_a_sandbox_can_do_nothing_in_the_name_of_who_looks_at_it() {
    let site = Site::start("own").await;
    let page = site.person(ADA).await;
    drop(site.person(MALLORY).await);
    site.make_admin(ADA).await;
    let before = site.state(&page).await;
    let facts = json!({
        "gateway": site.gateway.base_url(),
        "user": before[2]["user_id"],
        "other": site.id_of(MALLORY).await,
        "passkey": before[3][0][0],
    });
    for name in ["ada", "ada-dev"] {
        page.open(&format!("{}/", origin(&site, name))).await;
        let got = site.attack(&page, &facts).await;
        assert_eq!(got, BTreeMap::new(), "{name}");
        assert_eq!(site.state(&page).await, before, "{name}");
    }
}

#[tokio::test]
async fn a_sandbox_gets_nothing_of_another_sandbox() {
    let site = Site::start("own").await;
    let ada = site.person(ADA).await;
    // Dev's page, at which Ada looks, and Mallory's, which is open to all users.
    let mallory = site.person(MALLORY).await;
    let access = ["access", "mallory", "live", "users"];
    let opened = site.gateway.cli(&access).await.unwrap();
    assert!(opened.status.success(), "{opened:?}");
    drop(mallory);
    for name in ["ada-dev", "mallory"] {
        ada.open(&format!("{}/", origin(&site, "ada"))).await;
        ada.open(&format!("{}/", origin(&site, name))).await;
        let facts = json!({
            "gateway": site.gateway.base_url(),
            "others": {"live": origin(&site, "ada")},
        });
        let got = site.attack(&ada, &facts).await;
        assert_eq!(got, BTreeMap::new(), "{name}");
        assert_eq!(site.sandboxes["ada-live"].asked(), [""; 0], "{name}");
    }
}

#[tokio::test]
async fn a_service_worker_has_its_own_origin_and_no_other() {
    let site = Site::start("own").await;
    let page = site.person(ADA).await;
    let registered = "navigator.serviceWorker.register('/sw.js', {scope: '/'})
        .then(() => navigator.serviceWorker.ready).then(() => true)";
    assert!(
        page.eval::<bool>(registered).await,
        "at its own origin it may"
    );
    for path in ["/login", "/auth/account"] {
        page.open(&format!("{}{path}", site.gateway.base_url()))
            .await;
        assert_eq!(page.count("#taken").await, 0, "{path}");
    }
}
