//! Releases, data and what happens to them at the push of a button, with real sandboxes.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::shell::{account, add_release, at, confirm, sign_up, swap};
use common::{builder_of_own_origins, gateway};
use testkit::browser::{Browser, Page, find};
use testkit::harness::Hypervisor;
use testkit::wait::eventually;

const ADA: &str = "ada@example.org";
const LIVE: &str = "@sandbox-card[data-role=live]";
const DEV: &str = "@sandbox-card[data-role=dev]";

/// One with a person, and a release in dev that live does not have.
async fn two_releases(browser: &Browser, command: &[&str]) -> (Hypervisor, Page) {
    let own = builder_of_own_origins();
    let gateway = own.start().await.unwrap();
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    add_release(&gateway, command).await;
    (gateway, page)
}

/// A release that takes its time to start.
fn slow(gateway_sandbox: &str) -> [String; 3] {
    let script = format!("sleep 2; exec {gateway_sandbox}");
    ["/bin/sh".into(), "-c".into(), script]
}

fn sandbox_program() -> String {
    let hypervisor = std::path::Path::new(env!("CARGO_BIN_EXE_hypervisor"));
    hypervisor.with_file_name("sandbox").display().to_string()
}

async fn live(page: &Page, gateway: &Hypervisor) {
    page.open(&gateway.sandbox_url("sandbox")).await;
    page.see("@sandbox-name").await;
    page.read("@tail-state", "following").await;
}

async fn note(page: &Page, text: &str) {
    page.fill("@note-input", text).await;
    page.enter().await;
    page.read("#rows", text).await;
}

/// Agrees to what the dialog says, which has this in it.
async fn agree(page: &Page, says: &str) {
    page.read("dialog", says).await;
    page.click("@confirm-button").await;
}

async fn promote(page: &Page) {
    page.click("@promote-button").await;
    agree(page, "its data stay where they are").await;
}

#[tokio::test]
async fn live_takes_dev_s_release_and_its_notes_stay_until_an_undo_with_data() {
    let browser = Browser::launch().await;
    let (gateway, page) = two_releases(&browser, &[]).await;
    live(&page, &gateway).await;
    page.read("@sandbox-release", "release 1").await;
    note(&page, "before").await;

    account(&page, &gateway).await;
    page.read(LIVE, "Release 1").await;
    page.read(DEV, "Release 2").await;
    page.read("#promote-says", "Give live release 2; its data stay")
        .await;
    promote(&page).await;
    page.read("@told", "Live has release 2 now. Requests waited for")
        .await;
    page.read(LIVE, "Release 2").await;
    page.until(
        "there is nothing to promote",
        &format!("{}.disabled", find("@promote-button")),
    )
    .await;

    let other = browser.again(&page).await;
    live(&other, &gateway).await;
    other.read("@sandbox-release", "release 2").await;
    other.read("#rows", "before").await;
    note(&other, "after").await;

    page.click("@history summary").await;
    page.read("@history-row", "Promoted live from release 1 to 2")
        .await;
    page.click("@history-row @undo-button").await;
    page.read(
        "dialog",
        "What 1 writing request wrote since then is lost to live",
    )
    .await;
    page.click("@undo-with-data").await;
    agree(&page, "Live gets release 1 back").await;
    page.read("@told", "Live has release 1 again").await;
    page.read(
        "@told",
        "What 1 writing request wrote since the promotion is in the snapshot",
    )
    .await;
    page.read("@history-row:nth-child(1)", "Undid a promotion")
        .await;
    live(&other, &gateway).await;
    other.read("#rows", "before").await;
    let rows = other.text("#rows").await;
    assert!(!rows.contains("after"), "{rows}");
}

