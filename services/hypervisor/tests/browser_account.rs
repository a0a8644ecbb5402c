//! The account page, worked by people.

mod common;

use common::shell::{account, at, confirm, is_logged_in, log_in, log_out, sign_up, swap};
use common::{builder, builder_of_own_origins, gateway};
use testkit::browser::{Browser, Page, Scheme, Size, find};

const ADA: &str = "ada@example.org";
const LIVE: &str = "@sandbox-card[data-role=live]";
const DEV: &str = "@sandbox-card[data-role=dev]";

#[tokio::test]
async fn a_second_passkey_is_added_and_used() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let mut page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    account(&page, &gateway).await;
    page.counts("@passkey-row", 1).await;

    page.click("@passkey-add").await;
    page.read("@act-summary", "Add a passkey").await;
    page.read("@act-summary", ADA).await;
    page.click("@act-confirm").await;
    page.read("@act-error", "already holds a passkey").await;

    page.change_device().await;
    confirm(&page).await;
    page.counts("@passkey-row", 2).await;
    page.click("@passkey-row:nth-child(2) @passkey-rename")
        .await;
    page.fill("@passkey-name", "The drawer's").await;
    page.enter().await;
    confirm(&page).await;
    page.read("@passkey-row:nth-child(2)", "The drawer's").await;

    log_out(&page).await;
    log_in(&page, &gateway, ADA).await;
    account(&page, &gateway).await;
    page.read("@passkey-row:nth-child(2)", "used now").await;

    page.click("@passkey-row:nth-child(1) @passkey-revoke")
        .await;
    page.click("@confirm-button").await;
    confirm(&page).await;
    page.counts("@passkey-row", 1).await;
    page.read("@passkey-row", "The drawer's").await;
    page.until(
        "the last passkey cannot be revoked",
        "document.querySelector('[data-testid=passkey-revoke]').disabled",
    )
    .await;
}

#[tokio::test]
async fn the_account_page_swaps_and_the_sandboxes_page_shows_the_other_name() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    page.read("@sandbox-name", "sandbox-live").await;

    account(&page, &gateway).await;
    page.see(&format!("{LIVE}[data-status=running]")).await;
    swap(&page).await;
    page.read("@act-summary", "sandbox-dev becomes live").await;
    confirm(&page).await;
    page.read(LIVE, "sandbox-dev").await;
    page.read(DEV, "sandbox-live").await;
    page.read(".generation", "2").await;

    page.open(&at(&gateway, "/")).await;
    page.read("@sandbox-name", "sandbox-dev").await;
    page.open(&at(&gateway, "/dev/")).await;
    page.read("@sandbox-name", "sandbox-live").await;

    account(&page, &gateway).await;
    for generation in ["3", "4"] {
        swap(&page).await;
        confirm(&page).await;
        page.read(".generation", generation).await;
    }
    page.read(LIVE, "sandbox-dev").await;
    page.open(&at(&gateway, "/")).await;
    page.read("@sandbox-name", "sandbox-dev").await;
}

#[tokio::test]
async fn a_sandbox_is_stopped_and_started_from_its_card() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    account(&page, &gateway).await;
    page.click(&format!("{LIVE} @stop-button")).await;
    page.see(&format!("{LIVE}[data-status=stopped]")).await;
    page.click(&format!("{LIVE} @start-button")).await;
    page.see(&format!("{LIVE}[data-status=running]")).await;
    page.see(&format!("{LIVE} @stop-button")).await;
}

#[tokio::test]
async fn a_swap_without_the_passkey_is_none() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    account(&page, &gateway).await;

    page.recognise(false).await;
    swap(&page).await;
    page.click("@act-confirm").await;
    page.read("@act-error", "passkey prompt was closed").await;
    page.click("@act-back").await;
    page.read(".generation", "1").await;

    page.recognise(true).await;
    swap(&page).await;
    confirm(&page).await;
    page.read(LIVE, "sandbox-dev").await;
    page.counts("@session-row", 1).await;
    assert!(is_logged_in(&page).await);
}

