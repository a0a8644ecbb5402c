//! Prefixes of paths: the gateway's own, and dev's.

use http::Uri;
use http::uri::PathAndQuery;

/// Where dev is.
pub(super) const DEV: &str = "/dev";

/// Where the API is at every gateway, whatever else is at its host.
pub(super) const API: &str = "/.choiros/api";

/// What stands before it there.
const CHOIROS: &str = "/.choiros";

/// Where the gateway's own paths are.
pub(super) struct Paths {
    /// What stands before each of them; they stand before a sandbox's if it is empty.
    prefix: String,
}

impl Paths {
    pub(super) fn new(prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        Self { prefix }
    }

    /// A path of ours.
    pub(super) fn of(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// What stands behind the prefix.
    pub(super) fn own<'a>(&self, path: &'a str) -> Option<&'a str> {
        let is_own = is_below(path, &self.prefix);
        is_own.then(|| path.get(self.prefix.len()..)).flatten()
    }

    /// Whether nothing but what is below the prefix is ours.
    pub(super) fn has_prefix(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// The same target without what stands before it, as our own handlers know it; `None` if it is
    /// the same.
    pub(super) fn within(&self, uri: &Uri) -> Option<Uri> {
        if is_below(uri.path(), API) {
            return Some(without(uri, CHOIROS));
        }
        self.has_prefix().then(|| without(uri, &self.prefix))
    }
}

/// Whether it is this folder's own path, or one below it.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The same target with `/dev` taken off once; `/dev` alone becomes `/`.
pub(super) fn without_dev(uri: &Uri) -> Uri {
    without(uri, DEV)
}

fn without(uri: &Uri, prefix: &str) -> Uri {
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = target.strip_prefix(prefix).unwrap_or(target);
    let rest = if rest.starts_with('/') {
        rest.to_owned()
    } else {
        format!("/{rest}")
    };
    // A suffix of a valid target from a slash on, or from a `?` behind a new one, is valid.
    rest.parse().unwrap_or_default()
}

/// Where a request for `/dev` itself belongs: a page's relative links are then below it.
pub(super) fn dev_folder(uri: &Uri) -> Option<String> {
    let target = uri.path_and_query()?;
    (target.path() == DEV).then(|| match target.query() {
        Some(query) => format!("{DEV}/?{query}"),
        None => format!("{DEV}/"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_handlers_know_no_prefix() {
        let paths = Paths::new("/.choiros");
        for (from, to) in [
            ("/.choiros/login?next=%2F", "/login?next=%2F"),
            ("/.choiros", "/"),
            ("http://h/.choiros/.choiros/x", "/.choiros/x"),
        ] {
            let within = paths.within(&from.parse().unwrap()).unwrap();
            assert_eq!(within.to_string(), to);
        }
        for prefix in ["", "/.choiros", "/gate"] {
            let uri = "/.choiros/api/users?search=a".parse().unwrap();
            let own = Paths::new(prefix).within(&uri).unwrap();
            assert_eq!(own.to_string(), "/api/users?search=a");
        }
    }

    #[test]
    fn the_dev_prefix_is_removed_once() {
        for (from, to) in [
            ("/dev", "/"),
            ("/dev/", "/"),
            ("/dev?a=1", "/?a=1"),
            ("/dev/dev/x?y", "/dev/x?y"),
            ("/dev//x", "//x"),
            ("http://h/dev/x", "/x"),
        ] {
            assert_eq!(without_dev(&from.parse().unwrap()).to_string(), to);
        }
    }

    #[test]
    fn dev_alone_is_sent_below_itself() {
        let folder = |uri: &str| dev_folder(&uri.parse().unwrap());
        assert_eq!(folder("/dev").as_deref(), Some("/dev/"));
        assert_eq!(folder("/dev?a=/dev&b").as_deref(), Some("/dev/?a=/dev&b"));
        assert_eq!(folder("http://h/dev?").as_deref(), Some("/dev/?"));
        for uri in ["/dev/", "/dev/x", "/", "/devices"] {
            assert_eq!(folder(uri), None, "{uri}");
        }
    }
}
