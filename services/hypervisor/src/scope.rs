//! What a token is good for.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// One thing that a token is good for. None gives more than its user may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
pub enum Scope {
    /// See sandboxes, and what they say.
    #[serde(rename = "sandboxes:read")]
    SandboxesRead,
    /// Change what runs in them: promote, undo, fork, restore, swap, start and stop.
    #[serde(rename = "sandboxes:promote")]
    SandboxesPromote,
    /// Get to the sandboxes themselves.
    #[serde(rename = "sandbox:open")]
    SandboxOpen,
    /// Whatever the user may do as an admin.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// All that there are.
    pub const ALL: [Self; 4] = [
        Self::SandboxesRead,
        Self::SandboxesPromote,
        Self::SandboxOpen,
        Self::Admin,
    ];

    /// Its word, as everywhere outside of this program.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SandboxesRead => "sandboxes:read",
            Self::SandboxesPromote => "sandboxes:promote",
            Self::SandboxOpen => "sandbox:open",
            Self::Admin => "admin",
        }
    }

    /// The scope of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All that a token is good for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Whether this one is among them.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Words with blanks between them. `None` if one is no scope's.
    pub fn parse(text: &str) -> Option<Self> {
        text.split_ascii_whitespace().map(Scope::parse).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.0.iter().enumerate() {
            let blank = if place == 0 { "" } else { " " };
            write!(f, "{blank}{scope}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_the_same_in_json_and_in_text() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
        let all: Scopes = Scope::ALL.into_iter().rev().collect();
        let text = "sandboxes:read sandboxes:promote sandbox:open admin";
        assert_eq!(all.to_string(), text);
        assert_eq!(Scopes::parse(text), Some(all));
        assert_eq!(Scopes::parse("").map(|it| it.is_empty()), Some(true));
        assert_eq!(Scopes::parse("admin root"), None);
    }
}
