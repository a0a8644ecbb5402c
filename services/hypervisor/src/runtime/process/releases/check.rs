//! What a release may be.

use crate::runtime::process::environment::NAMES;
use std::collections::BTreeMap;
use std::path::Path;

/// A sentence if this could not run.
pub(super) fn check(command: &[String], env: &BTreeMap<String, String>) -> Result<(), String> {
    if let Some(program) = command.first() {
        check_program(program)?;
    }
    if command.iter().any(|word| word.contains('\0')) {
        return Err("no command has a NUL byte in it; give it without".to_owned());
    }
    env.iter()
        .try_for_each(|(name, value)| check_variable(name, value))
}

/// Whoever adds it may be in another folder than this program.
fn check_program(program: &str) -> Result<(), String> {
    if program.is_empty() {
        return Err("the command's program has no name; give a path, or leave the whole command out for the `sandbox` beside the hypervisor".to_owned());
    }
    let path = Path::new(program);
    if program.contains('/') && !path.is_absolute() {
        return Err(format!(
            "`{program}` depends on the folder that one is in; give the program's whole path"
        ));
    }
    if path.is_absolute() && !path.is_file() {
        return Err(format!(
            "there is no program at {program}; give the path of one"
        ));
    }
    Ok(())
}

fn check_variable(name: &str, value: &str) -> Result<(), String> {
    if NAMES.contains(&name) {
        return Err(format!(
            "{name} is set by the hypervisor for each sandbox; leave --env {name} out"
        ));
    }
    let fits = |c: char| !c.is_control() && !c.is_whitespace() && c != '=';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(format!(
            "`{}` can name no variable; give --env NAME=VALUE",
            name.escape_debug()
        ));
    }
    if value.contains('\0') {
        return Err(format!(
            "no variable has a NUL byte in it; give {name} without"
        ));
    }
    Ok(())
}
