//! Lines that a sandbox wrote, made fit for others to read.

use futures_util::stream::BoxStream;

/// Lines, oldest first. If the reader is slow, lines may be missing, which one of them says then.
pub type LogLines = BoxStream<'static, String>;

/// So many lines can be asked for.
pub const MOST_LOG_LINES: usize = 1000;

/// Bytes of a line; a longer one is cut into several.
pub(super) const LONGEST_LINE: u64 = 1024;

/// Where a sequence of bytes that commands a terminal is to end.
#[derive(Clone, Copy, PartialEq)]
enum Escape {
    None,
    /// After ESC.
    Begun,
    /// Up to a letter, as in `ESC [ 31 m`.
    Letter,
    /// Up to BEL or ESC `\`, as where a window is named.
    Text,
}

/// A line without what could command a terminal, or turn around how it is read.
pub(super) fn visible(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut escape = Escape::None;
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        escape = match (escape, c) {
            // Of two characters or three; the second of three is below `0`.
            (_, '\u{1b}') | (Escape::Begun, ' '..='/') => Escape::Begun,
            (Escape::Begun, '[') => Escape::Letter,
            (Escape::Begun, ']' | 'P' | '_' | '^' | 'X') => Escape::Text,
            (Escape::Begun, _) | (Escape::Letter, '@'..='~') | (Escape::Text, '\u{7}') => {
                Escape::None
            }
            (Escape::Letter | Escape::Text, _) => escape,
            (Escape::None, '\t') => {
                visible.push(' ');
                Escape::None
            }
            (Escape::None, c) => {
                if !(c.is_control() || turns(c)) {
                    visible.push(c);
                }
                Escape::None
            }
        };
    }
    visible
}

/// Whether it changes the direction of what follows, or ends a line.
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn nothing_in_a_line_commands_a_terminal_or_turns_its_text_around() {
        for (line, expected) in [
            (&b"plain \xc3\xa9\n"[..], "plain é"),
            (b"a\tb", "a b"),
            (b"\x1b[1;31mred\x1b[0m and not", "red and not"),
            (b"\x1b]0;a title\x07after", "after"),
            (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            (b"\x1b(Bset\x1b7saved\x1bcreset", "setsavedreset"),
            (b"\x1b[2J\x1b[H\x08\x00\x7f\x9b", "\u{fffd}"),
            (
                "\u{9b}31m \u{202e}back\u{2066}\u{2028}".as_bytes(),
                "31m back",
            ),
            (b"cut \x1b[", "cut "),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(visible(line), expected, "{}", line.escape_ascii());
        }
    }
}
