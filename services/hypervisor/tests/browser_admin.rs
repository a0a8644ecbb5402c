//! The admin's page, and what it does for people in browsers of their own.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::shell::{account, at, is_logged_in, sign_up};
use common::{builder, builder_of_own_origins};
use http::Method;
use testkit::browser::{Browser, Page, Scheme, Size};
use testkit::harness::Hypervisor;

const ADA: &str = "ada@example.org";

/// An admin at their page.
async fn admin(gateway: &Hypervisor, browser: &Browser) -> Page {
    let page = browser.person().await;
    let link = gateway.enrolment_link().await.unwrap();
    sign_up(&page, &link, ADA).await;
    open(&page, gateway).await;
    page
}

async fn open(page: &Page, gateway: &Hypervisor) {
    page.open(&at(gateway, "/admin")).await;
    page.see("@admin-page[aria-busy=false]").await;
}

async fn start() -> (Hypervisor, Browser) {
    let gateway = builder_of_own_origins().env("HYPERVISOR_REGISTRATION", "invite");
    (gateway.start().await.unwrap(), Browser::launch().await)
}

/// Invites a person, who comes; the page that they come to.
async fn invite(ada: &Page, browser: &Browser, username: &str) -> Page {
    ada.click("@invite-button").await;
    ada.fill("@invite-username", username).await;
    ada.click("@confirm-button").await;
    ada.see("@invite-link").await;
    let link: String = ada
        .eval("document.querySelector('[data-testid=invite-link]').value")
        .await;
    let page = browser.person().await;
    page.open(&link).await;
    page.read("#lead", &format!("You are invited as {username}"))
        .await;
    page.enter().await;
    page.see("@recovery-codes").await;
    page.click("@recovery-codes-continue").await;
    page.see("@sandbox-name").await;
    page
}

fn row(username: &str) -> String {
    // Elsewhere in a selector the sign begins a test id.
    let username = username.replace('@', r"\40 ");
    format!("@person-row[data-username=\"{username}\"]")
}

/// What an admin chooses to do about somebody.
async fn manage(ada: &Page, username: &str, choice: &str) {
    ada.click(&format!("{} @person-manage", row(username)))
        .await;
    ada.click(&format!("@person-{choice}")).await;
}

#[tokio::test]
async fn somebody_is_invited_renamed_locked_out_and_let_in_again() {
    let (gateway, browser) = start().await;
    let ada = admin(&gateway, &browser).await;
    let bob = invite(&ada, &browser, "bob").await;
    open(&ada, &gateway).await;
    ada.read("@invite-row[data-state=used]", "bob").await;
    ada.read(&row("bob"), "bob").await;

    ada.click(&format!("{} @person-manage", row("bob"))).await;
    ada.fill("@person-username", "bob@example.org").await;
    ada.click("@person-rename-user").await;
    ada.read("@people-told", "bob is called bob@example.org now")
        .await;
    account(&bob, &gateway).await;
    bob.read("#user", "bob").await;
    assert!(is_logged_in(&bob).await, "a new name logs nobody out");

    manage(&ada, "bob@example.org", "disable-user").await;
    ada.read("@people-told", "logged out everywhere").await;
    ada.read(&row("bob@example.org"), "disabled").await;
    bob.at("/login").await;
    bob.see("@auth-modal").await;
    bob.fill("@auth-input", "bob@example.org").await;
    bob.enter().await;
    bob.read("@auth-error", "disabled").await;

    manage(&ada, "bob@example.org", "enable-user").await;
    ada.read("@people-told", "can log in again").await;
    bob.enter().await;
    bob.gone("@auth-modal").await;

    manage(&ada, "bob@example.org", "set-admin").await;
    ada.read("@people-told", "is an admin now").await;
    ada.read(&row("bob@example.org"), "admin").await;
    open(&bob, &gateway).await;
    bob.see(&row(ADA)).await;
}

#[tokio::test]
async fn an_invite_is_revoked_and_says_so_to_whoever_has_it() {
    let (gateway, browser) = start().await;
    let ada = admin(&gateway, &browser).await;
    ada.click("@invite-button").await;
    ada.click("@confirm-button").await;
    ada.see("@invite-link").await;
    let link: String = ada
        .eval("document.querySelector('[data-testid=invite-link]').value")
        .await;
    ada.click("@invite-row[data-state=open] @invite-revoke")
        .await;
    ada.see("@invite-row[data-state=revoked]").await;
    let guest = browser.person().await;
    guest.open(&link).await;
    guest.read("#shut", "was used or has ended").await;
}

