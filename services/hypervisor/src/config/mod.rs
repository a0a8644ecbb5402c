//! What an operator sets: one TOML file, with the environment over it.
//!
//! [`Config`] is the file's shape and its defaults, `load` reads file and environment, `check`
//! finds what is well-formed but makes no sense.

mod address;
mod check;
mod cluster;
mod defaults;
mod filter;
mod load;
mod networks;
mod origins;
#[cfg(test)]
mod page;
mod postgres;
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
pub use cluster::Cluster;
pub(crate) use filter::{AUDIT, filter};
pub use load::{ConfigError, load};
pub(crate) use origins::DEV_SUFFIX;
pub use origins::Origins;
pub(crate) use postgres::server as postgres_server;
pub use slots::Slots;
pub use tls::{Acme, Tls};

/// The whole configuration. Every key has a default that serves a laptop.
///
/// The comments of these types are what docs/configuration.md says of each key.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who may sign up.
    pub registration: Registration,
    /// Whose origin the pages of a sandbox have.
    pub origins: Origins,
    /// With `origins = "own"`: the domain below which the sandboxes are, as `<workspace>.` and
    /// `<workspace>-dev.` before it. Without it, the host of `auth.origin`.
    pub sandbox_domain: Option<String>,
    /// With `origins = "shared"`: the path below which the gateway's own pages are, such as
    /// `/.choiros`, so that an app's `/login` or `/health` is its own. Without it, they are at the
    /// top, before the sandbox's.
    pub gateway_prefix: Option<String>,
    /// See [`Server`].
    pub server: Server,
    /// See [`Tls`].
    pub tls: Tls,
    /// See [`Auth`].
    pub auth: Auth,
    /// See [`Store`].
    pub store: Store,
    /// See [`Cluster`].
    pub cluster: Cluster,
    /// See [`Proxy`].
    pub proxy: Proxy,
    /// See [`Runtime`].
    pub runtime: Runtime,
    /// See [`Shell`].
    pub shell: Shell,
    /// See [`Log`].
    pub log: Log,
    /// See [`Slots`].
    pub slots: Slots,
    /// Declared workspaces, by name; see [`Workspace`].
    pub workspaces: BTreeMap<String, Workspace>,
}

/// Who may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Whoever has an invite; the first start prints one for the admin.
    Invite,
    /// Anyone who reaches the gateway.
    Open,
    /// Nobody.
    Closed,
}

/// Where the gateway listens, what it grants a client, and whom it believes.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The address and the port at which HTTP is served, over TLS if there is a `[tls]`.
    #[serde(deserialize_with = "address::listener")]
    pub listen: SocketAddr,
    /// Another port than that of `listen`.
    pub port: Option<u16>,
    /// The Unix socket at which the operator's commands reach the gateway. Without it,
    /// `control.sock` beside the store.
    pub control_socket: Option<PathBuf>,
    /// A Unix socket at which HTTP is served, too, for a proxy in front. Whoever may open it (the
    /// gateway's user and group) is believed what it says of its clients in `X-Forwarded-*`.
    pub proxy_socket: Option<PathBuf>,
    /// Addresses and networks, such as `192.0.2.0/24`, from which `X-Forwarded-*` is believed of
    /// whoever connects over TCP.
    #[serde(deserialize_with = "networks::deserialize")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub trusted_proxies: Vec<IpNet>,
    /// How many connections of clients may be open; one more is answered 503 at once.
    pub max_connections: usize,
    /// How many bytes a request's head may have; 8192 at least.
    pub max_header_bytes: usize,
    /// How many seconds a request's head may take to arrive, from its first byte.
    pub header_read_secs: u64,
    /// How many seconds a connection may stay open without a request.
    pub idle_secs: u64,
    /// For how many seconds a client may take nothing of what is sent to it.
    pub write_idle_secs: u64,
    /// For how many seconds SIGTERM waits for requests that sandboxes are answering.
    pub shutdown_secs: u64,
    /// A file with the bearer token that opens `/metrics` beyond loopback. Without it, `/metrics` is
    /// for loopback alone.
    pub metrics_token_file: Option<PathBuf>,
}