#[tokio::test]
async fn an_undo_of_the_release_alone_keeps_what_was_written_since() {
    let browser = Browser::launch().await;
    let (gateway, page) = two_releases(&browser, &[]).await;
    account(&page, &gateway).await;
    page.click("@promote-button").await;
    page.click("@rehearse").await;
    page.click("@watch").await;
    page.fill("@watch-secs", "600").await;
    agree(&page, "Rehearse first").await;
    page.read("@told", "Live has release 2 now").await;
    page.read("@told", "It is watched for 600 s").await;
    page.read(LIVE, "watched").await;
    let other = browser.again(&page).await;
    live(&other, &gateway).await;
    note(&other, "after").await;
    page.click("@told @undo-button").await;
    agree(&page, "Live's data stay as they are now").await;
    page.read("@told", "Live has release 1 again").await;
    other.read("@sandbox-release", "release 1").await;
    other.read("#rows", "after").await;
}

/// Reads, writes and listens without a pause, and notes whatever a person would notice.
const BUSY: &str = r"(() => {
  const seen = window.seen = { failed: [], reads: 0, writes: [], closed: [], opened: 0, events: new Set(), longest: 0 };
  const timed = async (call) => {
    const begun = performance.now();
    const response = await call();
    seen.longest = Math.max(seen.longest, performance.now() - begun);
    if (!response.ok) seen.failed.push(response.status);
    return response;
  };
  const go = (work) => (async () => {
    while (!seen.stop) await work().catch((error) => seen.failed.push(String(error)));
  })();
  let number = 0;
  const read = go(async () => { await (await timed(() => fetch('/logs/events?limit=1'))).text(); seen.reads += 1; });
  const write = go(async () => {
    const text = String(number += 1);
    const body = JSON.stringify({ kind: 'note', payload: { text } });
    const headers = { 'content-type': 'application/json' };
    await (await timed(() => fetch('/logs/events', { method: 'POST', headers, body }))).text();
    seen.writes.push(text);
  });
  const note = (text) => { const { payload } = JSON.parse(text); if (payload?.text) seen.events.add(payload.text); };
  const stream = new EventSource('/logs/events');
  stream.onmessage = (message) => note(message.data);
  stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) seen.failed.push('the stream'); };
  const connect = () => {
    const socket = new WebSocket('/ws/logs/events');
    socket.onopen = () => { seen.opened += 1; };
    socket.onerror = () => seen.failed.push('a socket');
    socket.onclose = ({ code }) => { seen.closed.push(code); if (!seen.stop) connect(); };
  };
  connect();
  window.end = async () => { seen.stop = true; await Promise.all([read, write]); };
  return true;
})()";

/// Notes what the sandbox's page says of its connection, beyond its reload.
const STATES: &str = r"(() => {
  const tail = document.getElementById('tail');
  const note = () => { sessionStorage.states = (sessionStorage.states ?? '') + tail.dataset.state + ' '; };
  new MutationObserver(note).observe(tail, { attributeFilter: ['data-state'] });
  return true;
})()";

