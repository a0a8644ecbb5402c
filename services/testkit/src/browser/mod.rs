//! A real Chromium with a passkey authenticator of its own, for the browser tests.
//!
//! [`Browser::launch`] starts one browser, [`Browser::person`] opens a window in it that shares no
//! cookie and no passkey with any other. Everything waits for what it needs and panics with the
//! page's text and console when that does not come: a helper of tests has nobody to return an
//! error to.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "every helper panics when the page is not as its test expects"
)]

mod authenticator;
mod device;
mod input;
mod line;
mod locate;
mod page;

use chromiumoxide::BrowserConfig;
use chromiumoxide::cdp::browser_protocol::browser::BrowserContextId;
use chromiumoxide::cdp::browser_protocol::target::{
    CreateBrowserContextParams, CreateTargetParams,
};
use futures_util::StreamExt;
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;

pub use locate::{Scheme, Size};
pub use page::{Page, find};

/// How long anything may take before a test fails: a busy two-core machine's worth.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// How many browsers a test process has at once: more than the machine can run are slower than
/// one after the other.
static SEATS: Semaphore = Semaphore::const_new(2);

/// How long a browser may take to end before it is killed.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A running Chromium. When this is dropped, it ends and its profile is removed.
pub struct Browser {
    inner: chromiumoxide::Browser,
    events: JoinHandle<()>,
    profile: TempDir,
    _seat: SemaphorePermit<'static>,
}

impl Browser {
    /// Starts Chromium with an empty profile.
    pub async fn launch() -> Self {
        let seat = SEATS.acquire().await.expect("it is never closed");
        let profile = tempfile::tempdir().expect("a temporary folder");
        let config = config(executable(), &profile);
        let (inner, mut handler) = chromiumoxide::Browser::launch(config)
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        // Events that are newer than our protocol bindings are errors here, and harmless.
        let events = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Self {
            inner,
            events,
            profile,
            _seat: seat,
        }
    }

    /// A window for one person: cookies and passkeys of its own, on one device.
    pub async fn person(&self) -> Page {
        let context = self
            .inner
            .create_browser_context(CreateBrowserContextParams::default())
            .await
            .expect("a browser context");
        self.window(context).await
    }

    /// Another window of the same person: the same cookies, at a device of its own.
    pub async fn again(&self, person: &Page) -> Page {
        self.window(person.context.clone()).await
    }

    async fn window(&self, context: BrowserContextId) -> Page {
        let mut target = CreateTargetParams::new("about:blank");
        target.browser_context_id = Some(context.clone());
        let page = self.inner.new_page(target).await.expect("a page");
        Page::attach(page, context).await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.events.abort();
        // SIGTERM, so that its helpers end with it: after SIGKILL they would make the profile anew.
        let Some(child) = self.inner.get_mut_child() else {
            return;
        };
        let child = child.as_mut_inner();
        if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let end = Instant::now() + TIMEOUT;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.start_kill();
        // The last helper may still write to a folder that is just being emptied.
        while std::fs::remove_dir_all(self.profile.path()).is_err() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn config(executable: PathBuf, profile: &TempDir) -> BrowserConfig {
    BrowserConfig::builder()
        .chrome_executable(executable)
        .new_headless_mode()
        // Root and most containers have no user namespaces for Chromium's own sandbox, and this
        // browser sees nothing but the pages of the server under test.
        .no_sandbox()
        .user_data_dir(profile.path())
        .env("TMPDIR", profile.path().display().to_string())
        .viewport(None)
        .launch_timeout(DEADLINE)
        .request_timeout(DEADLINE)
        .args([
            "disable-gpu",
            "disable-quic",
            "disable-component-update",
            "no-default-browser-check",
            "no-proxy-server",
        ])
        .build()
        .expect("the executable is given")
}

/// `CHROMIUM`, or the first of the usual names on the path.
fn executable() -> PathBuf {
    if let Some(path) = env::var_os("CHROMIUM") {
        return path.into();
    }
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = env::var_os("PATH").unwrap_or_default();
    names
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!("no Chromium on the path: install one (Debian: `apt install chromium`), or name it with CHROMIUM=/its/path")
        })
}
