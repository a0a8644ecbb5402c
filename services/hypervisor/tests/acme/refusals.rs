//! Names that the authority refuses.

use crate::site::{ADA, GATEWAY, LONG, Site};

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_told_with_its_mend_and_not_asked_for_again_and_again() {
    let mut site = Site::start(LONG, |builder| builder).await;
    // Nobody listens there.
    site.pebble.point(ADA, Some("127.0.0.9")).await.unwrap();
    site.connect(ADA).await.unwrap_err();
    let told = ["no certificate for ada.choir.test", "port 443"];
    site.told(&told).await;
    let refused = site.pebble.asked().orders;
    for _ in 0..20 {
        site.connect(ADA).await.unwrap_err();
    }
    // Neither after a restart, and others have nothing of it.
    site.restart().await;
    site.connect(ADA).await.unwrap_err();
    site.certificate("bob.choir.test").await;
    site.certificate(GATEWAY).await;
    assert_eq!(site.pebble.asked().orders, refused + 1);
    assert_eq!(site.tells(&told), 0, "it was told before the restart");
    let said = site.status(ADA).await;
    assert!(
        said["error"].as_str().unwrap().contains("port 443"),
        "{said}"
    );

    // The mend, and the word for it.
    site.pebble.point(ADA, None).await.unwrap();
    site.hangup();
    testkit::wait::eventually("a certificate", async || site.connect(ADA).await.ok())
        .await
        .unwrap();
    assert!(site.status(ADA).await["error"].is_null());
}
