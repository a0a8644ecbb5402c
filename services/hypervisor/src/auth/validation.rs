//! What people may call themselves and their passkeys.

use super::AuthError;
use crate::username;
use precis_core::profile::Profile;
use precis_profiles::OpaqueString;

const LONGEST_NAME: usize = 64;

/// The username that `text` means.
pub(super) fn username(text: &str) -> Result<String, AuthError> {
    username::parse(text).ok_or(AuthError::InvalidUsername)
}

/// A name for people to read; `default` if none was given.
///
/// RFC 8264's class of free text has no controls, and nothing that cannot be seen: a name that
/// turns the direction of what stands around it, or hides, is somebody else's in a list.
pub(super) fn label(text: Option<&str>, default: &str) -> Result<String, AuthError> {
    // What says how an emoji is drawn is not part of a name.
    let text: Option<String> = text.map(|text| text.replace(['\u{fe0e}', '\u{fe0f}'], ""));
    let text = text.as_deref().map(str::trim);
    let Some(name) = text.filter(|name| !name.is_empty()) else {
        return Ok(default.to_owned());
    };
    let has_joiner = name.contains(['\u{200c}', '\u{200d}']);
    // Before the rest, which looks at every character.
    if has_joiner || name.chars().nth(LONGEST_NAME).is_some() {
        return Err(AuthError::InvalidName);
    }
    let name = OpaqueString::new().enforce(name);
    let name = name.map_err(|_| AuthError::InvalidName)?.into_owned();
    // Blanks of other scripts are blanks now.
    match name.trim() {
        "" => Ok(default.to_owned()),
        name => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_can_be_seen() {
        assert_eq!(label(None, "x").unwrap(), "x");
        assert_eq!(label(Some("  "), "x").unwrap(), "x");
        for (given, kept) in [
            (" Adä's phone ", "Adä's phone"),
            ("❤\u{fe0f} 手机", "❤ 手机"),
            ("Ada\u{a0}L.", "Ada L."),
            ("e\u{301}", "é"),
            ("שלום Ada", "שלום Ada"),
            ("😀", "😀"),
        ] {
            assert_eq!(label(Some(given), "x").unwrap(), kept, "{given:?}");
        }
        assert!(label(Some(&"ä".repeat(64)), "x").is_ok());
        for text in [
            &*"ä".repeat(65),
            "a\u{7}b",
            "a\nb",
            "a\u{85}b",
            "evil\u{202e}evil",
            "a\u{2066}b",
            "a\u{200f}b",
            "a\u{61c}b",
            "a\u{200b}b",
            "a\u{200c}b",
            "a\u{200d}b",
            "a\u{2060}b",
            "a\u{feff}b",
            "a\u{ad}b",
            "a\u{e0041}b",
            "a\u{2028}b",
            "a\u{3164}b",
        ] {
            let refused = label(Some(text), "x");
            assert!(matches!(refused, Err(AuthError::InvalidName)), "{text:?}");
        }
    }
}
