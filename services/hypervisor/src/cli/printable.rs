//! What others wrote, as a terminal may have it: names of browsers, lines of sandboxes.

use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether it steers a terminal, or turns the text around it.
fn steers(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// `text` with its escape sequences to be read, and not carried out.
pub(super) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, steers)
}

/// As [`line`], but with its lines and tabs.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |char| steers(char) && !matches!(char, '\n' | '\t'))
}

fn escaped(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&bad) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if bad(char) {
            escaped.extend(char.escape_default());
        } else {
            escaped.push(char);
        }
    }
    escaped.into()
}

/// JSON on several lines, or on one. Programs read the same as ever, and a terminal does not see
/// what JSON leaves as it is.
pub(super) fn json(value: &Value, on_one_line: bool) -> String {
    let text = if on_one_line {
        value.to_string()
    } else {
        format!("{value:#}")
    };
    if !text.contains(|char| steers(char) && char != '\n') {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        // All that steers lies below U+10000, and stands in strings alone.
        if steers(char) && char != '\n' {
            let _ = write!(escaped, "\\u{:04x}", u32::from(char));
        } else {
            escaped.push(char);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{json, line, lines};
    use serde_json::{Value, json as value};

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        for (given, told) in [
            ("Firefox 147 on Linux", "Firefox 147 on Linux"),
            ("\x1b]0;root\x07", "\\u{1b}]0;root\\u{7}"),
            ("a\u{9b}31m", "a\\u{9b}31m"),
            ("a\nb\tc", "a\\nb\\tc"),
            ("evil\u{202e}txt", "evil\\u{202e}txt"),
            ("שלום, zoë", "שלום, zoë"),
        ] {
            assert_eq!(line(given), told, "{given:?}");
        }
        assert_eq!(lines("a\n\tb\r\x1b"), "a\n\tb\\r\\u{1b}");
    }

    #[test]
    fn json_means_the_same_and_steers_nothing() {
        let said = value!({ "agent": "\u{9b}2J\u{202e}x\n\x1b", "n": [1, null] });
        for on_one_line in [true, false] {
            let text = json(&said, on_one_line);
            let plain = text
                .chars()
                .all(|char| char == '\n' || (' '..='~').contains(&char));
            assert!(plain, "{text:?}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), said);
        }
        assert!(!json(&said, true).contains('\n'));
        assert_eq!(json(&value!("zoë"), true), "\"zoë\"");
    }
}
