//! What an operator sets: one TOML file, with the environment over it.
//!
//! [`Config`] is the file's shape and its defaults, `load` reads file and environment, `check`
//! finds what is well-formed but makes no sense.

mod address;
mod check;
mod defaults;
mod filter;
mod load;
mod networks;
mod origins;
mod slots;
mod tls;

use crate::role::Role;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

pub use address::Address;
pub(crate) use check::is_workspace_label;
pub(crate) use filter::{AUDIT, filter};
pub use load::{ConfigError, load};
pub(crate) use origins::DEV_SUFFIX;
pub use origins::Origins;
pub use slots::Slots;
pub use tls::{Acme, Tls};

/// The whole configuration. Every key has a default that serves a laptop.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who may sign up.
    pub registration: Registration,
    /// Whether each sandbox has an origin of its own, or all share the gateway's.
    pub origins: Origins,
    /// `own`: the domain below which the sandboxes are, as `<workspace>` and `<workspace>-dev`; by
    /// default the host of `auth.origin`.
    pub sandbox_domain: Option<String>,
    /// `shared`: the path below which the gateway's own pages are, such as `/.choiros`; by default
    /// they are at the top, before the sandbox's.
    pub gateway_prefix: Option<String>,
    /// Listener, limits and trusted peers.
    pub server: Server,
    /// The certificate, where this program ends TLS itself.
    pub tls: Tls,
    /// Passkeys and sessions.
    pub auth: Auth,
    /// Where accounts, sessions and routes are kept.
    pub store: Store,
    /// How requests are carried to a sandbox.
    pub proxy: Proxy,
    /// What runs the sandboxes.
    pub runtime: Runtime,
    /// The auth shell's looks.
    pub shell: Shell,
    /// What is written to standard error.
    pub log: Log,
    /// Sandboxes that are ready for workspaces to come.
    pub slots: Slots,
    /// Declared workspaces, by name. The default one is `sandbox`.
    pub workspaces: BTreeMap<String, Workspace>,
}

/// Who may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Only with an invite; the first start prints one for the admin.
    Invite,
    /// Anyone who reaches the server.
    Open,
    /// Nobody.
    Closed,
}

/// `[server]`: listener, limits and trusted peers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Where HTTP is served, over TLS if there is a `[tls]`.
    #[serde(deserialize_with = "address::listener")]
    pub listen: SocketAddr,
    /// Another port than that of `listen`.
    pub port: Option<u16>,
    /// The operator's Unix socket; by default `control.sock` beside the store.
    pub control_socket: Option<PathBuf>,
    /// A Unix socket at which HTTP is served, too, to proxies: whoever may open it is believed
    /// what it says in `X-Forwarded-*`. It is for this program's user and group.
    pub proxy_socket: Option<PathBuf>,
    /// Peers over TCP whose `X-Forwarded-*` is believed (addresses or CIDRs).
    #[serde(deserialize_with = "networks::deserialize")]
    pub trusted_proxies: Vec<IpNet>,
    /// Open connections at most; one more is answered 503 at once.
    pub max_connections: usize,
    /// Bytes of a request's head at most.
    pub max_header_bytes: usize,
    /// Seconds for a request's head to arrive, from its first byte.
    pub header_read_secs: u64,
    /// Seconds that a connection may stay without a request.
    pub idle_secs: u64,
    /// Seconds that a client may take nothing of what is sent to it.
    pub write_idle_secs: u64,
    /// Seconds that a shutdown waits for claimed requests.
    pub shutdown_secs: u64,
    /// A file with the bearer token that opens `/metrics` beyond loopback.
    pub metrics_token_file: Option<PathBuf>,
}

