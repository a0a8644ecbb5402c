//! A place that has a host of its own.

use crate::role::Role;
use crate::routes::{Site, Workspace};
use std::sync::Arc;

/// A sandbox by the role that it has.
pub(super) struct Place {
    pub(super) workspace: Arc<Workspace>,
    pub(super) role: Role,
}

impl Place {
    pub(super) fn site(&self) -> &Site {
        self.workspace.site(self.role)
    }
}

/// What stands behind `/.choiros/`, the one path that is not the sandbox's.
pub(super) fn reserved(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/.choiros")?;
    rest.strip_prefix('/').or(rest.is_empty().then_some(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_is_not_the_sandboxes() {
        for (path, rest) in [
            ("/.choiros", Some("")),
            ("/.choiros/", Some("")),
            ("/.choiros/enter", Some("enter")),
            ("/.choiros/a/b", Some("a/b")),
            ("/.choirosx", None),
            ("/.choiro", None),
            ("//.choiros/enter", None),
            ("/x/.choiros/enter", None),
            ("*", None),
        ] {
            assert_eq!(reserved(path), rest, "{path}");
        }
    }
}
