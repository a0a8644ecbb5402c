//! Workspaces, their members and their sandboxes.

use super::{RuntimeKind, Sandbox, Verdict, Workspace};
use crate::config::origins::DEV_SUFFIX;
use crate::http1::{is_host, is_target};
use crate::sandbox_name::is_slots;
use crate::username;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The longest workspace name: `<name>-live` must fit a container's name and host name.
pub(super) const LONGEST_NAME: usize = 48;

pub(super) fn workspaces(all: &BTreeMap<String, Workspace>, kind: RuntimeKind) -> Verdict {
    for (name, workspace) in all {
        workspace_name(name)?;
        members(name, workspace)?;
        sandboxes(name, workspace)?;
        if kind != RuntimeKind::Process {
            addressed(name, workspace)?;
        }
    }
    distinct_addresses(all)
}

fn workspace_name(name: &str) -> Verdict {
    if is_slots(name) {
        return Err(format!(
            "workspaces.{name}: the sandboxes of slots are called so; give the workspace another name"
        ));
    }
    if is_label(name) {
        return Ok(());
    }
    let why = if name.ends_with(DEV_SUFFIX) {
        format!("names that end with {DEV_SUFFIX} are those of dev sandboxes' hosts")
    } else if name == "www" {
        "people take that host for another name of the gateway's".to_owned()
    } else if is_reserved(name) {
        "hosts with hyphens as third and fourth character stand for names in other alphabets"
            .to_owned()
    } else {
        format!(
            "a name has a lowercase letter first, then lowercase letters, digits and inner hyphens, {LONGEST_NAME} at most"
        )
    };
    Err(format!(
        "workspaces.{name}: {why}; give the workspace another name"
    ))
}

/// Whether it can be the label of a workspace's host.
pub(crate) fn is_label(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.ends_with(DEV_SUFFIX)
        && !is_reserved(name)
        && name != "www"
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether it is kept for other alphabets, and for what may come (RFC 5891).
fn is_reserved(name: &str) -> bool {
    name.get(2..4) == Some("--")
}

/// Usernames, as people would type them: nobody could ever be any other.
fn members(name: &str, workspace: &Workspace) -> Verdict {
    for member in &workspace.members {
        if member.trim() != member {
            return Err(format!(
                "workspaces.{name}.members: `{}` has blanks around it; remove them",
                member.escape_debug()
            ));
        }
        if username::parse(member).is_none() {
            return Err(format!(
                "workspaces.{name}.members: `{}` can be no username; one is as a mail address is: 254 bytes of letters, digits and punctuation at most",
                member.escape_debug()
            ));
        }
    }
    Ok(())
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
        health(&here, sandbox)?;
    }
    Ok(())
}

/// How it is asked whether it is well.
pub(super) fn health(here: &str, sandbox: &Sandbox) -> Verdict {
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
            "{here}.health_status: no response has the status {status}; give one from 200 to 599, or none for any 2xx"
        ));
    }
    if let Some(host) = &sandbox.health_host
        && !is_host(host.as_bytes())
    {
        return Err(format!(
            "{here}.health_host: `{host}` is no host; give a name or an address, perhaps with a port, such as localhost or app.example:8080"
        ));
    }
    Ok(())
}

/// Where the declared sandboxes listen.
pub(super) fn listen_at(
    workspaces: &BTreeMap<String, Workspace>,
) -> impl Iterator<Item = (SocketAddr, String)> {
    workspaces.iter().flat_map(|(name, workspace)| {
        let both = [("live", &workspace.live), ("dev", &workspace.dev)];
        both.into_iter().flat_map(move |(role, sandbox)| {
            let places = sandbox.listens().into_iter().flat_map(|it| it.places());
            places.map(move |place| (place, format!("workspaces.{name}.{role}")))
        })
    })
}

fn distinct_addresses(workspaces: &BTreeMap<String, Workspace>) -> Verdict {
    let mut seen: BTreeMap<SocketAddr, String> = BTreeMap::new();
    for (place, here) in listen_at(workspaces) {
        if let Some(other) = seen.insert(place, here.clone()) {
            return Err(format!(
                "{here}: {place} is already that of {other}; give each sandbox its own"
            ));
        }
    }
    Ok(())
}