#[tokio::test]
async fn whoever_looks_at_live_during_a_promotion_sees_a_delay_and_nothing_else() {
    let browser = Browser::launch().await;
    let command = slow(&sandbox_program());
    let command = command.each_ref().map(String::as_str);
    let (gateway, page) = two_releases(&browser, &command).await;
    let [busy, typing, reloading] = [
        browser.again(&page).await,
        browser.again(&page).await,
        browser.again(&page).await,
    ];
    busy.open(&format!(
        "{}/logs/events?limit=1",
        gateway.sandbox_url("sandbox")
    ))
    .await;
    assert!(busy.eval::<bool>(BUSY).await);
    live(&typing, &gateway).await;
    typing.fill("@note-input", "half a no").await;
    assert!(typing.eval::<bool>(STATES).await);
    live(&reloading, &gateway).await;
    busy.until(
        "it reads, writes and listens",
        "seen.reads > 5 && seen.events.size > 5 && seen.opened === 1",
    )
    .await;

    account(&page, &gateway).await;
    promote(&page).await;
    let waits = eventually("requests wait", async || {
        let metrics = gateway.client().get("/metrics").await.ok()?.text();
        let mut lines = metrics.lines();
        let held = lines.find_map(|line| line.strip_prefix("choiros_held_requests "))?;
        (held.trim() != "0").then_some(())
    });
    waits.await.unwrap();
    reloading.open(&gateway.sandbox_url("sandbox")).await;
    reloading.read("@sandbox-release", "release 2").await;
    page.read("@told", "Live has release 2 now").await;

    typing.read("@sandbox-release", "release 2").await;
    typing.read("@tail-state", "following").await;
    let draft: String = typing.eval(&format!("{}.value", find("@note-input"))).await;
    assert_eq!(draft, "half a no");
    let states: String = typing.eval("sessionStorage.states").await;
    assert_eq!(states, "waiting ", "connecting again, and not lost");

    let now: usize = busy.eval("seen.writes.length").await;
    busy.until(
        "stream and socket go on by themselves",
        &format!(
            "seen.opened === 2 && seen.writes.length > {now} && seen.events.has(seen.writes[{now}])"
        ),
    )
    .await;
    let failed: Vec<serde_json::Value> = busy.eval("end().then(() => seen.failed)").await;
    assert!(failed.is_empty(), "{failed:?}");
    let closed: Vec<u16> = busy.eval("seen.closed").await;
    assert_eq!(closed, [1012]);
    let longest: f64 = busy.eval("seen.longest").await;
    assert!(longest >= 1000.0, "nobody waited: {longest} ms");
    let all = "fetch('/logs/events?limit=1000').then((all) => all.json()).then((all) => {
        const texts = all.filter(({ kind }) => kind === 'note').map(({ payload }) => payload.text);
        return texts.join() === seen.writes.join() ? 'each once, in order' : texts.join();
    })";
    assert_eq!(busy.eval::<String>(all).await, "each once, in order");
}

#[tokio::test]
async fn a_release_that_does_not_start_is_refused_with_its_cause_and_live_stays() {
    let browser = Browser::launch().await;
    let (gateway, page) = two_releases(&browser, &["/bin/false"]).await;
    live(&page, &gateway).await;
    note(&page, "kept").await;
    account(&page, &gateway).await;
    page.click("@history summary").await;
    page.see("@history-row").await;
    promote(&page).await;
    page.read(
        "#pair-error",
        "rehearsal in dev failed, and nothing was changed",
    )
    .await;
    page.read(LIVE, "Release 1").await;
    page.click("@promote-button").await;
    page.click("@rehearse").await;
    agree(&page, "Rehearse first").await;
    page.read("#pair-error", "taken back; nothing is lost")
        .await;
    page.read(LIVE, "Release 1").await;
    page.read(
        "@history-row[data-outcome=taken_back]",
        "Promoted live from release 1 to 2",
    )
    .await;
    live(&page, &gateway).await;
    page.read("#rows", "kept").await;
}

#[tokio::test]
async fn data_is_forked_copied_and_put_back() {
    let browser = Browser::launch().await;
    let (gateway, page) = two_releases(&browser, &[]).await;
    let other = browser.again(&page).await;
    live(&other, &gateway).await;
    note(&other, "the first").await;

    account(&page, &gateway).await;
    page.click("@fork-button").await;
    agree(&page, "kept as a snapshot").await;
    page.read("@told", "Dev has a copy of live's data now")
        .await;
    other.open(&gateway.sandbox_url("sandbox-dev")).await;
    other.read("#rows", "the first").await;
    other.read("@sandbox-release", "release 2").await;

    page.click("@snapshots summary").await;
    page.click("@snapshot-button[data-role=live]").await;
    page.read("@told", "A snapshot of live is kept").await;
    page.read("@snapshot-row[data-role=live]", "asked for")
        .await;
    live(&other, &gateway).await;
    note(&other, "the second").await;
    page.click("@snapshot-row[data-role=live] @restore-button")
        .await;
    page.click("@rehearse").await;
    agree(&page, "What it has now is kept as a snapshot").await;
    page.read("@told", "The data of the snapshot are back")
        .await;
    page.read("@snapshot-row[data-role=live]", "put aside")
        .await;
    live(&other, &gateway).await;
    other.read("#rows", "the first").await;
    let rows = other.text("#rows").await;
    assert!(!rows.contains("the second"), "{rows}");
}

