//! Finds what is well-formed but makes no sense, and says how it is mended.

mod cluster;
mod limits;
mod origin;
mod origins;
mod paths;
mod runtime;
mod slots;
mod store;
mod tls;
mod workspaces;

use super::filter::filter;
use super::{Config, DEFAULT_WORKSPACE, Runtime, RuntimeKind, Sandbox, Workspace};

pub(crate) use workspaces::is_label as is_workspace_label;

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
    if config.server.listen.port() == 0 {
        return Err("server.listen: browsers need to know the port; give one that is not 0".into());
    }
    origin::origin(&config)?;
    origins::origins(&config)?;
    tls::tls(&config)?;
    limits::limits(&config)?;
    paths::paths(&config)?;
    filter(&config.log.filter)?;
    store::store(&config.store)?;
    cluster::cluster(&config)?;
    runtime::runtime(&config.runtime)?;
    workspaces::workspaces(&config.workspaces, config.runtime.kind)?;
    config.slots.read()?;
    slots::slots(&config)?;
    Ok(config)
}
