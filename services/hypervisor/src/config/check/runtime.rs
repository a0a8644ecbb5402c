//! `[runtime]`: names of units, and keys that go together.

use super::{Runtime, Verdict, workspaces};
use crate::config::{ORDER_PLACEHOLDER, SLOT_PLACEHOLDER, UNIT_PLACEHOLDER};
use std::path::{Component, Path};

/// What systemd takes as a unit's name.
const LONGEST_UNIT: usize = 255;
/// `<workspace>-live`, and as long as that can be.
const LONGEST_SANDBOX: usize = workspaces::LONGEST_NAME + 5;
/// A slot's number, and as long as that can be.
const LONGEST_SLOT: &str = "8000";
/// `replace:<sandbox>:<snapshot>:<snapshot>`, and as long as that can be.
const LONGEST_ORDER: usize = LONGEST_SANDBOX + 52;

pub(super) fn runtime(runtime: &Runtime) -> Verdict {
    let example = format!("container@{UNIT_PLACEHOLDER}.service");
    unit("runtime.unit", &runtime.unit, &[UNIT_PLACEHOLDER], &example)?;
    for (key, template, name) in [
        ("runtime.release_unit", &runtime.release_unit, "release"),
        ("runtime.volume_unit", &runtime.volume_unit, "volume"),
    ] {
        let Some(template) = template else { continue };
        let placeholders = [UNIT_PLACEHOLDER, ORDER_PLACEHOLDER];
        let example = format!("choiros-{name}-{UNIT_PLACEHOLDER}@{ORDER_PLACEHOLDER}.service");
        unit(key, template, &placeholders, &example)?;
    }
    together(
        ("runtime.releases_dir", runtime.releases_dir.is_some()),
        ("runtime.release_unit", runtime.release_unit.is_some()),
    )?;
    together(
        ("runtime.results_dir", runtime.results_dir.is_some()),
        ("runtime.volume_unit", runtime.volume_unit.is_some()),
    )?;
    if runtime.streams_dir.is_some() && runtime.volume_unit.is_none() {
        return Err(
            "runtime.volume_unit: runtime.streams_dir is of no use without it; set both, or leave both out"
                .into(),
        );
    }
    cgroup(&runtime.cgroup)?;
    if runtime.command.first().is_some_and(String::is_empty) {
        return Err(
            "runtime.command: its program has no name; give a path, or leave the key out".into(),
        );
    }
    Ok(())
}

/// Two sandboxes must not be one unit, and systemd takes whole names only.
pub(super) fn unit(key: &str, template: &str, placeholders: &[&str], example: &str) -> Verdict {
    let whole = template
        .replace(UNIT_PLACEHOLDER, &"x".repeat(LONGEST_SANDBOX))
        .replace(SLOT_PLACEHOLDER, LONGEST_SLOT)
        .replace(ORDER_PLACEHOLDER, &"x".repeat(LONGEST_ORDER));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let is_name = whole.bytes().all(allowed) && whole.len() <= LONGEST_UNIT;
    let once = |it: &&str| template.matches(*it).count() == 1;
    if placeholders.iter().all(once) && template.ends_with(".service") && is_name {
        return Ok(());
    }
    Err(format!(
        "{key}: `{template}` must have {} once and end with .service, such as {example}",
        placeholders.join(" and ")
    ))
}

/// One place for each sandbox, and no way out of it.
fn cgroup(template: &str) -> Verdict {
    let path = Path::new(template);
    let parts = path.components().skip(1);
    let is_plain = path.is_absolute()
        && parts
            .into_iter()
            .all(|it| matches!(it, Component::Normal(_)));
    if is_plain && template.matches(UNIT_PLACEHOLDER).count() == 1 && !template.contains('\0') {
        return Ok(());
    }
    Err(format!(
        "runtime.cgroup: `{}` must be a path from the root that has {UNIT_PLACEHOLDER} once and no `..`, such as /sys/fs/cgroup/machine.slice/container@{UNIT_PLACEHOLDER}.service",
        template.escape_debug()
    ))
}

fn together(one: (&str, bool), other: (&str, bool)) -> Verdict {
    let (given, missing) = match (one.1, other.1) {
        (true, false) => (one.0, other.0),
        (false, true) => (other.0, one.0),
        _ => return Ok(()),
    };
    Err(format!(
        "{missing}: {given} is of no use without it; set both, or leave both out"
    ))
}
