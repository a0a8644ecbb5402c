//! The names of hosts: the gateway's, and what a sandbox's is made of.

use crate::config::{Config, Origins};
use crate::role::Role;
use http::HeaderValue;

/// The names of the gateway, and what the sandboxes' have in common.
pub(super) struct Hosts {
    pub(super) gateway: Box<str>,
    /// Further names that lead to the gateway.
    redirects: Vec<String>,
    /// A dot and the sandbox domain, where each sandbox has an origin of its own.
    pub(super) suffix: Option<Box<str>>,
}

impl Hosts {
    pub(super) fn new(config: &Config) -> Self {
        let gateway = config.origin().host_str().unwrap_or_default().into();
        let own = config.origins == Origins::Own;
        let suffix = own.then(|| format!(".{}", config.sandbox_domain()).into());
        Self {
            gateway,
            redirects: config.tls.redirect_hosts.clone(),
            suffix,
        }
    }

    /// Whether it is a name of the gateway, so that no sandbox can have it.
    pub(super) fn is_taken(&self, host: &str) -> bool {
        let taken = self.redirects.iter().map(String::as_str);
        let mut taken = taken.chain([&*self.gateway]);
        taken.any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// Where a sandbox of a workspace is found, whichever it is.
#[derive(Debug)]
pub struct Site {
    /// The host's name.
    pub host: Box<str>,
    /// The origin of its pages, as browsers write it.
    pub origin: HeaderValue,
    /// The address that a link to it has.
    pub url: String,
}

impl Site {
    pub(super) fn new(config: &Config, workspace: &str, role: Role) -> Self {
        let (host, origin, url) = match config.origins {
            Origins::Own => {
                let origin = config.sandbox_origin(workspace, role);
                let url = format!("{origin}/");
                (config.sandbox_host(workspace, role), origin, url)
            }
            Origins::Shared => {
                let gateway = config.origin();
                let path = match role {
                    Role::Live => "/",
                    Role::Dev => "/dev/",
                };
                let origin = gateway.origin().ascii_serialization();
                let host = gateway.host_str().unwrap_or_default().to_owned();
                (host, origin, path.to_owned())
            }
        };
        Self {
            host: host.into(),
            // An origin is ASCII; if ever it were not, no page would be let in.
            origin: HeaderValue::try_from(origin).unwrap_or(HeaderValue::from_static("")),
            url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateways_names_are_taken_whatever_their_case() {
        let mut config = Config {
            sandbox_domain: Some("example".into()),
            ..Config::default()
        };
        config.auth.origin = "https://Choir.example:8443".parse().ok();
        config.tls.redirect_hosts = vec!["www.example".into()];
        let hosts = Hosts::new(&config);
        for host in ["choir.example", "CHOIR.example", "www.example"] {
            assert!(hosts.is_taken(host), "{host}");
        }
        for host in ["choir-dev.example", "example", "www.example.org", ""] {
            assert!(!hosts.is_taken(host), "{host}");
        }
    }

    #[test]
    fn a_sandbox_is_found_at_its_own_host_or_at_a_path_of_the_gateways() {
        let mut config = Config::default();
        let own = Site::new(&config, "ada", Role::Dev);
        assert_eq!(&*own.host, "ada-dev.localhost");
        assert_eq!(own.origin, "http://ada-dev.localhost:9090");
        assert_eq!(own.url, "http://ada-dev.localhost:9090/");
        config.origins = Origins::Shared;
        let shared = Site::new(&config, "ada", Role::Dev);
        assert_eq!(shared.origin, "http://localhost:9090");
        assert_eq!(shared.url, "/dev/");
    }
}
