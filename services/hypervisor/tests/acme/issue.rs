//! Who gets a certificate, and how many are asked for.

use crate::site::{ADA, GATEWAY, LONG, Site};
use futures_util::future::join_all;
use std::os::unix::fs::PermissionsExt as _;
use testkit::raw::{Raw, status};

#[tokio::test]
async fn each_host_that_there_is_gets_one_and_no_other_name_costs_an_order() {
    let site = Site::start(LONG, |builder| builder).await;
    assert_eq!(site.pebble.asked().orders, 2, "the gateway's own, ahead");
    let hosts = [ADA, "ada-dev.choir.test", "sandbox.choir.test"];
    for host in hosts {
        // That it is for this very name is what makes the handshake good.
        let certificate = site.certificate(host).await;
        assert_ne!(certificate, site.certificate(GATEWAY).await);
    }
    for name in [
        "eve.choir.test",
        "eve-dev.choir.test",
        "ada-dev-dev.choir.test",
        "x.ada.choir.test",
        "ada.choir.test.evil.test",
        "test",
        "localhost",
    ] {
        let said = site.connect(name).await.unwrap_err();
        assert!(format!("{said:#}").contains("AccessDenied"), "{said:#}");
    }
    assert_eq!(site.pebble.asked().orders, 2 + hosts.len());
    // Who says no name means the gateway.
    let quiet = site.connect_as(GATEWAY, |client| client.enable_sni = false);
    let mut raw = Raw::on(quiet.await.unwrap());
    raw.send("GET /health HTTP/1.1\r\nHost: choir.test\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(status(raw.read_head().await.unwrap()), Some(200));
    // Nobody is to look at a name that no order is for.
    let look = |client: &mut rustls::ClientConfig| {
        client.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    };
    for name in [GATEWAY, "bob.choir.test", "eve.choir.test"] {
        site.connect_as(name, look).await.unwrap_err();
    }
    assert_eq!(site.pebble.asked().orders, 2 + hosts.len());
    let said = site.status(ADA).await;
    assert_eq!((&said["valid"], &said["error"]), (&true.into(), &().into()));
}

#[tokio::test]
async fn however_many_come_first_there_is_one_order() {
    let site = Site::start(LONG, |builder| builder).await;
    let visitors = (0..50).map(|_| site.certificate(ADA));
    let seen = join_all(visitors).await;
    assert!(seen.iter().all(|it| it == &seen[0]));
    assert_eq!(site.pebble.asked().orders, 3);
}

#[tokio::test]
async fn a_restart_has_account_and_certificates_still_and_only_what_is_broken_is_ordered_anew() {
    let mut site = Site::start(LONG, |builder| builder).await;
    let before = site.certificate(ADA).await;
    let asked = site.pebble.asked();
    assert_eq!((asked.orders, asked.accounts), (3, 1));
    for entry in std::fs::read_dir(site.folder()).unwrap() {
        let path = entry.unwrap().path();
        // What is written anew may have got its name meanwhile.
        let Ok(metadata) = path.metadata() else {
            continue;
        };
        let mode = metadata.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    site.restart().await;
    assert_eq!(site.certificate(ADA).await, before);
    site.connect(GATEWAY).await.unwrap();
    assert_eq!(site.pebble.asked(), asked);

    let file = site.folder().join("ada.choir.test.pem");
    std::fs::write(&file, "half a ke").unwrap();
    site.restart().await;
    site.told(&["ada.choir.test.pem", "tls.acme.dir"]).await;
    assert_ne!(site.certificate(ADA).await, before);
    let asked = site.pebble.asked();
    assert_eq!((asked.orders, asked.accounts), (4, 1));
}
