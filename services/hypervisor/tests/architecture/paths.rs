//! The paths that a module names.

use crate::source::{Token, code, tokens, without_tests};

/// A path with its segments, such as `crate`, `role` and `Role`.
#[derive(Debug, Clone)]
pub struct Named {
    pub segments: Vec<String>,
    pub line: usize,
    /// The name that it has in this module, if it is imported.
    pub import: Option<String>,
}

/// Every path of this source, its tests left out.
pub fn paths(source: &str) -> Vec<Named> {
    let code = code(source);
    let tokens = without_tests(tokens(&code));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let import = tokens[at].text == "use";
        at += usize::from(import);
        let begins = import || next_is(&tokens, at, "::");
        at = if begins && at < tokens.len() && is_word(tokens[at].text) {
            tree(&tokens, at, &[], import, &mut found)
        } else {
            at + 1
        };
    }
    found
}

/// Takes the path at `at`, and each one behind its braces; says where they end.
fn tree(
    tokens: &[Token<'_>],
    mut at: usize,
    before: &[String],
    import: bool,
    found: &mut Vec<Named>,
) -> usize {
    let mut segments = before.to_vec();
    let line = tokens[at].line;
    while at < tokens.len() {
        match tokens[at].text {
            "{" if import => return group(tokens, at + 1, &segments, found),
            text if is_word(text) || text == "*" => segments.push(text.to_owned()),
            _ => break,
        }
        at += 1;
        if tokens.get(at).is_none_or(|it| it.text != "::") {
            break;
        }
        at += 1;
    }
    let mut name = segments.last().cloned();
    if import && tokens.get(at).is_some_and(|it| it.text == "as") {
        name = tokens.get(at + 1).map(|it| it.text.to_owned());
        at += 2;
    }
    if name.as_deref() == Some("self") {
        segments.pop();
        name = segments.last().cloned();
    }
    let import = name.filter(|_| import);
    found.push(Named {
        segments,
        line,
        import,
    });
    at
}

/// The paths in braces.
fn group(tokens: &[Token<'_>], mut at: usize, before: &[String], found: &mut Vec<Named>) -> usize {
    while at < tokens.len() {
        at = match tokens[at].text {
            "}" => return at + 1,
            "," => at + 1,
            _ => tree(tokens, at, before, true, found),
        };
    }
    at
}

fn next_is(tokens: &[Token<'_>], at: usize, text: &str) -> bool {
    tokens.get(at + 1).is_some_and(|it| it.text == text)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|sign: char| sign.is_alphabetic() || sign == '_')
}
