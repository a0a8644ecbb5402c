//! Getting in, as a person with a browser and a passkey does it.

mod common;

use common::shell::{account, at, is_logged_in, log_in, log_out, sign_up};
use common::{builder, gateway};
use std::path::Path;
use testkit::browser::Browser;
use testkit::harness::Hypervisor;

const ADA: &str = "ada@example.org";

#[tokio::test]
async fn signing_up_by_the_enrolment_link_gives_ten_codes_a_session_and_ones_own_sandbox() {
    let gateway = Hypervisor::builder(Path::new(env!("CARGO_BIN_EXE_hypervisor")))
        .start()
        .await
        .unwrap();
    let browser = Browser::launch().await;
    let page = browser.person().await;

    page.open(&at(&gateway, "/register")).await;
    page.read("#shut", "needs an invite link").await;
    assert_eq!(page.count("@auth-input:not([hidden] *)").await, 0);

    let link = gateway.enrolment_link().await.unwrap();
    let mut codes = sign_up(&page, &link, ADA).await;
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 10, "{codes:?}");
    assert_eq!(page.path().await, "/");
    page.read("@sandbox-name", "sandbox-live").await;
    assert!(is_logged_in(&page).await);
}

#[tokio::test]
async fn logging_out_and_in_again_needs_only_the_passkey() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;

    account(&page, &gateway).await;
    log_out(&page).await;
    assert!(!is_logged_in(&page).await);
    log_in(&page, &gateway, ADA).await;
    assert!(is_logged_in(&page).await);

    account(&page, &gateway).await;
    log_out(&page).await;
    log_in(&page, &gateway, "").await;
    assert!(is_logged_in(&page).await);
}

#[tokio::test]
async fn logging_in_never_registers_an_unknown_address() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    page.open(&at(&gateway, "/login")).await;
    for _ in 0..2 {
        page.fill("@auth-input", "nobody@example.org").await;
        page.enter().await;
        page.read("@auth-error", "no account found").await;
        page.see("@auth-modal").await;
    }
    assert!(!is_logged_in(&page).await);
    let users = gateway.cli(&["users", "--json"]).await.unwrap();
    let users = String::from_utf8(users.stdout).unwrap();
    assert!(!users.contains("nobody"), "{users}");
}

#[tokio::test]
async fn a_recovery_code_works_once_and_leads_only_to_adding_a_passkey() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let mut page = browser.person().await;
    let codes = sign_up(&page, &at(&gateway, "/register"), ADA).await;
    account(&page, &gateway).await;
    log_out(&page).await;
    page.change_device().await;

    let recover = async |page: &testkit::browser::Page| {
        page.open(&at(&gateway, "/recovery")).await;
        page.fill("@recovery-username", ADA).await;
        page.fill("@recovery-code", &codes[3]).await;
        page.enter().await;
    };
    recover(&page).await;
    page.read("#title", "Add a passkey").await;
    for path in ["/", "/dev/", "/auth/account"] {
        page.open(&at(&gateway, path)).await;
        page.at("/recovery").await;
    }
    let status: u16 = page
        .eval("fetch('/admin/sandboxes').then((response) => response.status)")
        .await;
    assert_eq!(status, 403);

    page.read("#title", "Add a passkey").await;
    page.click("@recovery-submit").await;
    page.read("@act-summary", "Add a passkey").await;
    page.click("@act-confirm").await;
    page.read("#title", "Done").await;
    assert!(!is_logged_in(&page).await, "the code's session has ended");
    page.click("@act-back").await;
    page.see("@auth-modal").await;
    page.enter().await;
    page.see("@sandbox-name").await;
    account(&page, &gateway).await;
    page.counts("@passkey-row", 2).await;
    page.read("#codes-left", "9 of 10 left").await;

    log_out(&page).await;
    recover(&page).await;
    page.read("@auth-error", "do not fit").await;
    assert!(!is_logged_in(&page).await);
}

#[tokio::test]
async fn each_way_to_fail_has_its_own_sentence() {
    let mut gateway = builder()
        .env("HYPERVISOR_AUTH_REVEAL_ACCOUNTS", "false")
        .env("HYPERVISOR_AUTH_RATE_PER_ACCOUNT", "2")
        .start()
        .await
        .unwrap();
    let browser = Browser::launch().await;
    let page = browser.person().await;
    let other = browser.person().await;
    sign_up(&other, &at(&gateway, "/register"), "taken@example.org").await;

    page.open(&at(&gateway, "/register")).await;
    page.recognise(false).await;
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    page.read("@auth-error", "closed before a passkey was made")
        .await;
    page.click("@auth-mode-login").await;
    page.click("#submit").await;
    page.read("@auth-error", "no passkey on this device fits")
        .await;
    page.recognise(true).await;

    page.click("@auth-mode-register").await;
    page.fill("@auth-input", "taken@example.org").await;
    page.enter().await;
    page.read("@auth-error", "the account was not registered")
        .await;
    page.fill("@auth-input", "a b").await;
    page.enter().await;
    page.until(
        "the server's own sentence is shown",
        "document.querySelector('[data-testid=auth-error]').innerText.includes('letters')",
    )
    .await;

    let guessing = browser.person().await;
    guessing.open(&at(&gateway, "/recovery")).await;
    guessing
        .fill("@recovery-username", "taken@example.org")
        .await;
    guessing.fill("@recovery-code", "not-a-code").await;
    for response in ["do not fit", "do not fit", "Too many attempts"] {
        guessing.click("@recovery-submit").await;
        guessing.read("@auth-error", response).await;
    }

    page.eval::<bool>("delete window.PublicKeyCredential").await;
    page.fill("@auth-input", ADA).await;
    page.enter().await;
    page.read("@auth-error", "This browser has no passkeys")
        .await;

    gateway.kill9().unwrap();
    page.enter().await;
    page.read("@auth-error", "The server does not answer").await;
    page.see("@auth-modal").await;
}

#[tokio::test]
async fn after_logging_in_one_gets_where_one_wanted_but_never_elsewhere() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    account(&page, &gateway).await;
    log_out(&page).await;

    page.open(&at(&gateway, "/auth/account")).await;
    page.at("/login").await;
    page.see("@auth-modal").await;
    page.click("#submit").await;
    page.see("@account-page").await;
    log_out(&page).await;
    for next in [
        "//example.org/",
        "/\\example.org",
        "https://example.org/",
        "javascript:alert(1)",
        "/login",
    ] {
        page.open(&at(&gateway, "/login")).await;
        let search = format!(
            "'?next=' + encodeURIComponent({})",
            serde_json::Value::from(next)
        );
        page.eval::<()>(&format!("location.search = {search}, null"))
            .await;
        page.until(
            "the wish is in the address",
            "location.search.includes('next')",
        )
        .await;
        page.see("@auth-modal").await;
        page.click("#submit").await;
        page.see("@sandbox-name").await;
        assert_eq!(page.path().await, "/", "{next}");
        account(&page, &gateway).await;
        log_out(&page).await;
    }
}