/// Passkeys and sessions.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// The domain that passkeys are bound to: the host of `origin`, or a parent domain of it. It is
    /// kept in the store, and can't be changed once somebody has a passkey.
    pub rp_id: String,
    /// What the browser's address bar shows of the gateway: scheme, host and, if it is not the
    /// scheme's own, port. Without it, `http://localhost:<port>`, or with `[tls]`
    /// `https://localhost:<port>`.
    pub origin: Option<Url>,
    /// The name that a passkey prompt shows.
    pub rp_name: String,
    /// Whether a log-in may say that there is no account with that name.
    pub reveal_accounts: bool,
    /// How many days a session is good for.
    pub session_days: u64,
    /// How many seconds registering or using a passkey may take; 300 at most.
    pub ceremony_secs: u64,
    /// How many hours an invite is good for.
    pub invite_hours: u64,
    /// How many days the audit log goes back; 0 for ever.
    pub audit_days: u64,
    /// How many log-ins, registrations and the like one address may try in a minute.
    pub rate_per_address: u32,
    /// How many log-ins and recoveries may be tried at one account in a minute.
    pub rate_per_account: u32,
}

/// Where accounts, sessions and routes are kept.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The `SQLite` file. It is made if it is not there. With `url`, only its folder counts, as the
    /// place of what belongs to this machine alone.
    pub path: PathBuf,
    /// A PostgreSQL database instead, as `postgres://user@host:5432/database`, which the gateways of
    /// several machines may share (`[cluster]`). Over a network it is reached by TLS alone.
    pub url: Option<String>,
    /// The file that has the password for `url`, if one is needed.
    pub password_file: Option<PathBuf>,
    /// The roots, as a PEM file, that the certificate of `url`'s server leads to. Without it, those
    /// that this machine trusts.
    pub ca_file: Option<PathBuf>,
    /// How many connections to `url` there are at most.
    pub max_connections: usize,
    /// How many seconds a statement at `url` may take.
    pub timeout_secs: u64,
    /// For how many seconds people who are known go on while `url` cannot be reached. With 0, they
    /// get 503 within two seconds, so that what others change meanwhile holds everywhere.
    pub grace_secs: u64,
}

/// How requests are carried to a sandbox.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Proxy {
    /// How many seconds connecting to a sandbox may take.
    pub connect_secs: u64,
    /// How many seconds a sandbox may take to begin its response.
    pub response_secs: u64,
    /// After how many seconds without a byte a body, of a request or of a response, is given up.
    pub body_idle_secs: u64,
    /// How many bytes a request's body may have.
    pub max_body_bytes: u64,
    /// How many bytes a response's head may have; from 8192 to 16777216.
    pub max_response_header_bytes: usize,
    /// How many requests may be under way, with those that wait for a sandbox, and with open
    /// WebSockets and event streams; one more is answered 503 at once.
    pub max_requests: usize,
    /// As `max_requests`, of one sandbox.
    pub max_requests_per_sandbox: usize,
    /// As `max_requests`, of one user.
    pub max_requests_per_user: usize,
    /// How many seconds an unused connection to a sandbox is kept; 0 for not at all.
    pub pool_idle_secs: u64,
    /// How many unused connections to sandboxes are kept at most.
    pub max_pooled_connections: usize,
}

