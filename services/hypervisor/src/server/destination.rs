//! Whom a path at the gateway's host belongs to.

use super::paths::{API, DEV, Paths, is_below};
use crate::role::Role;

/// Whom a path belongs to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// This program, for everybody.
    Public,
    /// This program, for people who are logged in.
    Private,
    /// This program, for people and for programs with a token.
    Api,
    /// The caller's sandbox of this role; where that has a host of its own, the way to it.
    Sandbox(Role),
    /// The way to a sandbox's own host, for people who are logged in.
    Enter,
    /// Nobody.
    Nothing,
}

impl Destination {
    /// Where all sandboxes share this host. Below our prefix nothing is a sandbox's, whether
    /// there is such a page or not.
    pub(super) fn of_shared(path: &str, paths: &Paths) -> Self {
        if is_below(path, API) {
            return Self::Api;
        }
        match paths.own(path).map(parts) {
            Some(("api", _)) if paths.has_prefix() => Self::Api,
            Some(("auth", "account") | ("admin", _)) => Self::Private,
            Some(("health" | "login" | "register" | "recovery" | "metrics", "") | ("auth", _)) => {
                Self::Public
            }
            Some(("account", "")) if paths.has_prefix() => Self::Private,
            Some(_) if paths.has_prefix() => Self::Public,
            _ if is_below(path, DEV) => Self::Sandbox(Role::Dev),
            _ => Self::Sandbox(Role::Live),
        }
    }

    /// Whether a token is good for it, where sandboxes have hosts of their own or not.
    pub(super) const fn takes_tokens(&self, has_hosts: bool) -> bool {
        match self {
            Self::Api => true,
            Self::Sandbox(_) => !has_hosts,
            Self::Public | Self::Private | Self::Enter | Self::Nothing => false,
        }
    }

    /// Where each has a host of its own.
    pub(super) fn of_gateway(path: &str) -> Self {
        if path == "/" {
            return Self::Sandbox(Role::Live);
        }
        if is_below(path, API) {
            return Self::Api;
        }
        let (first, rest) = parts(path);
        match (first, rest) {
            ("dev", _) => Self::Sandbox(Role::Dev),
            ("auth", "enter") => Self::Enter,
            ("account", "") | ("auth", "account") | ("admin", _) => Self::Private,
            ("health" | "login" | "register" | "recovery" | "metrics", "") | ("auth", _) => {
                Self::Public
            }
            ("api", _) => Self::Api,
            _ => Self::Nothing,
        }
    }
}

/// The first segment, and what follows it.
fn parts(path: &str) -> (&str, &str) {
    let path = path.get(1..).unwrap_or_default();
    path.split_once('/').unwrap_or((path, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_shared(path: &str) -> Destination {
        Destination::of_shared(path, &Paths::new(""))
    }

    #[test]
    fn with_a_prefix_nothing_but_what_is_below_it_is_ours() {
        let paths = Paths::new("/.choiros");
        let live = Destination::Sandbox(Role::Live);
        let dev = Destination::Sandbox(Role::Dev);
        for (expected, all) in [
            (
                live,
                &[
                    "/",
                    "/health",
                    "/login",
                    "/admin/x",
                    "/auth/me",
                    "/.choirosx",
                    "/.choir",
                ][..],
            ),
            (dev, &["/dev", "/dev/health", "/dev/.choiros/login"]),
            (
                Destination::Public,
                &[
                    "/.choiros",
                    "/.choiros/",
                    "/.choiros/x",
                    "/.choiros/dev/x",
                    "/.choiros/login",
                ],
            ),
            (
                Destination::Private,
                &[
                    "/.choiros/admin",
                    "/.choiros/admin/x",
                    "/.choiros/auth/account",
                ],
            ),
        ] {
            for path in all {
                assert_eq!(Destination::of_shared(path, &paths), expected, "{path}");
            }
        }
    }

    #[test]
    fn only_dev_and_what_is_under_it_goes_to_dev() {
        for path in ["/dev", "/dev/", "/dev/x", "/dev/dev/x"] {
            assert_eq!(of_shared(path), Destination::Sandbox(Role::Dev), "{path}");
        }
        for path in [
            "/",
            "/devices",
            "/de",
            "/Dev",
            "//dev",
            "/x/dev",
            "/healthy",
            "/health/x",
            "/administrator",
            "/authors",
        ] {
            assert_eq!(of_shared(path), Destination::Sandbox(Role::Live), "{path}");
        }
        for path in ["/admin", "/admin/", "/admin/x", "/auth/account"] {
            assert_eq!(of_shared(path), Destination::Private, "{path}");
        }
        // `/api` is a sandbox's: many an app has one.
        for path in ["/api/users", "/.choiros/apis", "/.choiros/x"] {
            assert_eq!(of_shared(path), Destination::Sandbox(Role::Live), "{path}");
        }
        for prefix in ["", "/.choiros", "/gate"] {
            let paths = Paths::new(prefix);
            let api = Destination::of_shared("/.choiros/api/users", &paths);
            assert_eq!(api, Destination::Api, "{prefix}");
        }
        let below = Destination::of_shared("/gate/api/users", &Paths::new("/gate"));
        assert_eq!(below, Destination::Api);
        for path in ["/health", "/login", "/auth", "/auth/me", "/metrics"] {
            assert_eq!(of_shared(path), Destination::Public, "{path}");
        }
    }

    #[test]
    fn the_gateways_host_has_no_sandbox() {
        for path in ["/dev", "/dev/", "/dev/x"] {
            let devs = Destination::Sandbox(Role::Dev);
            assert_eq!(Destination::of_gateway(path), devs, "{path}");
        }
        let lives = Destination::Sandbox(Role::Live);
        assert_eq!(Destination::of_gateway("/"), lives);
        for path in ["/account", "/auth/account", "/admin", "/admin/sandboxes"] {
            let private = Destination::Private;
            assert_eq!(Destination::of_gateway(path), private, "{path}");
        }
        for path in ["/login", "/health", "/auth/me", "/auth/enter/x"] {
            let public = Destination::Public;
            assert_eq!(Destination::of_gateway(path), public, "{path}");
        }
        for path in ["/api", "/api/users", "/.choiros/api/users"] {
            assert_eq!(Destination::of_gateway(path), Destination::Api, "{path}");
        }
        assert_eq!(Destination::of_gateway("/auth/enter"), Destination::Enter);
        for path in [
            "/x",
            "/login/x",
            "/devices",
            "//",
            "/.choiros/enter",
            "/index.html",
            "*",
        ] {
            let nothing = Destination::Nothing;
            assert_eq!(Destination::of_gateway(path), nothing, "{path}");
        }
    }
}