#[tokio::test]
async fn the_workspace_of_whoever_is_removed_is_archived_and_given_to_another() {
    let (gateway, browser) = start().await;
    let ada = admin(&gateway, &browser).await;
    let bob = invite(&ada, &browser, "bob").await;
    bob.fill("@note-input", "Bob was here.").await;
    bob.enter().await;
    bob.read("#rows", "Bob was here").await;

    open(&ada, &gateway).await;
    manage(&ada, "bob", "remove-user").await;
    ada.read("dialog", "stopped and archived").await;
    ada.click("@confirm-button").await;
    ada.read("@people-told", "Archived: bob").await;
    ada.gone(&row("bob")).await;
    bob.open(&at(&gateway, "/account")).await;
    bob.at("/login").await;

    ada.click("@archive-row[data-workspace=bob] @archive-restore")
        .await;
    ada.fill("@archive-username", ADA).await;
    ada.click("@confirm-button").await;
    ada.gone("@archive-row").await;
    account(&ada, &gateway).await;
    ada.counts("@workspace-row", 2).await;
    ada.click("@workspace-row[data-workspace=bob] @workspace-choose")
        .await;
    ada.read("#workspace", "workspace bob").await;
    ada.open(&at(&gateway, "/")).await;
    ada.see("@sandbox-name").await;
    ada.read("#rows", "Bob was here").await;
}

#[tokio::test]
async fn a_token_lets_a_program_in_until_it_is_revoked() {
    let (gateway, browser) = start().await;
    let ada = admin(&gateway, &browser).await;
    account(&ada, &gateway).await;
    ada.click("@token-new").await;
    ada.fill("@token-name", "CI").await;
    ada.click("[data-testid='token-scope-sandboxes:read']")
        .await;
    ada.click("@confirm-button").await;
    ada.see("@token-made").await;
    let token: String = ada
        .eval("document.querySelector('[data-testid=token-made]').value")
        .await;
    let ask = async || {
        let bearer = format!("Bearer {token}");
        let client = gateway.client();
        let request = client.request(Method::GET, "/api/sandboxes");
        let request = request.header("authorization", &bearer);
        request.send().await.unwrap().status.as_u16()
    };
    assert_eq!(ask().await, 200);
    ada.click("@token-row @token-revoke").await;
    ada.click("@confirm-button").await;
    ada.gone("@token-row").await;
    assert_eq!(ask().await, 401);
}

#[tokio::test]
async fn a_sandbox_s_log_is_read_and_a_stop_holds() {
    let (gateway, browser) = start().await;
    let ada = admin(&gateway, &browser).await;
    let live = "@admin-row[data-workspace=sandbox][data-role=live]";
    ada.read(live, "memory").await;
    ada.click(&format!("{live} @log-button")).await;
    ada.until(
        "the log has lines",
        "document.querySelector('[data-testid=log]').textContent.includes('listening') || document.querySelector('[data-testid=log]').textContent.length > 20",
    )
    .await;
    ada.click("@log-close").await;
    ada.click(&format!("{live} @stop-button")).await;
    ada.read(live, "no request starts it").await;
}

/// Has whatever a page orders wait until `answer` is called, and counts how often it asks for the
/// sandboxes.
const HOLD_ORDERS: &str = "(() => {
    const real = window.fetch;
    window.asked = 0;
    window.fetch = (path, how) => {
        if (how?.method === 'POST') return new Promise((done) => (window.answer = done));
        const answer = real(path, how);
        if (String(path).includes('/api/sandboxes')) answer.then(() => (window.asked += 1));
        return answer;
    };
    window.letGo = () => (window.fetch = real);
    return true;
})()";

/// Has the list of sandboxes asked for and shown once more, as it is again and again: what was
/// asked for first is there when the second is.
async fn shown_again(ada: &Page) {
    for _ in 0..2 {
        let _: bool = ada
            .eval(
                "(window.before = window.asked, document.querySelector('[data-testid=sandboxes-search]').dispatchEvent(new Event('input')))",
            )
            .await;
        ada.until("the list is asked for", "window.asked > window.before")
            .await;
    }
}

