//! Our pages on slow lines and narrow screens, and the ways between them.

mod common;

use common::shell::{account, add_release, at, sign_up};
use common::{builder, gateway};
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::browser::{Browser, Page, Scheme, Size};

const ADA: &str = "ada@example.org";

#[tokio::test]
async fn the_account_page_needs_two_round_trips_after_its_html_also_on_a_slow_line() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    page.delay(Duration::from_secs(1)).await;
    account(&page, &gateway).await;
    let asked = page.round_trips().await;
    let most = asked.iter().map(|(_, trips)| *trips).max();
    assert!(most <= Some(2), "{asked:?}");
    let assets = asked.iter().map(|(path, _)| path);
    let assets: BTreeSet<_> = assets
        .filter(|path| path.starts_with("/auth/assets/"))
        .collect();
    assert_eq!(assets.len(), 3, "{asked:?}");
    assert!(asked.len() <= 9, "{asked:?}");
}

#[tokio::test]
async fn the_link_on_a_sandbox_s_page_leads_to_the_account() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    for path in ["/", "/dev/"] {
        page.open(&at(&gateway, path)).await;
        for size in [Size::DESKTOP, Size::NARROW] {
            page.look(size, Scheme::Light).await;
            // This clicks at the middle, and waits in vain if something lies over it.
            page.click("@account-link").await;
            page.see("@account-page").await;
            page.open(&at(&gateway, path)).await;
        }
    }
}

#[tokio::test]
async fn nothing_scrolls_sideways_on_a_narrow_screen() {
    let gateway = builder()
        .env("HYPERVISOR_REGISTRATION", "open")
        .start()
        .await
        .unwrap();
    let browser = Browser::launch().await;
    let page = browser.person().await;
    page.look(Size::NARROW, Scheme::Light).await;
    for path in ["/login", "/register", "/recovery"] {
        page.open(&at(&gateway, path)).await;
        page.see(".card").await;
        fits(&page, path).await;
    }
    let long = format!("{}@example.org", "a".repeat(200));
    page.open(&at(&gateway, "/register")).await;
    page.read("@auth-mode-label", "Sign up").await;
    page.fill("@auth-input", &long).await;
    page.enter().await;
    page.see("@recovery-codes").await;
    fits(&page, "the recovery codes").await;
    page.click("@recovery-codes-continue").await;
    page.see("@sandbox-name").await;
    fits(&page, "the sandbox's page").await;
    page.fill("@note-input", &"long".repeat(200)).await;
    page.enter().await;
    page.read("@event-row", "longlonglong").await;
    fits(&page, "the sandbox's page with a long note").await;

    add_release(&gateway, &["/bin/sh", "-c", &"long".repeat(200)]).await;
    account(&page, &gateway).await;
    fits(&page, "the account").await;
    for button in ["@promote-button", "@fork-button", "@swap-button"] {
        page.click(button).await;
        page.see("dialog").await;
        fits(&page, button).await;
        page.click("dialog .button:not(.primary)").await;
        page.gone("dialog").await;
    }
    page.click("@snapshots summary").await;
    page.click("@snapshot-button[data-role=live]").await;
    page.see("@snapshot-row").await;
    page.click("@releases summary").await;
    page.read("@release-row", "longlonglong").await;
    page.click("@history summary").await;
    page.see("@history-row").await;
    fits(&page, "what the workspace has and was").await;
    page.click("@passkey-rename").await;
    page.fill("@passkey-name", &"n".repeat(64)).await;
    fits(&page, "a passkey that is renamed").await;
    page.click("@codes-new").await;
    page.see("dialog").await;
    fits(&page, "a dialog").await;
    page.open(&at(&gateway, "/admin")).await;
    page.see("@admin-page[aria-busy=false]").await;
    fits(&page, "the admin page").await;
}

/// Nothing sticks out to the right.
async fn fits(page: &Page, what: &str) {
    page.until(
        &format!("{what} fits"),
        "document.documentElement.scrollWidth <= innerWidth && innerWidth === 320",
    )
    .await;
}

#[tokio::test]
async fn an_admin_sees_everybody_s_sandboxes_and_nobody_else_does() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let (ada, bob) = (browser.person().await, browser.person().await);
    let link = gateway.enrolment_link().await.unwrap();
    sign_up(&ada, &link, ADA).await;
    sign_up(&bob, &at(&gateway, "/register"), "bob@example.org").await;

    ada.open(&at(&gateway, "/admin")).await;
    ada.counts("@admin-row", 4).await;
    for part in [
        ADA,
        "bob@example.org",
        "sandbox-live",
        "sandbox-dev",
        "running",
        "Release",
    ] {
        ada.read("#all", part).await;
    }
    bob.open(&at(&gateway, "/admin")).await;
    bob.read("@admin-told", "for admins").await;
    assert_eq!(bob.count("@admin-row").await, 0);
    bob.click("@admin-told a").await;
    bob.see("@account-page").await;
}

#[tokio::test]
async fn too_many_cookies_are_cleared_with_a_page_that_says_so() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    let set = "for (let i = 0; i < 100; i++) document.cookie = `c${i}=${'x'.repeat(4000)}; path=/`";
    page.eval::<()>(&format!("(() => {{ {set}; return null }})()"))
        .await;
    // Reading waits for what was written, which the browser does in its own time.
    page.until("all are set", "document.cookie.includes('c99=')")
        .await;

    page.open(&at(&gateway, "/auth/account")).await;
    page.read("h1", "Too many cookies").await;
    let left: String = page.eval("document.cookie").await;
    assert_eq!(left, "");
    page.click("main a").await;
    page.see("@auth-modal").await;
    assert_eq!(page.path().await, "/login?next=%2Fauth%2Faccount");
    page.click("#submit").await;
    page.see("@account-page").await;
}

#[tokio::test]
async fn a_sandbox_s_page_whose_session_has_ended_has_a_link_to_log_in_again() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    page.read("@tail-state", "following").await;
    let other = browser.again(&page).await;
    account(&other, &gateway).await;
    common::shell::log_out(&other).await;

    page.read("@session-ended", "Your session has ended").await;
    page.click("@session-ended a").await;
    page.see("@auth-modal").await;
    page.click("#submit").await;
    page.see("@sandbox-name").await;
}
