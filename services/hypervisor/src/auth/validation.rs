//! What people may call themselves and their passkeys.

use super::AuthError;
use crate::username;

const LONGEST_NAME: usize = 64;

/// The username that `text` means.
pub(super) fn username(text: &str) -> Result<String, AuthError> {
    username::parse(text).ok_or(AuthError::InvalidUsername)
}

/// A name for people to read; `default` if none was given.
pub(super) fn label(text: Option<&str>, default: &str) -> Result<String, AuthError> {
    let Some(name) = text.map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(default.to_owned());
    };
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(AuthError::InvalidName);
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        assert_eq!(label(None, "x").unwrap(), "x");
        assert_eq!(label(Some("  "), "x").unwrap(), "x");
        assert_eq!(label(Some(" Adä's phone "), "x").unwrap(), "Adä's phone");
        assert!(label(Some(&"ä".repeat(64)), "x").is_ok());
        for text in [&*"ä".repeat(65), "a\u{7}b", "a\nb"] {
            assert!(matches!(
                label(Some(text), "x"),
                Err(AuthError::InvalidName)
            ));
        }
    }
}
