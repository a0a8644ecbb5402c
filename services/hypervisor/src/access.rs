//! Who may look at a sandbox.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who may look at a workspace's sandbox of one role: each lets in more people than the one before.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// The members of its workspace.
    #[default]
    Members,
    /// Everybody who is logged in.
    Users,
    /// Everybody. Nobody is asked, and the sandbox is not told who it is.
    Public,
}

impl Access {
    /// `members`, `users` or `public`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Users => "users",
            Self::Public => "public",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
