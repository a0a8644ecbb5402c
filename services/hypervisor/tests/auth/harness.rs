//! A site with its store, and browsers that visit it.

use hypervisor::api::{self, Act, Api};
use hypervisor::auth::{Acts, Auth, check_origin};
use hypervisor::config::{Config, Registration};
use hypervisor::peer::Peer;
use hypervisor::routes::Routes;
use hypervisor::runtime::Runtime;
use hypervisor::shell::Shell;
use hypervisor::store::{
    AccountStore, Database, Handle, MetaStore, SessionRow, SessionStore, UserRow,
};
use hypervisor::timestamp::Timestamp;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::passkey::Authenticator;
use tower::ServiceExt;

pub const ORIGIN: &str = "http://localhost:9090";

/// A server's auth, with a store of its own.
pub struct Site {
    pub auth: Arc<Auth>,
    pub own: Router,
    pub store: Arc<Database>,
    pub path: PathBuf,
    _folder: TempDir,
}

/// Anyone may sign up, and no limit is met.
pub fn open() -> Config {
    let mut config = Config {
        registration: Registration::Open,
        ..Config::default()
    };
    config.auth.rate_per_address = 1_000_000;
    config.auth.rate_per_account = 1_000_000;
    config
}

impl Site {
    pub async fn new(config: &Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = Arc::new(Database::sqlite(&path).unwrap());
        let auth = Auth::open(config, store.clone()).await.unwrap();
        Self {
            own: own(config, &auth, (&store, &path), Acts::default()).await,
            auth,
            store,
            path,
            _folder: folder,
        }
    }

    /// A site on which acts wait no longer than this.
    pub async fn with_acts_lasting(config: &Config, lasts: Duration) -> Self {
        let mut site = Self::new(config).await;
        site.own = own(
            config,
            &site.auth,
            (&site.store, &site.path),
            Acts::lasting(lasts),
        )
        .await;
        site
    }

    /// The same store, after a restart with this config.
    pub async fn restart(&mut self, config: &Config) {
        self.store = Arc::new(Database::sqlite(&self.path).unwrap());
        self.auth = Auth::open(config, self.store.clone()).await.unwrap();
        self.own = own(
            config,
            &self.auth,
            (&self.store, &self.path),
            Acts::default(),
        )
        .await;
    }

    /// Removes what expired, as after a day of running with the clock as it is.
    pub async fn restart_a_day_later(&mut self, config: &Config) {
        let now = Timestamp::now().millis();
        let readings = format!("{now} {now} {now} {}", 24 * 3600);
        self.store.set_meta("clock_readings", &readings).unwrap();
        self.restart(config).await;
        self.auth.purge_expired().await.unwrap();
    }

    /// The sessions in the store.
    pub fn sessions(&self) -> Vec<SessionRow> {
        let users = self.store.users().unwrap();
        let now = Timestamp::now();
        let of = |user: &UserRow| self.store.sessions_of(user.id, now).unwrap();
        users.iter().flat_map(of).collect()
    }

    pub fn browser(&self) -> Browser {
        Browser {
            auth: Arc::clone(&self.auth),
            own: self.own.clone(),
            cookies: BTreeMap::new(),
            address: Ipv4Addr::LOCALHOST.into(),
            page: ORIGIN,
            keys: Authenticator::new(),
        }
    }

    /// A browser whose user has just signed up.
    pub async fn member(&self, username: &str) -> Browser {
        let mut browser = self.browser();
        let response = browser.register(username).await;
        assert_eq!(response.status, StatusCode::OK, "{:?}", response.json);
        browser
    }
}

/// What a gateway answers itself.
async fn own(
    config: &Config,
    auth: &Arc<Auth>,
    (store, path): (&Arc<Database>, &Path),
    acts: Acts<Act>,
) -> Router {
    let mut config = config.clone();
    // No test here starts a sandbox.
    config.runtime.command = vec!["true".into()];
    config.runtime.data_dir = path.with_file_name("sandboxes");
    let config = Arc::new(config);
    let store = Handle::new(store.clone());
    let runtime = Runtime::open(&config).unwrap();
    let api = Api {
        auth: Arc::clone(auth),
        routes: Routes::open(
            config.clone(),
            store.clone(),
            runtime,
            auth.end_notifier().clone(),
        )
        .await
        .unwrap(),
        store,
        metrics: Arc::default(),
        shell: Shell::new(&config),
        acts: Arc::new(acts),
        labels: Arc::default(),
        tls: None,
        forwarding: None,
        machines: Arc::default(),
        log_readers: Arc::default(),
        started: Instant::now(),
        config,
    };
    auth.router().merge(api::router(api))
}

/// A browser with its cookies and an authenticator.
#[derive(Clone)]
pub struct Browser {
    pub auth: Arc<Auth>,
    pub own: Router,
    pub cookies: BTreeMap<String, String>,
    pub address: IpAddr,
    /// The origin of the page that asks.
    pub page: &'static str,
    pub keys: Authenticator,
}

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
    pub body: String,
}

impl Reply {
    /// The status and the error's code.
    pub fn error(&self) -> (u16, &str) {
        let message = self.json["message"].as_str().unwrap_or_default();
        assert!(message.len() > 20, "every refusal has a sentence: {self:?}");
        (self.status.as_u16(), self.json["error"].as_str().unwrap())
    }

