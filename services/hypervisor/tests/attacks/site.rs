//! A gateway, and sandboxes that serve the attacker's page.

use crate::common::builder;
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use testkit::browser::{Browser, Page};
use testkit::harness::Hypervisor;

pub const ADA: &str = "ada@example.org";
pub const MALLORY: &str = "mallory@example.org";

/// The paths that a sandbox was asked for in somebody's name.
type Asked = Arc<Mutex<Vec<String>>>;

/// A sandbox, all of whose pages run the attacker's script.
#[derive(Clone)]
pub struct Sandbox {
    address: SocketAddr,
    asked: Asked,
}

impl Sandbox {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Asked::default();
        let router = Router::new()
            .route("/attack.js", get(async || script(include_str!("page.js"))))
            .route("/acts.js", get(async || script(include_str!("acts.js"))))
            .route(
                "/origins.js",
                get(async || script(include_str!("origins.js"))),
            )
            .route("/sw.js", get(async || script(include_str!("worker.js"))))
            .route(
                "/app/sw.js",
                get(async || script(include_str!("worker.js"))),
            )
            .route("/ws", any(websocket))
            .route("/secret", any(secret))
            .fallback(async || Html(include_str!("page.html")))
            .with_state(asked.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, asked }
    }

    /// What it was asked for in somebody's name.
    pub fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn script(text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript")], text)
}

async fn websocket(
    State(asked): State<Asked>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    note(&asked, &headers, "/ws");
    upgrade.on_upgrade(async |mut socket| while let Some(Ok(_)) = socket.recv().await {})
}

async fn secret(State(asked): State<Asked>, request: Request) -> &'static str {
    note(&asked, request.headers(), "/secret");
    "a secret"
}

fn note(asked: &Asked, headers: &HeaderMap, path: &str) {
    if headers.contains_key("x-choiros-user-id") {
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(path.to_owned());
    }
}

/// A gateway with Ada's workspace and Mallory's.
pub struct Site {
    pub gateway: Hypervisor,
    pub browser: Browser,
    /// `ada-live`, `ada-dev`, `mallory-live`, `mallory-dev`.
    pub sandboxes: BTreeMap<&'static str, Sandbox>,
}

impl Site {
    pub async fn start(origins: &str) -> Self {
        let mut config = String::from("[runtime]\nkind = \"adopt\"\n");
        let mut sandboxes = BTreeMap::new();
        for (workspace, member) in [
            ("sandbox", "nobody@example.org"),
            ("ada", ADA),
            ("mallory", MALLORY),
        ] {
            writeln!(config, "[workspaces.{workspace}]\nmembers = [\"{member}\"]").unwrap();
            for role in ["live", "dev"] {
                let sandbox = Sandbox::start().await;
                let address = sandbox.address;
                writeln!(
                    config,
                    "[workspaces.{workspace}.{role}]\naddress = \"{address}\"\nidentity = false"
                )
                .unwrap();
                sandboxes.insert(&*format!("{workspace}-{role}").leak(), sandbox);
            }
        }
        let gateway = builder()
            .env("HYPERVISOR_ORIGINS", origins)
            .config(&config)
            .start()
            .await
            .unwrap();
        let browser = Browser::launch().await;
        Self {
            gateway,
            browser,
            sandboxes,
        }
    }

    /// Someone who has just signed up, and is at their live sandbox.
    pub async fn person(&self, name: &str) -> Page {
        let invite = ["invite", "--username", name, "--json"];
        let invite = self.gateway.cli(&invite).await.unwrap();
        let invite: Value = serde_json::from_slice(&invite.stdout).unwrap();
        let page = self.browser.person().await;
        page.open(invite["url"].as_str().unwrap()).await;
        page.fill("@auth-input", name).await;
        page.enter().await;
        page.click("@recovery-codes-continue").await;
        page.see("#attack").await;
        page
    }

    /// Has the script of the page, which the person even clicks on, try everything; says what it
    /// got. `facts` are what an attacker may have learnt beforehand.
    pub async fn attack(&self, page: &Page, facts: &Value) -> BTreeMap<String, Value> {
        let _: bool = page.eval(&format!("window.facts = {facts}, true")).await;
        page.click("#attack").await;
        // All of it takes longer than anything else that a page is waited for.
        let mut tried: usize = 0;
        while !page.eval::<bool>("window.over").await {
            let further = format!("window.over || Object.keys(window.tries).length > {tried}");
            page.until("the attack goes on", &further).await;
            tried = page.eval("Object.keys(window.tries).length").await;
        }
        let tries: BTreeMap<String, Value> = page.eval("window.tries").await;
        assert!(tries.len() > 3, "it tried too little: {tries:?}");
        tries
            .into_iter()
            .filter(|(_, got)| !got.is_null())
            .collect()
    }

    /// The id of somebody who has signed up.
    pub async fn id_of(&self, name: &str) -> Value {
        let users = self.gateway.cli(&["users", "--json"]).await.unwrap();
        let users: Vec<Value> = serde_json::from_slice(&users.stdout).unwrap();
        let user = users.iter().find(|user| user["username"] == name);
        user.unwrap()["id"].clone()
    }

    /// Makes somebody an admin, so that whatever is asked for could be done.
    pub async fn make_admin(&self, name: &str) {
        let made = self.gateway.cli(&["users", "admin", name]).await.unwrap();
        assert!(made.status.success(), "{made:?}");
    }

    /// The gateway's answer to a page of its own in this browser.
    pub async fn ask(&self, page: &Page, path: &str) -> Value {
        page.open(&format!("{}/auth/account", self.gateway.base_url()))
            .await;
        page.eval(&format!("fetch('{path}').then((it) => it.json())"))
            .await
    }

    /// All that an attacker could have changed about the page's person.
    pub async fn state(&self, page: &Page) -> [Value; 7] {
        let mut me = self.ask(page, "/auth/me").await;
        me.as_object_mut().unwrap().remove("notices");
        let passkeys = self.ask(page, "/auth/passkeys").await;
        let passkeys = passkeys.as_array().unwrap().iter();
        let passkeys = passkeys.map(|it| (it["id"].clone(), it["name"].clone()));
        let sandboxes = self.ask(page, "/admin/sandboxes").await;
        let sandboxes = sandboxes.as_array().unwrap().iter();
        let sandboxes = sandboxes.map(|it| {
            (
                it["sandbox"].clone(),
                it["role"].clone(),
                it["access"].clone(),
            )
        });
        let sessions = self.ask(page, "/auth/sessions").await;
        let sessions = sessions.as_array().unwrap().iter().map(|it| &it["id"]);
        let people = self.ask(page, "/.choiros/api/users").await;
        let people = people.as_array().into_iter().flatten().map(|it| {
            let names = ["username", "admin", "disabled_at", "workspaces"];
            names.map(|name| it[name].clone()).to_vec()
        });
        let invites = self.ask(page, "/.choiros/api/invites").await;
        [
            people.map(|it| serde_json::json!(it)).collect(),
            invites,
            me,
            passkeys.map(|it| serde_json::json!(it)).collect(),
            sandboxes.map(|it| serde_json::json!(it)).collect(),
            sessions.cloned().collect(),
            self.ask(page, "/.choiros/api/tokens").await,
        ]
    }
}
