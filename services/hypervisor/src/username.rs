//! What a username is: the config names people by it, and people sign up with it.
//!
//! What mail addresses are: letters and digits of any script and the punctuation of RFC 5322, as
//! RFC 8265 (PRECIS, `UsernameCaseMapped`) compares them. Those that differ in case, width or
//! composition alone are the same.

use precis_core::profile::Profile;
use precis_profiles::UsernameCaseMapped;

const LONGEST: usize = 254;

/// The username that `text` means, if it can be one: those that differ in case or outer blanks
/// alone are the same.
pub fn parse(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let profile = UsernameCaseMapped::new();
    let name = profile.enforce(text).ok()?.into_owned();
    let fits = (1..=LONGEST).contains(&name.len())
        && name.chars().all(may_stand)
        // One that changes again when it is read again would be two names.
        && profile.enforce(&*name).is_ok_and(|again| again == name);
    fits.then_some(name)
}

/// Whether mail addresses have it, of what PRECIS lets through. Joiners have their place in some
/// scripts, but cannot be seen.
fn may_stand(char: char) -> bool {
    match char {
        '\u{200c}' | '\u{200d}' => false,
        '@' | '.' => true,
        _ if char.is_ascii() => {
            char.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(char)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_look_the_same_are_the_same() {
        for (given, kept) in [
            (" ada@example.org ", "ada@example.org"),
            ("Ada@Example.org", "ada@example.org"),
            (" Ada+x@Example.ORG\n", "ada+x@example.org"),
            ("o'brien@example.org", "o'brien@example.org"),
            ("zoë@example.org", "zoë@example.org"),
            ("ZOË@example.org", "zoë@example.org"),
            ("zoe\u{308}@example.org", "zoë@example.org"),
            ("\u{ff41}da", "ada"),
            ("почта@пример.рф", "почта@пример.рф"),
            ("用户@例子.公司", "用户@例子.公司"),
            ("שלום", "שלום"),
            ("a", "a"),
        ] {
            assert_eq!(parse(given).as_deref(), Some(kept), "{given:?}");
            assert_eq!(parse(kept).as_deref(), Some(kept), "{kept:?}");
        }
        assert!(parse(&"a".repeat(254)).is_some());
    }

    #[test]
    fn what_cannot_be_seen_or_told_apart_is_refused() {
        let long = "a".repeat(255);
        let long_in_bytes = "ë".repeat(128);
        for text in [
            "",
            "  ",
            "a b",
            "a\0",
            "<b>",
            "a\"b",
            "a,b",
            "(a)",
            "evil\u{202e}evil",
            "a\u{2066}b",
            "a\u{200e}b",
            "a\u{61c}b",
            "a\u{200b}b",
            "a\u{200c}b",
            "क्\u{200d}ष",
            "a\u{feff}b",
            "a\u{ad}b",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{a0}b",
            "a\u{e000}b",
            "a\u{ffff}b",
            "a\u{fe0f}b",
            "\u{fb01}le",
            "😀",
            "a\u{2025}b",
            &long,
            &long_in_bytes,
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