/// What runs the sandboxes.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Runtime {
    /// What starts and stops sandboxes, and finds them.
    pub kind: RuntimeKind,
    /// With `process`: the program that a sandbox runs, and its arguments. Without them, the program
    /// `sandbox` beside this one. It is the first release of each workspace, and each change of it
    /// is one more.
    pub command: Vec<String>,
    /// With `process`: the folder below which each sandbox's `/data` is made.
    pub data_dir: PathBuf,
    /// With `systemd`: the unit of a sandbox, whose name stands in the place of `{sandbox}`. polkit
    /// must let the gateway's user start and stop it.
    pub unit: String,
    /// With `systemd`: the folder in which each workspace has a folder of its own, with a link
    /// `release-<number>-link` to each release, and a link to one of those for each sandbox. It
    /// goes with `release_unit`.
    pub releases_dir: Option<PathBuf>,
    /// With `systemd`: the unit that leads a sandbox's link to another release: the sandbox's name in
    /// the place of `{sandbox}`, the release's number in that of `{order}`.
    pub release_unit: Option<String>,
    /// With `systemd`: the unit that copies and replaces a sandbox's volume: its name in the place of
    /// `{sandbox}`, what to do in that of `{order}`.
    pub volume_unit: Option<String>,
    /// With `systemd`: the folder in which `volume_unit` says how it went, as
    /// `<sandbox>/<order>.json`.
    pub results_dir: Option<PathBuf>,
    /// With `systemd`: the folder in which each sandbox has a folder of its own, with the Unix socket
    /// on which `volume_unit` takes the stream of a volume that goes to another machine, or comes.
    pub streams_dir: Option<PathBuf>,
    /// With `systemd`: the control group of a sandbox, whose name stands in the place of `{sandbox}`;
    /// the kernel's files in there say what it uses, and what it may.
    pub cgroup: String,
    /// With `systemd`: the Unix socket on which the host tells what sandboxes wrote to its journal.
    pub logs_socket: PathBuf,
    /// With `process`: the folder below which backups of the sandboxes' data are made, best on
    /// another disk. With `systemd`: where the unit makes them, for their age to be told.
    pub backups_dir: Option<PathBuf>,
    /// For how many days a workspace's data are kept after its last member was removed; 0 for ever.
    pub archive_days: u64,
    /// A file whose one line is `sealed` while the host keeps the sandboxes apart, and else says why
    /// not. While it says anything else, no sandbox is started.
    pub seal_file: Option<PathBuf>,
    /// After how many seconds without a request a sandbox is stopped; 0 for never.
    pub idle_secs: u64,
    /// The roles in which a sandbox is stopped when nobody uses it.
    pub idle_roles: Vec<Role>,
    /// How many seconds a sandbox may take to become healthy.
    pub start_secs: u64,
    /// How many seconds a sandbox has from SIGTERM to SIGKILL.
    pub stop_secs: u64,
    /// For how many seconds requests may be held while a release or a volume is changed; 3 at least,
    /// a third for each part of a promotion. A change that takes longer is taken back.
    pub hold_secs: u64,
    /// How many seconds there are between two questions whether a running sandbox is healthy.
    pub probe_secs: u64,
    /// How many seconds it may take to answer one.
    pub probe_timeout_secs: u64,
    /// After how many crashes in a row a sandbox is left alone, as `failed`.
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
#[cfg_attr(test, derive(Serialize, schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RuntimeKind {
    /// Each sandbox is a child process.
    Process,
    /// Each sandbox is a unit of systemd's, which is started and stopped; its address is in the
    /// configuration.
    Systemd,
    /// Something else runs the sandboxes; their addresses are in the configuration.
    Adopt,
}

/// The looks of the gateway's pages.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Shell {
    /// A folder whose files stand in for the embedded ones of the same name.
    pub dir: Option<PathBuf>,
}

/// What is written to standard error.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Levels (`error`, `warn`, `info`, `debug`, `trace`, `off`): one for all, and others for parts,
    /// such as `info,hypervisor=debug`. The audit log is written unless `audit` is named.
    pub filter: String,
    /// Whether each line is a JSON object instead of text.
    pub json: bool,
    /// Whether there is a JSON object for each request that has ended, too: without queries, cookies
    /// and tokens.
    pub access: bool,
}

/// A declared workspace; that of the name `sandbox` is always there.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Workspace {
    /// The names of the users who own it, each of which takes an invite for that name to sign up
    /// with. Without any, the next new user without a workspace owns it.
    pub members: Vec<String>,
    /// The sandbox that is born live; see [`Sandbox`].
    pub live: Sandbox,
    /// The sandbox that is born dev; see [`Sandbox`].
    pub dev: Sandbox,
}

/// Where a declared sandbox is, and how it is asked whether it is healthy.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// The address and the port at which it listens, such as `10.233.1.2:8080`; at
    /// `localhost:8080` it is looked for in either family. With `adopt` and `systemd` there has to
    /// be one, or a `port`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub address: Option<Address>,
    /// Its port on `localhost`, in place of `address`. Without it, `process` takes a free one.
    pub port: Option<u16>,
    /// The path that is asked whether it is healthy.
    pub health_path: String,
    /// The status that says that it is. Without it, any 2xx.
    pub health_status: Option<u16>,
    /// The `Host` that it is asked by, for services that know some names alone. Without it, its
    /// address.
    pub health_host: Option<String>,
    /// Whether the health response must name the sandbox and its role, as that of our sandbox
    /// service does; `false` for a web service of your own. A command that was added by
    /// `hypervisor release add` need not, but may not name another one.
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
