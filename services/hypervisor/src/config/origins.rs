//! Which address each sandbox has.

use super::Config;
use crate::role::Role;
use serde::Deserialize;

/// Whose origin the pages of a sandbox have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Origins {
    /// Each its own, at a host below `sandbox_domain`: what runs there has no power over the
    /// gateway's pages, nor over other sandboxes.
    Own,
    /// The gateway's: live at `/` and dev below `/dev/`, for a host with one name.
    Shared,
}

impl Config {
    /// The domain below which the sandboxes are.
    pub fn sandbox_domain(&self) -> String {
        let gateways = || self.origin().host_str().map(str::to_owned);
        let domain = self.sandbox_domain.clone().or_else(gateways);
        domain.unwrap_or_default().to_ascii_lowercase()
    }

    /// What stands before each path of the gateway: nothing, or a path such as `/.choiros`.
    pub fn prefix(&self) -> &str {
        self.gateway_prefix.as_deref().unwrap_or_default()
    }

    /// The address of the account page: a path where sandboxes share the gateway's origin.
    pub fn account_url(&self) -> String {
        match self.origins {
            Origins::Own => format!("{}/account", self.origin().origin().ascii_serialization()),
            Origins::Shared => format!("{}/auth/account", self.prefix()),
        }
    }

    /// What stands before `/api` at this gateway: its origin, and where sandboxes share it, a path
    /// of the gateway's own.
    pub fn api_base(&self) -> String {
        let origin = self.origin().origin().ascii_serialization();
        let path = match (self.origins, self.gateway_prefix.as_deref()) {
            (Origins::Own, _) => "",
            (Origins::Shared, prefix) => prefix.unwrap_or("/.choiros"),
        };
        format!("{origin}{path}")
    }

    /// The host of a workspace's sandbox of this role, without a port.
    pub fn sandbox_host(&self, workspace: &str, role: Role) -> String {
        let suffix = match role {
            Role::Live => "",
            Role::Dev => DEV_SUFFIX,
        };
        format!("{workspace}{suffix}.{}", self.sandbox_domain())
    }

    /// Its origin, as browsers write it: scheme and port are the gateway's.
    pub fn sandbox_origin(&self, workspace: &str, role: Role) -> String {
        let gateway = self.origin();
        let port = gateway.port().map(|port| format!(":{port}"));
        let host = self.sandbox_host(workspace, role);
        format!("{}://{host}{}", gateway.scheme(), port.unwrap_or_default())
    }
}

/// What stands behind a workspace's name in the host of its dev sandbox.
pub(crate) const DEV_SUFFIX: &str = "-dev";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_has_the_scheme_and_the_port_of_the_gateway() {
        let mut config = Config::default();
        assert_eq!(
            config.sandbox_origin("ada", Role::Live),
            "http://ada.localhost:9090"
        );
        assert_eq!(
            config.sandbox_origin("ada", Role::Dev),
            "http://ada-dev.localhost:9090"
        );
        config.auth.origin = "https://choir.example".parse().ok();
        assert_eq!(
            config.sandbox_origin("ada", Role::Live),
            "https://ada.choir.example"
        );
        config.sandbox_domain = Some("Boxes.example".into());
        assert_eq!(
            config.sandbox_origin("ada", Role::Dev),
            "https://ada-dev.boxes.example"
        );
    }
}
