//! An ACME server that is away.

use crate::site::{ADA, GATEWAY, LONG, Site};
use std::time::Duration;
use testkit::raw::{exchange, status};
use testkit::wait::eventually;
use tokio::time::timeout;

#[tokio::test]
async fn the_gateway_starts_without_it_serves_what_there_is_and_goes_on_once_it_comes() {
    let mut site =
        Site::without_authority(|builder| builder.env("HYPERVISOR_TLS_HTTP_LISTEN", "[]")).await;
    site.told(&["cannot be reached", "tls.acme.directory"])
        .await;
    // It serves, and whoever comes is not kept waiting.
    let plain = exchange(site.gateway.address(), "GET / HTTP/1.1\r\n\r\n");
    assert_eq!(status(&plain.await.unwrap().bytes), Some(400));

    site.pebble.refused_nonces = 10;
    site.authority_comes(LONG).await;
    let connected = async |name| eventually(name, async || site.connect(name).await.ok()).await;
    connected(GATEWAY).await.unwrap();
    connected(ADA).await.unwrap();

    site.pebble.stop();
    let old = site.certificate(GATEWAY).await;
    site.connect("bob.choir.test").await.unwrap_err();
    let told = ["no certificate for bob.choir.test", "cannot be reached"];
    site.told(&told).await;
    // It is not asked each time.
    for _ in 0..20 {
        let visit = site.connect("bob.choir.test");
        let visit = timeout(Duration::from_secs(20), visit).await;
        visit.expect("a visitor waits for nothing").unwrap_err();
    }
    assert_eq!(site.certificate(GATEWAY).await, old);
    site.restart().await;
    assert_eq!(site.certificate(GATEWAY).await, old);

    // It comes back and has forgotten us.
    site.authority_comes(LONG).await;
    eventually("a certificate", async || {
        site.connect("bob.choir.test").await.ok()
    })
    .await
    .unwrap();
    site.told(&["account.json", "does not know it"]).await;
}
