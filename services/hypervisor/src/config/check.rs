//! Finds what is well-formed but makes no sense, and says how it is mended.

use super::{Config, DEFAULT_WORKSPACE, RuntimeKind, Workspace};
use crate::runtime::PLACEHOLDER;
use crate::server::{is_host, is_target};
use crate::unix_socket::LONGEST_PATH;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use url::{Host, Url};

/// The longest workspace name: `<name>-live` must fit a container's name and host name.
const LONGEST_NAME: usize = 48;

type Verdict = Result<(), String>;

/// The configuration, completed, if every part of it makes sense together.
pub(super) fn check(mut config: Config) -> Result<Config, String> {
    config
        .workspaces
        .entry(DEFAULT_WORKSPACE.into())
        .or_default();
    if let Some(port) = config.server.port {
        config.server.listen.set_port(port);
    }
    origin(&config)?;
    limits(&config)?;
    sockets(&config)?;
    unit(&config.runtime.unit)?;
    for (name, workspace) in &config.workspaces {
        workspace_name(name)?;
        sandboxes(name, workspace)?;
        if config.runtime.kind != RuntimeKind::Process {
            addressed(name, workspace)?;
        }
    }
    distinct_addresses(&config.workspaces)?;
    distinct_members(&config.workspaces)?;
    Ok(config)
}

/// Browsers refuse passkeys whose RP ID is not the origin's host or a parent of it, and any
/// origin that is neither https nor localhost; better to say so before anyone tries.
fn origin(config: &Config) -> Verdict {
    let origin = config.origin();
    let rp_id = &config.auth.rp_id;
    let Some(Host::Domain(host)) = origin.host() else {
        return Err(format!(
            "auth.origin: {origin} has no domain name; passkeys need one, such as http://localhost:9090"
        ));
    };
    if !bare(&origin) {
        return Err(format!(
            "auth.origin: {origin} must be scheme, host and port only, such as https://{host}"
        ));
    }
    let local = host == "localhost" || host.ends_with(".localhost");
    if origin.scheme() != "https" && !(origin.scheme() == "http" && local) {
        return Err(format!(
            "auth.origin: {origin} must be https; browsers allow passkeys over http on localhost alone"
        ));
    }
    if host != rp_id && !host.ends_with(&format!(".{rp_id}")) {
        return Err(format!(
            "auth.rp_id: `{rp_id}` is neither `{host}`, the host of auth.origin, nor a parent domain of it; set it to `{host}`"
        ));
    }
    Ok(())
}

fn bare(origin: &Url) -> bool {
    origin.path() == "/"
        && origin.query().is_none()
        && origin.fragment().is_none()
        && origin.username().is_empty()
        && origin.password().is_none()
}

fn limits(config: &Config) -> Verdict {
    let positive = [
        (
            "server.max_connections",
            config.server.max_connections as u64,
        ),
        ("server.header_read_secs", config.server.header_read_secs),
        ("server.idle_secs", config.server.idle_secs),
        ("server.write_idle_secs", config.server.write_idle_secs),
        ("auth.session_days", config.auth.session_days),
        ("auth.step_up_secs", config.auth.step_up_secs),
        ("auth.ceremony_secs", config.auth.ceremony_secs),
        ("auth.invite_hours", config.auth.invite_hours),
        ("auth.rate_per_address", config.auth.rate_per_address.into()),
        ("auth.rate_per_account", config.auth.rate_per_account.into()),
        ("proxy.connect_secs", config.proxy.connect_secs),
        ("proxy.response_secs", config.proxy.response_secs),
        ("proxy.body_idle_secs", config.proxy.body_idle_secs),
        ("proxy.max_body_bytes", config.proxy.max_body_bytes),
        ("proxy.max_requests", config.proxy.max_requests as u64),
        (
            "proxy.max_requests_per_sandbox",
            config.proxy.max_requests_per_sandbox as u64,
        ),
        (
            "proxy.max_requests_per_user",
            config.proxy.max_requests_per_user as u64,
        ),
        ("runtime.start_secs", config.runtime.start_secs),
        ("runtime.probe_secs", config.runtime.probe_secs),
        (
            "runtime.probe_timeout_secs",
            config.runtime.probe_timeout_secs,
        ),
    ];
    if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
        return Err(format!("{key}: 0 would refuse everything; give 1 or more"));
    }
    if config.auth.ceremony_secs > 300 {
        return Err("auth.ceremony_secs: a ceremony lasts 300 seconds at most".into());
    }
    if config.server.max_header_bytes < 8192 {
        return Err("server.max_header_bytes: browsers need 8192 or more".into());
    }
    Ok(())
}