/// `[auth]`: passkeys and sessions.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// The domain that passkeys are bound to. It cannot be changed later.
    pub rp_id: String,
    /// The address in the browser's bar; by default `http://localhost:<port>`, or `https://…`
    /// with `[tls]`.
    pub origin: Option<Url>,
    /// The name that a passkey prompt shows.
    pub rp_name: String,
    /// Whether a log-in may say that an address has no account.
    pub reveal_accounts: bool,
    /// Days until a session ends.
    pub session_days: u64,
    /// Seconds that a passkey ceremony may take (300 at most).
    pub ceremony_secs: u64,
    /// Hours until an invite ends.
    pub invite_hours: u64,
    /// Days that the audit log goes back; 0 for ever.
    pub audit_days: u64,
    /// Auth requests a minute from one address.
    pub rate_per_address: u32,
    /// Attempts a minute at one account.
    pub rate_per_account: u32,
}

/// `[store]`: where accounts, sessions and routes are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The `SQLite` file.
    pub path: PathBuf,
}

/// `[proxy]`: how requests are carried to a sandbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proxy {
    /// Seconds for a connection to a sandbox.
    pub connect_secs: u64,
    /// Seconds until a sandbox must have begun its response.
    pub response_secs: u64,
    /// Seconds without a byte after which a body, either way, is given up.
    pub body_idle_secs: u64,
    /// Bytes of a request's body at most.
    pub max_body_bytes: u64,
    /// Bytes of a response's head at most.
    pub max_response_header_bytes: usize,
    /// Requests under way at most, open WebSockets and event streams included; one more is
    /// answered 503 at once.
    pub max_requests: usize,
    /// The same, in one sandbox.
    pub max_requests_per_sandbox: usize,
    /// The same, of one user.
    pub max_requests_per_user: usize,
    /// Seconds that an unused connection to a sandbox is kept.
    pub pool_idle_secs: u64,
    /// Unused connections to sandboxes that are kept at most.
    pub max_pooled_connections: usize,
}

/// `[runtime]`: what runs the sandboxes.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Runtime {
    /// The backend.
    pub kind: RuntimeKind,
    /// `process`: the sandbox's program and arguments; by default the `sandbox` beside this one.
    /// It is the first release of each workspace, and each change of it is one more.
    pub command: Vec<String>,
    /// `process`: each sandbox's `/data` is made below this folder.
    pub data_dir: PathBuf,
    /// `systemd`: the unit of a sandbox, whose name stands in the place of `{sandbox}`.
    pub unit: String,
    /// `systemd`: the folder in which each workspace has a folder of its own, with a link
    /// `release-<number>-link` to each release, and a link to one of those for each sandbox.
    pub releases_dir: Option<PathBuf>,
    /// `systemd`: the unit that leads a sandbox's link to another release: the sandbox's name in
    /// the place of `{sandbox}`, the release's number in that of `{order}`.
    pub release_unit: Option<String>,
    /// `systemd`: the unit that copies and replaces a sandbox's volume: its name in the place of
    /// `{sandbox}`, what to do in that of `{order}`.
    pub volume_unit: Option<String>,
    /// `systemd`: the folder in which that unit says how it went, as `<sandbox>/<order>.json`.
    pub results_dir: Option<PathBuf>,
    /// `systemd`: the control group of a sandbox, whose name stands in the place of `{sandbox}`: the
    /// kernel's files in there say what it uses, and may.
    pub cgroup: String,
    /// `systemd`: the Unix socket on which the host tells what sandboxes wrote to its journal.
    pub logs_socket: PathBuf,
    /// `process`: backups of sandboxes' data are made below this folder, which is best on another
    /// disk. `systemd`: where the unit makes them, for their age to be told.
    pub backups_dir: Option<PathBuf>,
    /// Days for which a workspace's data are kept after its last member was removed; 0 for ever.
    pub archive_days: u64,
    /// A file whose one line is `sealed` while the host's seal around the sandboxes holds, and
    /// else says why not. While it does not, no sandbox is started.
    pub seal_file: Option<PathBuf>,
    /// Seconds without a request after which a sandbox is stopped; 0 for never.
    pub idle_secs: u64,
    /// The roles in which a sandbox is stopped when idle.
    pub idle_roles: Vec<Role>,
    /// Seconds for a sandbox to become healthy.
    pub start_secs: u64,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_secs: u64,
    /// Seconds for which requests may be held while a release or a volume is changed; a change that
    /// takes longer is taken back.
    pub hold_secs: u64,
    /// Seconds between probes of a running sandbox.
    pub probe_secs: u64,
    /// Seconds that one probe may take.
    pub probe_timeout_secs: u64,
    /// Crashes in a row after which a sandbox is `failed`.
    pub max_restarts: u32,
}