#[tokio::test]
async fn two_people_see_and_reach_only_their_own() {
    let gateway = builder()
        .env("HYPERVISOR_REGISTRATION", "invite")
        .start()
        .await
        .unwrap();
    let browser = Browser::launch().await;
    let (ada, bob) = (browser.person().await, browser.person().await);
    let link = gateway.enrolment_link().await.unwrap();
    sign_up(&ada, &link, ADA).await;
    account(&ada, &gateway).await;
    ada.click("@invite-button").await;
    ada.click("@act-confirm").await;
    ada.see("@invite-link").await;
    let invite: String = ada
        .eval("document.querySelector('[data-testid=invite-link]').value")
        .await;
    ada.click("@act-back").await;

    sign_up(&bob, &invite, "bob@example.org").await;
    let name = bob.text("@sandbox-name").await;
    assert_ne!(name, "sandbox-live");
    account(&bob, &gateway).await;
    assert_eq!(bob.count("@invite-button:not([hidden] *)").await, 0);
    for (page, others) in [(&ada, name.as_str()), (&bob, "sandbox-live")] {
        page.counts("@sandbox-card", 2).await;
        let cards = page.text("#pair").await;
        let names: Vec<&str> = cards.lines().collect();
        assert!(!names.contains(&others), "{cards}");
        page.counts("@session-row", 1).await;
        page.counts("@passkey-row", 1).await;
    }

    let adas: String = ada
        .eval("fetch('/auth/me').then((a) => a.json()).then((me) => me.user_id)")
        .await;
    for action in ["live/stop", "dev/start", "swap"] {
        let call = format!(
            "fetch('/admin/sandboxes/{adas}/{action}', {{method: 'POST'}}).then((a) => a.status)"
        );
        assert_eq!(bob.eval::<u16>(&call).await, 403, "{action}");
    }
    swap(&bob).await;
    confirm(&bob).await;
    bob.read(".generation", "2").await;
    ada.open(&at(&gateway, "/")).await;
    ada.read("@sandbox-name", "sandbox-live").await;
}

#[tokio::test]
async fn a_session_that_ends_elsewhere_leads_back_to_the_log_in_page() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    account(&page, &gateway).await;
    let other = browser.again(&page).await;
    account(&other, &gateway).await;
    log_out(&other).await;
    page.at("/login").await;
    assert!(page.path().await.contains("next=%2Fauth%2Faccount"));
}

#[tokio::test]
async fn a_card_has_its_sandbox_s_own_address_and_says_who_may_look() {
    let gateway = builder_of_own_origins().start().await.unwrap();
    let browser = Browser::launch().await;
    let page = browser.person().await;
    page.look(Size::NARROW, Scheme::Light).await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    account(&page, &gateway).await;
    has_access(&page, LIVE, "members").await;
    for (card, host) in [
        (LIVE, "sandbox.localhost:"),
        (DEV, "sandbox-dev.localhost:"),
    ] {
        page.read(&format!("{card} @open-link"), host).await;
    }
    page.until(
        "the link leads to the sandbox's own origin",
        "document.querySelector('[data-testid=open-link]').href.startsWith('http://sandbox.localhost:')",
    )
    .await;

    let set = ["access", "sandbox", "live", "public"];
    assert!(gateway.cli(&set).await.unwrap().status.success());
    page.read(&format!("{LIVE} @access-warning"), "on the internet")
        .await;
    has_access(&page, DEV, "members").await;
    page.until(
        "the page fits",
        "document.documentElement.scrollWidth <= innerWidth",
    )
    .await;

    // And by the person, with a passkey.
    choose_access(&page, LIVE, "members").await;
    page.until(
        "nobody is warned",
        "!document.querySelector('[data-testid=access-warning]').textContent",
    )
    .await;
    choose_access(&page, DEV, "public").await;
    page.click("@confirm-button").await;
    page.read(&format!("{DEV} @access-warning"), "on the internet")
        .await;
    let visitor = browser.person().await;
    let dev = format!("http://sandbox-dev.localhost:{}/", gateway.port());
    visitor.open(&dev).await;
    visitor.read("@sandbox-name", "sandbox-dev").await;
    page.open(&at(&gateway, "/auth/account")).await;
    has_access(&page, LIVE, "members").await;
    has_access(&page, DEV, "public").await;
}

async fn has_access(page: &Page, card: &str, access: &str) {
    let select = format!("{card} @access-select");
    page.see(&select).await;
    let script = format!("{}.value === '{access}'", find(&select));
    page.until(&format!("{card} is open to {access}"), &script)
        .await;
}

/// Chooses in the list as a person does, which a click in headless Chromium does not open.
async fn choose_access(page: &Page, card: &str, access: &str) {
    let select = find(&format!("{card} @access-select"));
    let chosen =
        format!("({select}.value = '{access}', {select}.dispatchEvent(new Event('change')))");
    let _: bool = page.eval(&chosen).await;
}

#[tokio::test]
async fn a_person_hears_of_a_passkey_that_somebody_else_added() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let (ada, eve) = (browser.person().await, browser.person().await);
    let codes = sign_up(&ada, &at(&gateway, "/register"), ADA).await;
    account(&ada, &gateway).await;
    ada.counts("@notice", 0).await;

    eve.open(&at(&gateway, "/recovery")).await;
    eve.fill("@recovery-username", ADA).await;
    eve.fill("@recovery-code", &codes[0]).await;
    eve.enter().await;
    eve.read("#title", "Add a passkey").await;
    eve.click("@recovery-submit").await;
    eve.click("@act-confirm").await;
    eve.read("#title", "Done").await;

    account(&ada, &gateway).await;
    ada.read("@notice", "Passkey added").await;
    ada.click("@notices-seen").await;
    account(&ada, &gateway).await;
    ada.counts("@passkey-row", 2).await;
    ada.counts("@notice", 0).await;
}
