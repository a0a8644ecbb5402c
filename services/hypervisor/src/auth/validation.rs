//! Usernames, and names for people and passkeys.

use super::AuthError;

const LONGEST_USERNAME: usize = 254;
const LONGEST_NAME: usize = 64;

/// The username that `text` means: names that differ in case or outer blanks alone are one.
pub(crate) fn username(text: &str) -> Result<String, AuthError> {
    let name = text.trim().to_ascii_lowercase();
    let fits = (1..=LONGEST_USERNAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte));
    if fits {
        Ok(name)
    } else {
        Err(AuthError::InvalidUsername)
    }
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
    fn usernames_are_normalised_and_all_else_is_refused() {
        assert_eq!(
            username(" Ada+x@Example.ORG\n").unwrap(),
            "ada+x@example.org"
        );
        assert_eq!(username("a").unwrap(), "a");
        assert!(username(&"a".repeat(254)).is_ok());
        let long = "a".repeat(255);
        for text in ["", "  ", "a b", "ä", "a\0", "<b>", "a/b", "İ", "ａ", &long] {
            assert!(
                matches!(username(text), Err(AuthError::InvalidUsername)),
                "{text:?}"
            );
        }
    }

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
