//! The two roles of a workspace's sandboxes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which of a workspace's two sandboxes gets which traffic.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What people use.
    Live,
    /// What is tried before people use it.
    Dev,
}

impl Role {
    /// `live` or `dev`.
    pub const fn as_str(self) -> &'static str {
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
