//! Real apps, as live and as dev, each at its own origin. `make check-apps` installs and runs them:
//! they are too heavy for every run of the tests.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

#[path = "../common/mod.rs"]
mod common;

use common::builder_of_own_origins;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::browser::{Browser, Page};
use testkit::harness::Hypervisor;

/// A gateway whose sandboxes run an app, and a person before it.
struct Site {
    gateway: Hypervisor,
    browser: Browser,
    page: Page,
}

impl Site {
    /// `health_path` answers 2xx once the app is up.
    async fn of(app: &str, health_path: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/apps")
            .join(app);
        let installed = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("apps")
            .join(app);
        let install = Command::new(folder.join("install"))
            .arg(&installed)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(install.success(), "{app} could not be installed; see above");
        let run = serde_json::json!([folder.join("run"), installed]);
        let sandbox = format!("identity = false\nhealth_path = \"{health_path}\"\n");
        let config = format!(
            "[runtime]\ncommand = {run}\nstart_secs = 120\n\
             [workspaces.sandbox.live]\n{sandbox}[workspaces.sandbox.dev]\n{sandbox}"
        );
        let path = std::env::var("PATH").unwrap();
        let gateway = builder_of_own_origins()
            .env("HYPERVISOR_RUNTIME_COMMAND", &run.to_string())
            .env("PATH", &path)
            .config(&config)
            .start()
            .await
            .unwrap();
        let browser = Browser::launch().await;
        let page = browser.person().await;
        page.open(&format!("{}/register", gateway.base_url())).await;
        page.fill("@auth-input", "ada@example.org").await;
        page.enter().await;
        page.click("@recovery-codes-continue").await;
        page.until(
            "she is at her live sandbox",
            "location.hostname === 'sandbox.localhost'",
        )
        .await;
        Self {
            gateway,
            browser,
            page,
        }
    }

    /// Both of the app's origins, live's first.
    fn origins(&self) -> [String; 2] {
        let port = self.gateway.port();
        ["sandbox", "sandbox-dev"].map(|name| format!("http://{name}.localhost:{port}"))
    }

    /// The folder of a sandbox's data.
    fn data(&self, sandbox: &str) -> PathBuf {
        let workspace = self.gateway.state_dir().join("sandboxes/sandbox");
        workspace.join(sandbox)
    }
}

#[tokio::test]
#[ignore = "installs Vite; `make check-apps` runs it"]
async fn vite_replaces_modules_in_open_pages() {
    let site = Site::of("vite", "/").await;
    for (origin, sandbox) in site.origins().iter().zip(["sandbox-live", "sandbox-dev"]) {
        let page = &site.page;
        page.open(&format!("{origin}/")).await;
        page.read("#said", "as it was").await;
        let _: bool = page.eval("window.same = true").await;
        // The module's WebSocket has to be there before there is anything to be told.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let words = site.data(sandbox).join("app/words.js");
        std::fs::write(&words, "export const words = \"as it is now\";\n").unwrap();
        page.read("#said", "as it is now").await;
        page.until("the page was not loaded again", "window.same === true")
            .await;
    }
}

#[tokio::test]
#[ignore = "installs JupyterLab; `make check-apps` runs it"]
async fn jupyterlab_logs_in_at_its_own_path_and_runs_a_kernel() {
    let site = Site::of("jupyterlab", "/api").await;
    for origin in site.origins() {
        let page = &site.page;
        page.open(&format!("{origin}/")).await;
        page.at("/login").await;
        page.fill("#password_input", "open-sesame").await;
        page.enter().await;
        page.at("/lab").await;
        page.see("#jp-main-dock-panel").await;
        let said: String = page.eval(KERNEL).await;
        assert_eq!(said, "42\n");
    }
}

/// Starts a kernel and has it say what six times seven is, over its WebSocket.
const KERNEL: &str = r#"(async () => {
    const xsrf = document.cookie.match(/_xsrf=([^;]*)/)[1];
    const headers = {"X-XSRFToken": xsrf, "Content-Type": "application/json"};
    const made = await fetch("/api/kernels", {method: "POST", headers, body: "{}"});
    const kernel = await made.json();
    const socket = new WebSocket(`ws://${location.host}/api/kernels/${kernel.id}/channels?session_id=1`);
    const ask = {
        header: {msg_id: "1", username: "", session: "1", msg_type: "execute_request", version: "5.3", date: new Date().toISOString()},
        parent_header: {}, metadata: {}, channel: "shell", buffers: [],
        content: {code: "print(6 * 7)", silent: false, store_history: false, user_expressions: {}, allow_stdin: false},
    };
    return new Promise((done, fail) => {
        socket.onopen = () => socket.send(JSON.stringify(ask));
        socket.onerror = () => fail(new Error("the kernel's WebSocket failed"));
        socket.onmessage = ({data}) => {
            const message = JSON.parse(data);
            if (message.header.msg_type === "stream") done(message.content.text);
        };
    });
})()"#;

#[tokio::test]
#[ignore = "installs Streamlit; `make check-apps` runs it"]
async fn streamlit_counts() {
    let site = Site::of("streamlit", "/_stcore/health").await;
    for origin in site.origins() {
        let page = &site.page;
        page.open(&format!("{origin}/")).await;
        page.read("body", "counted to 0").await;
        page.click("[data-testid=stButton] button").await;
        page.read("body", "counted to 1").await;
    }
}

#[tokio::test]
#[ignore = "installs noVNC; `make check-apps` runs it"]
async fn novnc_shows_its_screen() {
    let site = Site::of("novnc", "/vnc.html").await;
    for origin in site.origins() {
        let page = &site.page;
        page.open(&format!("{origin}/vnc.html?autoconnect=true"))
            .await;
        page.see("html.noVNC_connected canvas").await;
        page.until(
            "the screen has a size",
            "document.querySelector('canvas').width > 100",
        )
        .await;
    }
    drop(site.browser);
}