    /// How many there are in a list.
    pub fn len(&self) -> usize {
        self.json.as_array().unwrap().len()
    }

    pub fn text(&self, key: &str) -> &str {
        self.json[key].as_str().unwrap()
    }
}

impl Browser {
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in &self.cookies {
            request = request.header(header::COOKIE, format!("theirs=1; {name}={value}"));
        }
        let mut request = request
            .header(header::USER_AGENT, "Browser/1.0")
            .extension(Peer {
                source: SocketAddr::new(self.address, 4000).into(),
                client: self.address,
                trusted: false,
                is_gateway: false,
                carried: None,
                scheme: "http",
            })
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = match self.admit(&mut request).await {
            Ok(()) => self.own.clone().oneshot(request).await.unwrap(),
            Err(refusal) => refusal,
        };
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_slice(&bytes).unwrap_or_default(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// What is done with every request before it is known whom it is for.
    async fn admit(&self, request: &mut Request<Body>) -> Result<(), Response> {
        check_origin(request.method(), request.headers(), ORIGIN.as_bytes())
            .map_err(IntoResponse::into_response)?;
        let found = self.auth.find_session(request.headers()).await;
        if let Some(session) = found.map_err(IntoResponse::into_response)? {
            request.extensions_mut().insert(session);
        }
        Ok(())
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(Method::GET, path, &Value::Null, &[]).await
    }

    /// A call from a page of ours, or of whatever `page` says.
    pub async fn call(&mut self, method: Method, path: &str, body: Value) -> Reply {
        let site = [("origin", ORIGIN), ("sec-fetch-site", "same-origin")];
        self.send(method, path, &body, &site).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, body).await
    }

    pub async fn delete(&mut self, path: &str) -> Reply {
        self.call(Method::DELETE, path, json!({})).await
    }

    pub async fn register(&mut self, username: &str) -> Reply {
        self.register_as(json!({ "username": username })).await
    }

    /// Signs up; the response is the finish's, or that of a refused start.
    pub async fn register_as(&mut self, body: Value) -> Reply {
        let start = self.post("/auth/register/start", body).await;
        if start.status != StatusCode::OK {
            return start;
        }
        let credential = self.keys.create(&start.json, self.page).unwrap();
        self.post("/auth/register/finish", credential).await
    }

    pub async fn log_in(&mut self, username: &str) -> Reply {
        self.log_in_as(json!({ "username": username })).await
    }

    /// Logs in; the response is the finish's, or that of a refused start.
    pub async fn log_in_as(&mut self, body: Value) -> Reply {
        let start = self.post("/auth/login/start", body).await;
        if start.status != StatusCode::OK {
            return start;
        }
        let credential = self.keys.get(&start.json, self.page).unwrap();
        self.post("/auth/login/finish", credential).await
    }

    /// Adds a passkey of `keys`; the response is the finish's, or that of a refused start.
    pub async fn add_passkey(&mut self, keys: &mut Authenticator, name: &str) -> Reply {
        let start = self.begin_passkey(name).await;
        if start.status != StatusCode::OK {
            return start;
        }
        let credential = keys.create(&start.json, self.page).unwrap();
        self.post("/auth/passkeys/finish", credential).await
    }

    /// From now on it visits this site, such as one after a restart.
    pub fn visit(&mut self, site: &Site) {
        (self.auth, self.own) = (site.auth.clone(), site.own.clone());
    }

    /// The creation options for one more passkey; to a session from a recovery code they are given
    /// at once.
    pub async fn begin_passkey(&mut self, name: &str) -> Reply {
        let name = json!({ "name": name });
        if self.me().await["kind"] == "full" {
            self.act("add_passkey", name).await
        } else {
            self.post("/auth/passkeys/start", name).await
        }
    }

    /// Does an act with a passkey; the response is the finish's, or that of a refused start.
    pub async fn act(&mut self, name: &str, parameters: Value) -> Reply {
        let start = self.start(name, parameters).await;
        if start.status != StatusCode::OK {
            return start;
        }
        let credential = self.keys.get(&start.json, self.page).unwrap();
        self.finish(&start, &credential).await
    }

    pub async fn start(&mut self, name: &str, mut parameters: Value) -> Reply {
        parameters["act"] = name.into();
        self.post("/auth/acts/start", parameters).await
    }

    /// Finishes the act of this start with a passkey's answer.
    pub async fn finish(&mut self, start: &Reply, credential: &Value) -> Reply {
        let order = json!({ "id": start.json["id"], "credential": credential });
        self.post("/auth/acts/finish", order).await
    }

    pub async fn me(&mut self) -> Value {
        let response = self.get("/auth/me").await;
        assert_eq!(response.status, StatusCode::OK);
        response.json
    }

    /// Who the server says that this is, if anyone.
    pub async fn user(&mut self) -> Option<String> {
        let me = self.me().await;
        me["username"].as_str().map(ToOwned::to_owned)
    }

    /// What it sends with a request that says who it is.
    pub fn headers(&self) -> HeaderMap {
        let cookies = self.cookies.iter();
        let headers = cookies.map(|(name, value)| {
            let cookie = format!("{name}={value}").parse().unwrap();
            (header::COOKIE, cookie)
        });
        headers.collect()
    }

    pub fn session_cookie(&self) -> Option<&String> {
        self.cookies.get("choiros-9090")
    }
}