/// What stands for the sandbox's name in `runtime.unit` and those below it.
pub(crate) const UNIT_PLACEHOLDER: &str = "{sandbox}";

/// What stands for a slot's number in the units of `slots`.
pub(crate) const SLOT_PLACEHOLDER: &str = "{slot}";

/// What stands for what is to be done in `runtime.release_unit` and `runtime.volume_unit`.
pub(crate) const ORDER_PLACEHOLDER: &str = "{order}";

/// The backend that starts, stops and finds sandboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeKind {
    /// Something else runs the sandboxes; their addresses are in the config.
    Adopt,
    /// Each sandbox is a child process.
    Process,
    /// Each sandbox is a unit that systemd runs; their addresses are in the config.
    Systemd,
}

/// `[shell]`: the auth shell's looks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shell {
    /// A folder whose files stand in for the embedded ones of the same name.
    pub dir: Option<PathBuf>,
}

/// `[log]`: what is written to standard error.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `tracing` directives, such as `info,hypervisor=debug`.
    pub filter: String,
    /// One JSON object a line instead of text.
    pub json: bool,
    /// A line of JSON for each request, too, once it is over.
    pub access: bool,
}

/// `[workspaces.<name>]`: a declared workspace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workspace {
    /// Usernames that own it; without any, the next new user without a workspace does.
    pub members: Vec<String>,
    /// The sandbox that is born live.
    pub live: Sandbox,
    /// The sandbox that is born dev.
    pub dev: Sandbox,
}

/// `[workspaces.<name>.live]` and `.dev`: one declared sandbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// Where it listens; `adopt` and `systemd` need it (or `port`).
    pub address: Option<Address>,
    /// Its port on localhost, in either family; `process` takes a free one by default.
    pub port: Option<u16>,
    /// The path that is asked whether it is healthy.
    pub health_path: String,
    /// The status that says that it is; by default any 2xx.
    pub health_status: Option<u16>,
    /// The `Host` that it is asked by, for services that know some names alone; by default its
    /// address.
    pub health_host: Option<String>,
    /// Whether `/health` must name the sandbox and its instance role, as our sandbox
    /// service's does. Off for a web service of your own.
    pub identity: bool,
}

/// The name of the workspace that there always is.
pub const DEFAULT_WORKSPACE: &str = "sandbox";

impl Config {
    /// The origin that browsers must come from.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "a literal host and a u16 port always parse"
    )]
    pub fn origin(&self) -> Url {
        let port = self.server.listen.port();
        let scheme = if self.tls.is_on() { "https" } else { "http" };
        self.auth.origin.clone().unwrap_or_else(|| {
            Url::parse(&format!("{scheme}://localhost:{port}")).expect("a valid URL")
        })
    }

    /// The operator's Unix socket.
    pub fn control_socket(&self) -> PathBuf {
        self.server
            .control_socket
            .clone()
            .unwrap_or_else(|| self.store.path.with_file_name("control.sock"))
    }

    /// The folder of what `tls.acme` needs to keep.
    pub fn acme_dir(&self) -> PathBuf {
        let set = self.tls.acme.as_ref().and_then(|acme| acme.dir.clone());
        set.unwrap_or_else(|| self.store.path.with_file_name("acme"))
    }
}

impl Sandbox {
    /// Where the config says that it listens.
    pub fn listens(&self) -> Option<Address> {
        self.address.or_else(|| self.port.map(Address::Localhost))
    }
}