#[tokio::test]
async fn a_swap_says_what_moves_and_warns_when_live_was_written_to() {
    let browser = Browser::launch().await;
    let (gateway, page) = two_releases(&browser, &[]).await;
    account(&page, &gateway).await;
    page.click("@swap-button").await;
    page.read("dialog", "live's address shows what dev has now")
        .await;
    page.counts("@swap-warning", 0).await;
    page.click("dialog .button:not(.primary)").await;

    live(&page, &gateway).await;
    note(&page, "written").await;
    account(&page, &gateway).await;
    page.click("@swap-button").await;
    page.read(
        "@swap-warning",
        "Live was written to once since the last fork or swap",
    )
    .await;
    page.click("@confirm-button").await;
    page.read(LIVE, "sandbox-dev").await;
    page.read(LIVE, "Release 2").await;
    // What was written is in dev, as the page said; both are as they were after an undo.
    page.click("@told @undo-button").await;
    page.read(LIVE, "sandbox-live").await;
    live(&page, &gateway).await;
    page.read("#rows", "written").await;
}

#[tokio::test]
async fn what_a_person_stopped_no_open_page_starts() {
    let browser = Browser::launch().await;
    let (gateway, page) = two_releases(&browser, &[]).await;
    let tab = browser.again(&page).await;
    live(&tab, &gateway).await;
    account(&page, &gateway).await;
    page.click(&format!("{LIVE} @stop-button")).await;
    page.see(&format!("{LIVE}[data-status=stopped]")).await;
    page.read(LIVE, ADA).await;
    page.read(LIVE, "no request starts it").await;

    tab.read("@tail-state", "connection lost").await;
    for _ in 0..3 {
        let status: u16 = tab.eval("fetch('/').then(({ status }) => status)").await;
        assert_eq!(status, 503);
    }
    let opened = browser.again(&page).await;
    opened.open(&gateway.sandbox_url("sandbox")).await;
    opened.read("h1", "Stopped").await;
    opened
        .read("main", &format!("was stopped by {ADA} on "))
        .await;
    opened.click("main a:last-child").await;
    opened.see("@account-page").await;
    page.see(&format!("{LIVE}[data-status=stopped]")).await;

    // Whom nothing but the address lets in is not told who.
    let set = ["access", "sandbox", "live", "public"];
    assert!(gateway.cli(&set).await.unwrap().status.success());
    let visitor = browser.person().await;
    visitor.open(&gateway.sandbox_url("sandbox")).await;
    visitor.read("main", "was stopped by hand").await;

    // The button is where it stays.
    page.read(&format!("{LIVE} @access-warning"), "on the internet")
        .await;
    page.click(&format!("{LIVE} @start-button")).await;
    page.see(&format!("{LIVE}[data-status=running]")).await;
    tab.read("@tail-state", "following").await;
}

#[tokio::test]
async fn where_all_share_one_origin_the_page_of_the_act_says_what_was_done() {
    let gateway = gateway().await;
    let browser = Browser::launch().await;
    let page = browser.person().await;
    sign_up(&page, &at(&gateway, "/register"), ADA).await;
    add_release(&gateway, &[]).await;
    account(&page, &gateway).await;
    promote(&page).await;
    page.read("@act-summary", "release 2").await;
    page.click("@act-confirm").await;
    page.read("@act-result", "Live has release 2 now").await;
    page.click("@act-back").await;
    page.read(LIVE, "Release 2").await;
    swap(&page).await;
    confirm(&page).await;
    page.read(LIVE, "sandbox-dev").await;
}
