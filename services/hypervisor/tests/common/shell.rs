//! What a person does on our pages again and again.

use testkit::browser::Page;
use testkit::harness::Hypervisor;

/// Signs up at a page that allows it, and goes on to the person's live sandbox. The recovery codes.
pub async fn sign_up(page: &Page, url: &str, address: &str) -> Vec<String> {
    page.open(url).await;
    page.read("@auth-mode-label", "Sign up").await;
    page.fill("@auth-input", address).await;
    page.enter().await;
    let codes = page.text("@recovery-codes").await;
    page.gone("@auth-modal").await;
    page.click("@recovery-codes-continue").await;
    page.see("@sandbox-name").await;
    codes.lines().map(str::to_owned).collect()
}

/// Logs in, and goes on to the person's live sandbox. An empty address picks a passkey.
pub async fn log_in(page: &Page, gateway: &Hypervisor, address: &str) {
    page.open(&at(gateway, "/login")).await;
    page.read("@auth-mode-label", "Log in").await;
    page.fill("@auth-input", address).await;
    page.enter().await;
    page.see("@sandbox-name").await;
}

/// Logs out, from any page of ours.
pub async fn log_out(page: &Page) {
    page.click("@logout-button").await;
    page.see("@auth-modal").await;
    page.at("/login").await;
}

/// The page of one's account, with everything in it.
pub async fn account(page: &Page, gateway: &Hypervisor) {
    page.open(&at(gateway, "/auth/account")).await;
    page.see("@account-page[aria-busy=false]").await;
}

/// Confirms an act on its page, with the passkey of the page's device, and goes back to the account.
pub async fn confirm(page: &Page) {
    page.click("@act-confirm").await;
    page.read("#title", "Done").await;
    page.click("@act-back").await;
    page.see("@account-page").await;
}

/// Gives dev a release that live does not have: our sandbox service in another colour, or a command.
pub async fn add_release(gateway: &Hypervisor, command: &[&str]) {
    let mut add = vec![
        "release",
        "add",
        "sandbox",
        "--env",
        "SANDBOX_ACCENT=#c2410c",
    ];
    if !command.is_empty() {
        add.push("--");
        add.extend(command);
    }
    let added = gateway.cli(&add).await.unwrap();
    assert!(added.status.success(), "{added:?}");
}

/// Asks for a swap on the account page, up to the passkey.
pub async fn swap(page: &Page) {
    page.click("@swap-button").await;
    page.read("dialog", "exchange their roles, data included")
        .await;
    page.click("@confirm-button").await;
}

/// A path of the gateway, as a browser is given it.
pub fn at(gateway: &Hypervisor, path: &str) -> String {
    format!("{}{path}", gateway.base_url())
}

/// Whether the page's browser has a session.
pub async fn is_logged_in(page: &Page) -> bool {
    page.eval(
        "fetch('/auth/me').then((response) => response.json()).then((me) => me.authenticated)",
    )
    .await
}
