//! Rust source as words, without comments, texts and tests.

/// A word or sign of the code, and its line.
pub struct Token<'a> {
    pub text: &'a str,
    pub line: usize,
}

/// The code's identifiers, `::`, and every other sign by itself.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(sign) = code[at..].chars().next() {
        let length = match sign {
            _ if code[at..].starts_with("::") => 2,
            _ if is_word(sign) => word(&code[at..]),
            _ => sign.len_utf8(),
        };
        if !sign.is_whitespace() {
            let text = &code[at..at + length];
            found.push(Token { text, line });
        }
        line += usize::from(sign == '\n');
        at += length;
    }
    found
}

/// The source with blanks in the place of its comments and texts.
pub fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(sign) = rest.chars().next() {
        let skipped = match sign {
            '/' => comment(rest),
            '"' => quoted(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if skipped > 0 {
            blank(&rest[..skipped], &mut code);
            rest = &rest[skipped..];
            continue;
        }
        let kept = if is_word(sign) {
            word(rest)
        } else {
            sign.len_utf8()
        };
        let (text, after) = rest.split_at(kept);
        let raw = if matches!(text, "r" | "br" | "cr") {
            raw(after)
        } else {
            0
        };
        code.push_str(text);
        blank(&after[..raw], &mut code);
        rest = &after[raw..];
    }
    code
}

/// The tokens without the items that `#[cfg(test)]` stands before.
pub fn without_tests(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        kept.push(token);
        if kept.len() < MARK.len()
            || !kept[kept.len() - MARK.len()..]
                .iter()
                .map(|it| it.text)
                .eq(MARK)
        {
            continue;
        }
        kept.truncate(kept.len() - MARK.len());
        let mut depth = 0_usize;
        for token in tokens.by_ref() {
            match token.text {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(token.text, ";" | "}") {
                break;
            }
        }
    }
    kept
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

fn word(text: &str) -> usize {
    text.find(|sign| !is_word(sign)).unwrap_or(text.len())
}

fn comment(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return text.find("*/").map_or(text.len(), |end| end + 2);
    }
    0
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character, which a lifetime is not.
fn character(text: &str) -> usize {
    let mut signs = text.char_indices().skip(1);
    match (signs.next(), signs.next()) {
        (Some((_, '\\')), Some((at, sign))) => {
            let from = at + sign.len_utf8();
            text[from..].find('\'').map_or(0, |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// What follows the `r` of a raw text.
fn raw(text: &str) -> usize {
    let hashes = text.find(|sign| sign != '#').unwrap_or(text.len());
    if !text[hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", &text[..hashes]);
    let from = hashes + 1;
    text[from..]
        .find(&end)
        .map_or(text.len(), |at| from + at + end.len())
}

/// Keeps lines where they are.
fn blank(text: &str, code: &mut String) {
    code.extend((!text.is_empty()).then_some(' '));
    code.extend(text.chars().filter(|sign| *sign == '\n'));
}
