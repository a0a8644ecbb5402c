//! The README's pictures: real pages of a real server.
//!
//! They go to the folder that `SCREENSHOTS` names, or to one that is thrown away: then this only
//! shows that the pages can be seen on a phone and a laptop, in light and dark.

mod common;

use common::builder_of_own_origins;
use common::shell::{account, add_release, at, sign_up};
use std::path::{Path, PathBuf};
use testkit::browser::{Browser, Page, Scheme, Size};

#[tokio::test]
async fn the_pages_fit_a_phone_and_a_laptop_and_keep_their_own_policy() {
    let thrown_away = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("SCREENSHOTS").map_or(thrown_away.path().into(), PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    let own = builder_of_own_origins();
    let gateway = own.start().await.unwrap();
    let browser = Browser::launch().await;
    let page = browser.person().await;

    page.open(&at(&gateway, "/login")).await;
    page.see("@auth-modal").await;
    take(&page, &folder, "login").await;
    let link = gateway.enrolment_link().await.unwrap();
    sign_up(&page, &link, "ada@example.org").await;
    page.fill("@note-input", "What live has stays with live.")
        .await;
    page.enter().await;
    page.read("#rows", "stays with live").await;
    take(&page, &folder, "sandbox").await;

    add_release(&gateway, &[]).await;
    account(&page, &gateway).await;
    page.click("@sandbox-card[data-role=dev] @start-button")
        .await;
    page.see("@sandbox-card[data-role=dev][data-status=running]")
        .await;
    page.read("#promote-says", "Give live release 2").await;
    take(&page, &folder, "account").await;
    page.click("@promote-button").await;
    page.see("dialog").await;
    take(&page, &folder, "promote").await;
    page.click("@confirm-button").await;
    page.see("@told @undo-button").await;
    take(&page, &folder, "promoted").await;
    for (list, row) in [
        ("@releases", "@release-row"),
        ("@snapshots", "@snapshot-row"),
        ("@history", "@history-row"),
    ] {
        page.click(&format!("{list} summary")).await;
        page.see(row).await;
    }
    take(&page, &folder, "lists").await;
    page.open(&at(&gateway, "/")).await;
    page.read("@sandbox-release", "release 2").await;
    take(&page, &folder, "sandbox-promoted").await;

    page.open(&at(&gateway, "/admin")).await;
    page.see("@admin-page[aria-busy=false]").await;
    page.see("@admin-row").await;
    take(&page, &folder, "admin").await;
    page.click("@person-manage").await;
    page.see("dialog").await;
    take(&page, &folder, "admin-manage").await;

    account(&page, &gateway).await;
    page.click("@sandbox-card[data-role=live] @stop-button")
        .await;
    page.read("@sandbox-card[data-role=live]", "no request starts it")
        .await;
    take(&page, &folder, "stopped-card").await;
    page.open(&at(&gateway, "/")).await;
    page.read("h1", "Stopped").await;
    take(&page, &folder, "stopped").await;

    let console = page.console();
    let breach = console.iter().find(|line| line.contains("Policy"));
    assert_eq!(breach, None);
}

async fn take(page: &Page, folder: &Path, name: &str) {
    for (screen, size) in [("desktop", Size::DESKTOP), ("phone", Size::PHONE)] {
        for (colours, scheme) in [("light", Scheme::Light), ("dark", Scheme::Dark)] {
            page.look(size, scheme).await;
            page.until(
                "nothing sticks out sideways",
                "document.documentElement.scrollWidth <= innerWidth",
            )
            .await;
            let file = folder.join(format!("{name}-{screen}-{colours}.png"));
            page.screenshot(&file, true).await;
            assert!(file.metadata().is_ok_and(|picture| picture.len() > 1000));
        }
    }
}
