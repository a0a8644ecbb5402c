//! Finds what is well-formed but makes no sense, and says how it is mended.

mod limits;
mod origin;
mod origins;
mod paths;
mod tls;
mod workspaces;

use super::filter::filter;
use super::{Config, DEFAULT_WORKSPACE, Runtime, RuntimeKind, UNIT_PLACEHOLDER, Workspace};

/// What systemd takes as a unit's name.
const LONGEST_UNIT: usize = 255;

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
    runtime(&config.runtime)?;
    workspaces::workspaces(&config.workspaces, config.runtime.kind)?;
    Ok(config)
}

/// Two sandboxes must not be one unit, and systemd takes whole names only.
fn runtime(runtime: &Runtime) -> Verdict {
    let template = &runtime.unit;
    let whole = template.replace(UNIT_PLACEHOLDER, &"x".repeat(workspaces::LONGEST_NAME + 5));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let is_name = whole.bytes().all(allowed) && whole.len() <= LONGEST_UNIT;
    if template.matches(UNIT_PLACEHOLDER).count() != 1
        || !template.ends_with(".service")
        || !is_name
    {
        return Err(format!(
            "runtime.unit: `{template}` must have {UNIT_PLACEHOLDER} once and end with .service, such as container@{UNIT_PLACEHOLDER}.service"
        ));
    }
    if runtime.command.first().is_some_and(String::is_empty) {
        return Err(
            "runtime.command: its program has no name; give a path, or leave the key out".into(),
        );
    }
    Ok(())
}
