//! What sandboxes are called, for good: whichever role one has, and wherever it is found.

use crate::role::Role;

/// The sandbox of a workspace that was born in this role; of one in a slot of the host's, the slot's,
/// whoever has it.
pub(crate) fn of(workspace: &str, slot: Option<u32>, born: Role) -> String {
    match slot {
        Some(slot) => format!("s{slot}-{born}"),
        None => format!("{workspace}-{born}"),
    }
}

/// What a sandbox of a workspace is called when that has another slot.
pub(crate) fn in_slot(
    sandbox: &str,
    workspace: &str,
    slot: Option<u32>,
    other: Option<u32>,
) -> Option<String> {
    let mut born = [Role::Live, Role::Dev].into_iter();
    let born = born.find(|&born| of(workspace, slot, born) == sandbox)?;
    Some(of(workspace, other, born))
}

/// Whether a workspace of this name would have sandboxes that are called as a slot's, or releases
/// that lie where those of all slots do.
pub(crate) fn is_slots(workspace: &str) -> bool {
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    workspace == SLOTS || workspace.strip_prefix('s').is_some_and(is_number)
}

/// What stands for a workspace's name where all slots have something in common.
const SLOTS: &str = "slots";

/// Whose releases the sandboxes of a workspace run: its own, or those of all slots.
pub(crate) fn release_set(workspace: &str, slot: Option<u32>) -> &str {
    slot.map_or(workspace, |_| SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_slots_or_a_workspaces() {
        for name in ["slots", "s1", "s17", "s000"] {
            assert!(is_slots(name), "{name}");
        }
        for name in ["s", "slot", "s1a", "s-1", "sandbox", "x1"] {
            assert!(!is_slots(name), "{name}");
        }
        assert_eq!(of("ada", Some(17), Role::Dev), "s17-dev");
        assert_eq!(of("ada", None, Role::Live), "ada-live");
        let in_slot = |sandbox, other| in_slot(sandbox, "ada", Some(17), other);
        assert_eq!(in_slot("s17-dev", Some(3)), Some("s3-dev".to_owned()));
        assert_eq!(in_slot("s17-live", None), Some("ada-live".to_owned()));
        assert_eq!(in_slot("s1-live", Some(3)), None, "another's");
    }
}
