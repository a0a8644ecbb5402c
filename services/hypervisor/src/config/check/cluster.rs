//! Whether this machine can be one of several.

use super::Verdict;
use crate::config::Config;

pub(super) fn cluster(config: &Config) -> Verdict {
    let Some(machine) = &config.cluster.machine else {
        return Ok(());
    };
    if config.store.url.is_none() {
        return Err(
            "cluster.machine: machines know each other by the store that they share; set store.url"
                .into(),
        );
    }
    let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = !machine.is_empty() && machine.len() <= 63 && machine.chars().all(is_label);
    if !is_name || machine.starts_with('-') || machine.ends_with('-') {
        return Err(format!(
            "cluster.machine: {machine:?} is no name; give lower-case letters, digits and hyphens, such as the host's name"
        ));
    }
    Ok(())
}
