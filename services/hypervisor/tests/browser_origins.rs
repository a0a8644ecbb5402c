//! Each sandbox at an origin of its own, as a person with a browser meets it.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use common::builder_of_own_origins;
use common::shell::{account, at, log_out, sign_up};
use testkit::browser::{Browser, Page};
use testkit::harness::Hypervisor;

const ADA: &str = "ada@example.org";

async fn gateway() -> Hypervisor {
    let own = builder_of_own_origins();
    own.start().await.unwrap()
}

async fn origin(page: &Page) -> String {
    page.eval("location.origin").await
}

#[tokio::test]
async fn a_person_signs_up_lands_at_live_swaps_and_logs_out() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    assert_eq!(origin(&page).await, gateway.sandbox_url("sandbox"));
    page.read("@sandbox-name", "sandbox-live").await;
    page.open(&at(&gateway, "/dev/")).await;
    page.read("@sandbox-name", "sandbox-dev").await;
    assert_eq!(origin(&page).await, gateway.sandbox_url("sandbox-dev"));
    assert_eq!(page.path().await, "/");

    let swapped = gateway.cli(&["swap"]).await.unwrap();
    assert!(swapped.status.success());
    page.open(&gateway.sandbox_url("sandbox")).await;
    page.read("@sandbox-name", "sandbox-dev").await;

    account(&page, &gateway).await;
    log_out(&page).await;
    let deep = format!("{}/?a=%2F&b#c", gateway.sandbox_url("sandbox"));
    page.open(&deep).await;
    page.see("@auth-modal").await;
    assert_eq!(origin(&page).await, gateway.base_url());
    // Back at the very page that was asked for.
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    page.see("@sandbox-name").await;
    assert_eq!(page.eval::<String>("location.href").await, deep);
    page.open(&gateway.sandbox_url("sandbox-dev")).await;
    page.see("@sandbox-name").await;
}

#[tokio::test]
async fn a_name_that_is_no_sandboxs_has_a_page_that_leads_on() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    page.open(&gateway.sandbox_url("nobody")).await;
    page.read("main", "There is no sandbox at this address")
        .await;
    page.click("main a").await;
    page.see("@account-page").await;
}

/// An app whose worker answers every navigation from its cache, as PWA plugins have it.
const APP: &str = "<!doctype html><title>app</title><main id=app>cached</main><script>
navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)
  .then(() => caches.open('app')).then((cache) => cache.add('/'))
  .then(() => { document.title = 'ready'; });
</script>";
const WORKER: &str = "
addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  if (event.request.mode === 'navigate') {
    event.respondWith(caches.match('/').then((page) => page ?? fetch(event.request)));
  }
});";

async fn app() -> std::net::SocketAddr {
    let worker = [
        ("content-type", "text/javascript"),
        ("cache-control", "max-age=31536000"),
    ];
    let router = Router::new()
        .route("/", get(|| async { Html(APP) }))
        .route(
            "/sw.js",
            get(move || async move { (worker, WORKER).into_response() }),
        )
        .route("/health", get(|| async { "well" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn an_app_that_answers_from_its_cache_keeps_nobody_from_logging_in_again() {
    let (live, dev) = (app().await, app().await);
    let gateway = builder_of_own_origins()
        .config(&format!(
            "[runtime]\nkind = \"adopt\"\n\
             [workspaces.sandbox.live]\naddress = \"{live}\"\nidentity = false\n\
             [workspaces.sandbox.dev]\naddress = \"{dev}\"\nidentity = false\n"
        ))
        .start()
        .await
        .unwrap();
    let browser = Browser::launch().await;
    let page = browser.person().await;
    page.open(&at(&gateway, "/register")).await;
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    page.click("@recovery-codes-continue").await;
    page.until("the app has its cache", "document.title === 'ready'")
        .await;

    let other = browser.again(&page).await;
    account(&other, &gateway).await;
    log_out(&other).await;
    // The cache answers first; then the worker is looked for, and one comes that leaves.
    page.open(&gateway.sandbox_url("sandbox")).await;
    page.see("@auth-modal").await;
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    page.read("#app", "cached").await;
    let kept: Vec<String> = page.eval("caches.keys()").await;
    assert_eq!(kept, ["app"], "what the app keeps in the browser stays");
}
