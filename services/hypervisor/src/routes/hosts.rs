//! Which host names there are, and whose each is.

use super::elsewhere::Elsewhere;
use super::route::Workspace;
use super::table::Routes;
use crate::config::DEV_SUFFIX;
use crate::role::Role;
use std::borrow::Cow;
use std::sync::Arc;

/// Whose a host is.
pub enum Host {
    /// The gateway's; so is every name that is no sandbox's, such as an address.
    Gateway,
    /// A sandbox's own.
    Sandbox(Arc<Workspace>, Role),
    /// The same of another machine.
    Elsewhere(Arc<Elsewhere>, Role),
    /// Below the sandbox domain, and no sandbox's.
    Unknown,
}

impl Routes {
    /// Whose this host is: a name without a port.
    pub fn host(&self, name: &str) -> Host {
        let hosts = &self.hosts;
        let Some(suffix) = hosts.suffix.as_deref() else {
            return Host::Gateway;
        };
        let label = without_suffix(name, suffix);
        match label.filter(|_| !name.eq_ignore_ascii_case(&hosts.gateway)) {
            None => Host::Gateway,
            Some(label) => self.labelled(label).unwrap_or(Host::Unknown),
        }
    }

    /// Whether a request for this host would be served by the gateway or a sandbox of its own:
    /// the names that certificates are for.
    pub fn host_exists(&self, name: &str) -> bool {
        match self.host(name) {
            Host::Gateway => name.eq_ignore_ascii_case(&self.hosts.gateway),
            Host::Sandbox(..) | Host::Elsewhere(..) => true,
            Host::Unknown => false,
        }
    }

    /// All of them: the gateway's first, then each sandbox's.
    pub fn host_names(&self) -> Vec<String> {
        let mut names = vec![self.hosts.gateway.to_string()];
        if self.hosts.suffix.is_some() {
            let of = |workspace: &Arc<Workspace>| {
                [Role::Live, Role::Dev].map(|role| workspace.site(role).host.to_string())
            };
            names.extend(self.all().iter().flat_map(of));
            let of = |workspace: &Arc<Elsewhere>| {
                [Role::Live, Role::Dev].map(|role| workspace.site(role).host.to_string())
            };
            names.extend(self.others.all().iter().flat_map(of));
        }
        names
    }

    /// The sandbox that this label names.
    fn labelled(&self, label: &str) -> Option<Host> {
        // As browsers write it, nothing has to be made.
        let label = if label.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(label.to_ascii_lowercase())
        } else {
            Cow::Borrowed(label)
        };
        let (name, role) = match label.strip_suffix(DEV_SUFFIX) {
            Some(name) => (name, Role::Dev),
            None => (&*label, Role::Live),
        };
        if let Some(workspace) = self.named(name) {
            return Some(Host::Sandbox(workspace, role));
        }
        Some(Host::Elsewhere(self.others.named(name)?, role))
    }
}

/// What stands before the suffix, in whichever case; none if the name has another end.
fn without_suffix<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(suffix.len())?;
    let (label, end) = name.split_at_checked(at)?;
    end.eq_ignore_ascii_case(suffix).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_below_the_domain_whatever_its_case() {
        let suffix = ".box.example";
        for (name, label) in [
            ("ada.box.example", Some("ada")),
            ("ADA-dev.Box.Example", Some("ADA-dev")),
            ("a.b.box.example", Some("a.b")),
            (".box.example", Some("")),
            ("box.example", None),
            ("ada.box.example.", None),
            ("adabox.example", None),
            ("ada.box.example.evil", None),
            ("\u{e9}.example", None),
            ("", None),
        ] {
            assert_eq!(without_suffix(name, suffix), label, "{name}");
        }
    }
}
