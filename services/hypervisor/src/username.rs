//! What a username is: the config names people by it, and people sign up with it.

const LONGEST: usize = 254;

/// The username that `text` means, if it can be one: those that differ in case or outer blanks
/// alone are the same.
pub fn parse(text: &str) -> Option<String> {
    let name = text.trim().to_ascii_lowercase();
    let fits = (1..=LONGEST).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte));
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_normalised_and_all_else_is_refused() {
        assert_eq!(parse(" Ada+x@Example.ORG\n").unwrap(), "ada+x@example.org");
        assert_eq!(parse("a").unwrap(), "a");
        assert!(parse(&"a".repeat(254)).is_some());
        let long = "a".repeat(255);
        for text in ["", "  ", "a b", "ä", "a\0", "<b>", "a/b", "İ", "ａ", &long] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
