//! Who this sandbox is, and where it listens and keeps its data.

use crate::accent::Accent;
use clap::{Parser, ValueEnum};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The `ChoirOS` sandbox service: an event log and a page, behind the hypervisor.
///
/// Whoever reaches its port is believed to be the hypervisor, so let nothing else reach it.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub struct Config {
    /// Where HTTP is served; port 0 takes a free one and logs it.
    #[arg(long, env = "SANDBOX_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// The sandbox's name, such as `sandbox-live`. It stays the same through every swap.
    #[arg(long, env = "SANDBOX_NAME", value_parser = name)]
    pub name: String,
    /// The role that the sandbox was born with.
    #[arg(long, env = "SANDBOX_INSTANCE_ROLE")]
    pub instance_role: Role,
    /// The folder that this sandbox alone writes to.
    #[arg(long, env = "SANDBOX_DATA_DIR", default_value = "/data")]
    pub data_dir: PathBuf,
    /// The release that it is, by its number; its page says so.
    #[arg(long, env = "SANDBOX_RELEASE")]
    pub release: Option<u64>,
    /// The colour of its page's band, such as `#8a3ffc`, to tell releases apart at a glance.
    #[arg(long, env = "SANDBOX_ACCENT")]
    pub accent: Option<Accent>,
    /// What is written to standard error, such as `info` or `sandbox=debug`.
    #[arg(long, env = "SANDBOX_LOG", default_value = "info")]
    pub log: String,
}

/// Which of a workspace's two sandboxes gets which traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything but `/dev`.
    Live,
    /// What is under `/dev`.
    Dev,
}

impl Role {
    /// `live` or `dev`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Dev => "dev",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What [`Config::name`] may be: anything that fits on a line and in a header.
fn name(name: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(name.to_owned())
    } else {
        Err("a name has 1 to 64 visible ASCII characters, such as sandbox-live".into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Role};
    use clap::Parser;

    fn parse(args: &[&str]) -> Result<Config, clap::Error> {
        Config::try_parse_from([&["sandbox"], args].concat())
    }

    #[test]
    fn a_sandbox_must_be_told_who_it_is() {
        let config = parse(&["--name", "sandbox-dev", "--instance-role", "dev"]).unwrap();
        assert_eq!(config.instance_role, Role::Dev);
        assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
        assert_eq!((config.release, config.accent), (None, None));
        assert!(parse(&["--instance-role", "dev"]).is_err());
        assert!(parse(&["--name", "sandbox-dev"]).is_err());
    }

    #[test]
    fn a_release_is_a_number_and_an_accent_a_colour() {
        let who = ["--name", "a", "--instance-role", "live"];
        let with = |more: [&str; 2]| parse(&[&who[..], &more].concat());
        assert_eq!(with(["--release", "4"]).unwrap().release, Some(4));
        assert!(with(["--accent", "#8a3ffc"]).unwrap().accent.is_some());
        for wrong in [["--release", "four"], ["--accent", "red;}"]] {
            let refusal = with(wrong).unwrap_err().to_string();
            assert!(refusal.contains(wrong[0]), "{refusal}");
        }
    }

    #[test]
    fn names_and_roles_that_fit_nowhere_are_refused() {
        for (name, role) in [("", "live"), ("two words", "live"), ("a", "primary")] {
            assert!(parse(&["--name", name, "--instance-role", role]).is_err());
        }
        assert!(parse(&["--name", &"n".repeat(65), "--instance-role", "live"]).is_err());
    }
}
