//! Where in a cookie its path is.

use std::ops::Range;

/// The path for which a cookie is set, if it names one: browsers take the last attribute.
///
/// Those with the prefix `__Host-` are left alone: they have the path `/` or are none.
pub(super) fn path(cookie: &[u8]) -> Vec<Range<usize>> {
    let name = cookie.trim_ascii_start().get(..7).unwrap_or_default();
    if name.eq_ignore_ascii_case(b"__Host-") {
        return Vec::new();
    }
    let mut path = None;
    let mut start = 0;
    for attribute in cookie.split(|byte| *byte == b';') {
        if start > 0
            && let Some(value) = value_of_path(attribute)
        {
            path = Some(start + value.start..start + value.end);
        }
        start += attribute.len() + 1;
    }
    // Any other is none, and what the address says counts.
    let path = path.filter(|path| cookie[path.clone()].starts_with(b"/"));
    path.into_iter().collect()
}

fn value_of_path(attribute: &[u8]) -> Option<Range<usize>> {
    let equals = attribute.iter().position(|byte| *byte == b'=');
    let (name, value) = attribute.split_at(equals.unwrap_or(attribute.len()));
    if !name.trim_ascii().eq_ignore_ascii_case(b"path") {
        return None;
    }
    let value = value.get(1..).unwrap_or_default();
    let start = attribute.len() - value.trim_ascii_start().len();
    Some(start..start + value.trim_ascii().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_path_counts() {
        for (cookie, found) in [
            ("a=1; Path=/", Some("/")),
            ("a=1;path = /x ; HttpOnly", Some("/x")),
            ("a=1; Path=/x; PATH=/y; Secure", Some("/y")),
            ("a=1; Path=/x; Path=y", None),
            ("a=1; Path=/x; Path", None),
            ("a=1; Path=", None),
            ("a=1; Pathos=/x", None),
            ("Path=/x", None),
            ("a=Path=/x", None),
            ("a=1", None),
            ("__Host-a=1; Secure; Path=/", None),
            (" __host-a=1; Secure; Path=/", None),
            ("__Secure-a=1; Secure; Path=/", Some("/")),
        ] {
            let path = path(cookie.as_bytes()).into_iter().next();
            assert_eq!(path.map(|path| &cookie[path]), found, "{cookie}");
        }
    }
}
