//! Certificates that end, and clocks that say so wrongly.

use crate::site::{ADA, GATEWAY, Site};
use testkit::wait::eventually;

#[tokio::test]
async fn a_new_one_is_there_before_the_old_one_ends_and_nobody_is_without() {
    let site = Site::start(30, |builder| builder).await;
    for name in [GATEWAY, ADA] {
        let old = site.certificate(name).await;
        // Each of these handshakes must find one that is good.
        let renewed = async || (site.certificate(name).await != old).then_some(());
        eventually("another certificate", renewed).await.unwrap();
    }
    assert_eq!(site.pebble.asked().accounts, 1);
}

#[cfg(feature = "fail-points")]
#[tokio::test]
async fn a_clock_that_is_ahead_makes_one_order_in_vain_and_the_old_one_is_served() {
    use crate::site::LONG;
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("ahead");
    let set = |days: u32| std::fs::write(&clock, (days * 86_400).to_string()).unwrap();
    set(0);
    let mut site = Site::start(LONG, |builder| {
        builder.env("CLOCK_AHEAD", clock.to_str().unwrap())
    })
    .await;
    let old = site.certificate(GATEWAY).await;
    let before = site.pebble.asked().orders;

    set(400);
    site.told(&["no new certificate for", "set the clock"])
        .await;
    let orders = site.pebble.asked().orders;
    assert!(orders <= before + 2, "both were due");
    assert_eq!(site.certificate(GATEWAY).await, old);
    // Visitors ask in vain, too.
    site.connect(ADA).await.unwrap_err();
    assert_eq!(site.pebble.asked().orders, orders);

    set(0);
    site.certificate(ADA).await;
    assert_eq!(site.certificate(GATEWAY).await, old);
    assert_eq!(site.pebble.asked().orders, orders + 1);
}
