//! Where in a field's value the references are.

use std::ops::Range;

/// What stands between `<` and `>`, but not in quotes, nor in parentheses, where `If` has tokens.
pub(super) fn bracketed(value: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut quoted, mut escaped, mut listed) = (false, false, false);
    let mut begin = None;
    for (place, byte) in value.iter().enumerate() {
        if let Some(start) = begin {
            if *byte == b'>' {
                found.push(start..place);
                begin = None;
            }
        } else if quoted {
            quoted = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else {
            match byte {
                b'"' => quoted = true,
                b'(' => listed = true,
                b')' => listed = false,
                b'<' if !listed => begin = Some(place + 1),
                _ => {}
            }
        }
    }
    found
}

/// Where `Refresh` leads to, as browsers read it: after the seconds, with or without `url=` and
/// quotes (HTML, «shared declarative refresh steps»).
pub(super) fn refresh(value: &[u8]) -> Vec<Range<usize>> {
    refreshes_to(value).into_iter().collect()
}

fn refreshes_to(value: &[u8]) -> Option<Range<usize>> {
    let skip = |from: usize, skipped: fn(&u8) -> bool| {
        let rest = value.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| skipped(byte)).count()
    };
    let seconds = skip(0, u8::is_ascii_whitespace);
    let end = skip(seconds, |byte| byte.is_ascii_digit() || *byte == b'.');
    let is_separator = |byte: &u8| matches!(byte, b';' | b',') || byte.is_ascii_whitespace();
    if end == seconds || !value.get(end).is_some_and(is_separator) {
        return None;
    }
    let mut start = skip(end, u8::is_ascii_whitespace);
    if matches!(value.get(start), Some(b';' | b',')) {
        start = skip(start + 1, u8::is_ascii_whitespace);
    }
    let word = value.get(start..start + 3);
    if word.is_some_and(|word| word.eq_ignore_ascii_case(b"url")) {
        let equals = skip(start + 3, u8::is_ascii_whitespace);
        if value.get(equals) == Some(&b'=') {
            start = skip(equals + 1, u8::is_ascii_whitespace);
        }
    }
    let rest = value.get(start..)?;
    let (start, rest) = match rest {
        [quote @ (b'"' | b'\''), rest @ ..] => {
            let end = rest.iter().position(|byte| byte == quote);
            (start + 1, &rest[..end.unwrap_or(rest.len())])
        }
        rest => (start, rest.trim_ascii_end()),
    };
    (!rest.is_empty()).then(|| start..start + rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(found: Vec<Range<usize>>, value: &str) -> Vec<&str> {
        found.into_iter().map(|part| &value[part]).collect()
    }

    #[test]
    fn a_refresh_leads_where_browsers_go() {
        for (value, to) in [
            ("5; url=/x", Some("/x")),
            ("0;URL='/x y'", Some("/x y")),
            ("0,uRl = \"/x\"; more", Some("/x")),
            (" 1.5 ;url=/x ", Some("/x")),
            ("5 /x", Some("/x")),
            ("5;/x;y", Some("/x;y")),
            ("5; url/x", Some("url/x")),
            ("5; \"/x", Some("/x")),
            (".; url=/x", Some("/x")),
            ("5", None),
            ("5;", None),
            ("5; url=", None),
            ("5; url=''", None),
            ("url=/x", None),
            ("5x; url=/x", None),
            ("", None),
        ] {
            let found = parts(refresh(value.as_bytes()), value);
            assert_eq!(found.first().copied(), to, "{value}");
        }
    }

    #[test]
    fn targets_are_told_from_what_only_looks_like_one() {
        for (value, targets) in [
            ("</a>; rel=next, </b?<>;title=\"</c>\"", &["/a", "/b?<"][..]),
            ("<a>; title=\"\\\"<b>\", <c>", &["a", "c"]),
            ("</a> (<token> [\"</etag>\"]) </b> (Not <t>)", &["/a", "/b"]),
            ("(<token>)", &[]),
            ("<open", &[]),
            ("", &[]),
        ] {
            assert_eq!(
                parts(bracketed(value.as_bytes()), value),
                targets,
                "{value}"
            );
        }
    }
}