/// The system takes no longer path for a Unix socket, and would say so only at the start.
fn sockets(config: &Config) -> Verdict {
    let control = config.control_socket();
    let proxy = config.server.proxy_socket.as_deref();
    let named = [
        ("server.control_socket", Some(control.as_path())),
        ("server.proxy_socket", proxy),
    ];
    for (key, path) in named {
        let Some(path) = path else { continue };
        let bytes = path.as_os_str().as_bytes();
        if bytes.is_empty() || bytes.contains(&0) {
            return Err(format!(
                "{key}: that is no path; give one, such as /run/choiros/x.sock"
            ));
        }
        if bytes.len() > LONGEST_PATH {
            return Err(format!(
                "{key}: {} has {} bytes, and the path of a Unix socket has {LONGEST_PATH} at most; give a shorter one",
                path.display(),
                bytes.len()
            ));
        }
    }
    if proxy == Some(&control) {
        return Err(format!(
            "server.proxy_socket: {} is the operator's socket; give another path",
            control.display()
        ));
    }
    Ok(())
}

fn workspace_name(name: &str) -> Verdict {
    let fits = !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fits {
        return Ok(());
    }
    Err(format!(
        "workspaces.{name}: a name has a lowercase letter first, then lowercase letters, digits and inner hyphens, {LONGEST_NAME} at most"
    ))
}

/// Two sandboxes must not be one unit, and systemd takes whole names only.
fn unit(template: &str) -> Verdict {
    if template.matches(PLACEHOLDER).count() == 1 && template.ends_with(".service") {
        return Ok(());
    }
    Err(format!(
        "runtime.unit: `{template}` must have {PLACEHOLDER} once and end with .service, such as container@{PLACEHOLDER}.service"
    ))
}

/// What is not started from here has no address that we could choose.
fn addressed(name: &str, workspace: &Workspace) -> Verdict {
    for (role, sandbox) in [("live", &workspace.live), ("dev", &workspace.dev)] {
        if sandbox.listens().is_none() {
            return Err(format!(
                "workspaces.{name}.{role}: runtime.kind is not `process`, so it needs `address`, such as \"10.233.1.2:8080\" (or `port` on localhost)"
            ));
        }
    }
    Ok(())
}

/// What the probes would find out one by one.
fn sandboxes(name: &str, workspace: &Workspace) -> Verdict {
    for (role, sandbox) in [("live", &workspace.live), ("dev", &workspace.dev)] {
        let here = format!("workspaces.{name}.{role}");
        if sandbox.listens().is_some_and(|address| address.port() == 0) {
            return Err(format!(
                "{here}: nothing can be reached at port 0; give its port"
            ));
        }
        let path = &sandbox.health_path;
        if !path.starts_with('/') || !path.bytes().all(is_target) {
            return Err(format!(
                "{here}.health_path: `{path}` is no path; it begins with a slash and has no blanks, such as /health"
            ));
        }
        if let Some(status) = sandbox.health_status
            && !(200..600).contains(&status)
        {
            return Err(format!(
                "{here}.health_status: no answer has the status {status}; give one from 200 to 599, or none for any 2xx"
            ));
        }
        if let Some(host) = &sandbox.health_host
            && !is_host(host.as_bytes())
        {
            return Err(format!(
                "{here}.health_host: `{host}` is no host, such as localhost or app.example:8080"
            ));
        }
    }
    Ok(())
}

fn distinct_addresses(workspaces: &BTreeMap<String, Workspace>) -> Verdict {
    let mut seen: BTreeMap<SocketAddr, String> = BTreeMap::new();
    for (name, workspace) in workspaces {
        for (role, sandbox) in [("live", &workspace.live), ("dev", &workspace.dev)] {
            let Some(address) = sandbox.listens() else {
                continue;
            };
            let here = format!("workspaces.{name}.{role}");
            for place in address.places() {
                if let Some(other) = seen.insert(place, here.clone()) {
                    return Err(format!(
                        "{here}: {place} is already that of {other}; give each sandbox its own"
                    ));
                }
            }
        }
    }
    Ok(())
}

fn distinct_members(workspaces: &BTreeMap<String, Workspace>) -> Verdict {
    let mut seen = BTreeMap::new();
    for (name, workspace) in workspaces {
        for member in &workspace.members {
            if let Some(other) = seen.insert(member.to_lowercase(), name) {
                return Err(format!(
                    "workspaces.{name}.members: {member} is already a member of {other}; a user has one workspace"
                ));
            }
        }
    }
    Ok(())
}
