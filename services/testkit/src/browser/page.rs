//! One window of the browser, and what can be read in it.
//!
//! A `what` is a CSS selector in which `@name` stands for `[data-testid="name"]`.

use super::{DEADLINE, authenticator};
use chromiumoxide::cdp::browser_protocol::browser::BrowserContextId;
use chromiumoxide::cdp::browser_protocol::emulation::SetFocusEmulationEnabledParams;
use chromiumoxide::cdp::browser_protocol::log::EventEntryAdded;
use chromiumoxide::cdp::browser_protocol::target::SetAutoAttachParams;
use chromiumoxide::cdp::browser_protocol::web_authn::AuthenticatorId;
use chromiumoxide::cdp::js_protocol::runtime::{EvaluateParams, EventExceptionThrown};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One window of the browser.
pub struct Page {
    pub(super) inner: chromiumoxide::Page,
    pub(super) context: BrowserContextId,
    console: Arc<Mutex<Vec<String>>>,
    pub(super) authenticator: AuthenticatorId,
}

impl Page {
    pub(super) async fn attach(inner: chromiumoxide::Page, context: BrowserContextId) -> Self {
        // Passkeys and the clipboard are only for a page that has the focus, as each window of
        // this browser shall believe.
        inner
            .execute(SetFocusEmulationEnabledParams::new(true))
            .await
            .expect("focus can be emulated");
        // Workers need not wait for us: nobody would let a service worker begin.
        let mut attach = SetAutoAttachParams::new(true, false);
        attach.flatten = Some(true);
        inner.execute(attach).await.expect("workers can begin");
        let console = Arc::default();
        listen(&inner, &console).await;
        let authenticator = authenticator::add(&inner).await;
        Self {
            inner,
            context,
            console,
            authenticator,
        }
    }

    /// Goes to an address, until it, or where it leads, has loaded.
    ///
    /// Not by chromiumoxide's `goto`, which waits in vain for a page that changes its own address
    /// while it loads, as the auth shell does.
    pub async fn open(&self, url: &str) {
        let leave = format!("(window.left = true, location.assign({}))", quote(url));
        let _: () = self.eval(&leave).await;
        let there = "!window.left && document.readyState === 'complete'";
        self.until(&format!("{url} has loaded"), there).await;
    }

    /// The address's path and query.
    pub async fn path(&self) -> String {
        self.eval("location.pathname + location.search").await
    }

    /// Waits until the address's path (without a query) is this.
    pub async fn at(&self, path: &str) {
        self.until(
            &format!("the address is {path}"),
            &format!("location.pathname === {}", quote(path)),
        )
        .await;
    }

    /// Waits until `what` can be seen.
    pub async fn see(&self, what: &str) {
        let script = format!(
            "!!{}?.checkVisibility({{visibilityProperty: true}})",
            find(what)
        );
        self.until(&format!("{what} is seen"), &script).await;
    }

    /// Waits until `what` is no longer in the page.
    pub async fn gone(&self, what: &str) {
        let script = format!("{} === null", find(what));
        self.until(&format!("{what} is gone"), &script).await;
    }

    /// Waits until the text of `what` contains `part`.
    pub async fn read(&self, what: &str, part: &str) {
        let script = format!("!!{}?.innerText.includes({})", find(what), quote(part));
        self.until(&format!("{what} says {part:?}"), &script).await;
    }

    /// The text of `what`, once it can be seen.
    pub async fn text(&self, what: &str) -> String {
        self.see(what).await;
        self.eval(&format!("{}.innerText", find(what))).await
    }

    /// How many of `what` are in the page now.
    pub async fn count(&self, what: &str) -> usize {
        let selector = quote(&selector(what));
        self.eval(&format!("document.querySelectorAll({selector}).length"))
            .await
    }

    /// Waits until so many of `what` are in the page.
    pub async fn counts(&self, what: &str, number: usize) {
        let selector = quote(&selector(what));
        self.until(
            &format!("there are {number} of {what}"),
            &format!("document.querySelectorAll({selector}).length === {number}"),
        )
        .await;
    }

    /// What the page's console complained about so far.
    pub fn console(&self) -> Vec<String> {
        self.console
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The value of a JavaScript expression; a promise is awaited.
    pub async fn eval<T: DeserializeOwned>(&self, script: &str) -> T {
        match self.try_eval(script).await {
            Ok(value) => serde_json::from_value(value)
                .unwrap_or_else(|error| panic!("{script} gave something else: {error}")),
            Err(error) => self.fail(&format!("{script} failed: {error}")).await,
        }
    }

    /// Waits until a JavaScript expression is true.
    pub async fn until(&self, promise: &str, script: &str) {
        let _: bool = self
            .poll(promise, &format!("({script}) ? true : null"))
            .await;
    }

    /// Waits until a JavaScript expression is not null, which includes that a page to evaluate it
    /// in is there: a navigation may be under way.
    pub(super) async fn poll<T: DeserializeOwned>(&self, promise: &str, script: &str) -> T {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Ok(value) = self.try_eval(script).await
                && !value.is_null()
            {
                return serde_json::from_value(value).expect("what the script gives");
            }
            if Instant::now() > end {
                self.fail(&format!("never came true: {promise}")).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn try_eval(&self, script: &str) -> Result<serde_json::Value, String> {
        let mut params = EvaluateParams::new(script);
        params.await_promise = Some(true);
        params.return_by_value = Some(true);
        let response = self.inner.execute(params).await;
        let response = response.map_err(|error| error.to_string())?.result;
        match response.exception_details {
            Some(exception) => Err(exception.to_string()),
            None => Ok(response.result.value.unwrap_or_default()),
        }
    }

    async fn fail(&self, why: &str) -> ! {
        let page = "location.href + '\\n' + document.body?.innerText";
        let seen = match self.try_eval(page).await {
            Ok(text) => text.as_str().unwrap_or_default().to_owned(),
            Err(error) => format!("(no page: {error})"),
        };
        let console = self.console().join("\n");
        panic!("{why}\n--- the page\n{seen}\n--- its console\n{console}\n---");
    }
}

/// Keeps the console's complaints for the message of a failing test.
async fn listen(page: &chromiumoxide::Page, console: &Arc<Mutex<Vec<String>>>) {
    let entries = page.event_listener::<EventEntryAdded>().await;
    let thrown = page.event_listener::<EventExceptionThrown>().await;
    let entries = entries.expect("the log").map(|event| {
        let url = event.entry.url.clone().unwrap_or_default();
        format!("{} {url}", event.entry.text)
    });
    let thrown = thrown
        .expect("exceptions")
        .map(|event| event.exception_details.to_string());
    let mut lines = futures_util::stream::select(entries, thrown);
    let console = Arc::clone(console);
    tokio::spawn(async move {
        while let Some(line) = lines.next().await {
            console
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    });
}

/// The expression that finds `what`.
pub fn find(what: &str) -> String {
    format!("document.querySelector({})", quote(&selector(what)))
}

/// `@name` becomes `[data-testid="name"]`.
fn selector(what: &str) -> String {
    let mut parts = what.split('@');
    let mut selector = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        selector.push_str("[data-testid=\"");
        selector.push_str(name);
        selector.push_str("\"]");
        selector.push_str(rest);
    }
    selector
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::selector;

    #[test]
    fn an_at_sign_names_a_testid() {
        assert_eq!(selector("main > p"), "main > p");
        assert_eq!(
            selector("@card[data-role=dev] @swap-button:not(.x)"),
            r#"[data-testid="card"][data-role=dev] [data-testid="swap-button"]:not(.x)"#
        );
    }
}