#[tokio::test]
async fn what_goes_wrong_with_an_order_is_there_to_be_read_and_the_focus_stays() {
    let (gateway, browser) = start().await;
    let ada = admin(&gateway, &browser).await;
    let live = "@admin-row[data-workspace=sandbox][data-role=live]";
    ada.see(&format!("{live} @stop-button")).await;
    let _: bool = ada.eval(HOLD_ORDERS).await;
    ada.click(&format!("{live} @stop-button")).await;
    ada.see(&format!("{live} .busy")).await;
    shown_again(&ada).await;
    ada.see(&format!("{live} .busy")).await;
    let _: bool = ada
        .eval("(answer(new Response('{\"error\":\"x\",\"message\":\"this sandbox is needed\"}', { status: 409 })), true)")
        .await;
    ada.read("#all-error", "This sandbox is needed").await;
    shown_again(&ada).await;
    ada.read("#all-error", "This sandbox is needed").await;
    has_focus(&ada, "stop-button").await;

    let _: bool = ada.eval("(letGo(), true)").await;
    ada.click(&format!("{live} @stop-button")).await;
    ada.see(&format!("{live} @start-button")).await;
    has_focus(&ada, "start-button").await;
}

async fn has_focus(page: &Page, test_id: &str) {
    let script = format!("document.activeElement.dataset.testid === '{test_id}'");
    page.until(&format!("{test_id} has the focus"), &script)
        .await;
}

#[tokio::test]
async fn an_admin_adds_and_removes_members_and_nobody_else_is_offered_to() {
    let (gateway, browser) = start().await;
    let ada = admin(&gateway, &browser).await;
    let bob = invite(&ada, &browser, "bob").await;
    account(&ada, &gateway).await;
    let sandbox = "@workspace-row[data-workspace=sandbox]";
    ada.read(sandbox, "its only member").await;
    ada.click(&format!("{sandbox} @member-add")).await;
    ada.fill("@member-username", "bob").await;
    ada.click("@confirm-button").await;
    ada.read(&format!("{sandbox} @member-row"), "bob").await;
    account(&bob, &gateway).await;
    bob.counts("@workspace-row", 2).await;
    bob.read(sandbox, ADA).await;
    bob.counts("@member-add", 0).await;
    bob.counts("@member-remove", 0).await;
    ada.click(&format!("{sandbox} @member-remove")).await;
    ada.click("@confirm-button").await;
    ada.gone(&format!("{sandbox} @member-row")).await;
}

#[tokio::test]
async fn members_whom_the_configuration_names_are_not_offered_to_be_changed() {
    let gateway = builder_of_own_origins()
        .config("[workspaces.sandbox]\nmembers = [\"ada@example.org\"]\n")
        .env("HYPERVISOR_REGISTRATION", "invite");
    let gateway = gateway.start().await.unwrap();
    let browser = Browser::launch().await;
    let ada = admin(&gateway, &browser).await;
    account(&ada, &gateway).await;
    ada.read("@workspace-row", "configuration says who").await;
    ada.counts("@member-add", 0).await;
}

#[tokio::test]
async fn what_an_act_has_made_is_shown_where_it_was_confirmed() {
    let gateway = builder().start().await.unwrap();
    let browser = Browser::launch().await;
    let (ada, bob) = (browser.person().await, browser.person().await);
    ada.look(Size::DESKTOP, Scheme::Light).await;
    sign_up(&ada, &gateway.enrolment_link().await.unwrap(), ADA).await;
    sign_up(&bob, &at(&gateway, "/register"), "bob").await;
    account(&bob, &gateway).await;
    open(&ada, &gateway).await;
    manage(&ada, "bob", "recovery-link").await;
    ada.click("@act-confirm").await;
    ada.read("@act-result", "Give it to bob alone").await;
    ada.until(
        "the link stands beside its button",
        "(([link, copy]) => copy.getBoundingClientRect().top < link.getBoundingClientRect().bottom)(document.querySelectorAll('.secret > *'))",
    )
    .await;
    open(&ada, &gateway).await;
    manage(&ada, "bob", "remove-user").await;
    ada.click("@confirm-button").await;
    ada.click("@act-confirm").await;
    ada.read("@act-result", "Archived: bob").await;
}
