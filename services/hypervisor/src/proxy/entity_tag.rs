//! Entity tags (RFC 9110, section 8.8.3), and the lists of them that conditional requests have.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// One entity tag, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntityTag<'a> {
    pub(super) weak: bool,
    /// Without quotes it is none, but sandboxes send such, and browsers send them back.
    quoted: bool,
    pub(super) opaque: &'a [u8],
}

/// The entity tags of a header over all its lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EntityTags<'a> {
    /// There is no such header.
    None,
    /// `*`.
    Any,
    These(Vec<EntityTag<'a>>),
    /// It is no list of them.
    Malformed,
}

impl<'a> EntityTag<'a> {
    /// The only one of a value.
    pub(super) fn only(value: &'a HeaderValue) -> Option<Self> {
        let (tag, rest) = Self::first(value.as_bytes().trim_ascii())?;
        rest.is_empty().then_some(tag)
    }

    /// The one that these bytes begin with, and what follows it.
    fn first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, bytes) = match bytes.strip_prefix(b"W/") {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        let (quoted, opaque, rest) = if let Some(inside) = bytes.strip_prefix(b"\"") {
            let end = inside.iter().position(|byte| *byte == b'"')?;
            (true, &inside[..end], &inside[end + 1..])
        } else {
            let end = bytes.iter().position(|byte| b", \t".contains(byte));
            let (opaque, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if opaque.is_empty() || opaque == b"*" || opaque.contains(&b'"') {
                return None;
            }
            (false, opaque, rest)
        };
        let tag = Self {
            weak,
            quoted,
            opaque,
        };
        Some((tag, rest))
    }

    /// Writes it, with this in the place of what is within its quotes.
    pub(super) fn write(self, opaque: &[&[u8]], to: &mut Vec<u8>) {
        let quote: &[u8] = if self.quoted { b"\"" } else { b"" };
        to.extend_from_slice(if self.weak { b"W/" } else { b"" });
        to.extend_from_slice(quote);
        for part in opaque {
            to.extend_from_slice(part);
        }
        to.extend_from_slice(quote);
    }
}

impl<'a> EntityTags<'a> {
    /// Those of this header.
    pub(super) fn of(headers: &'a HeaderMap, name: &HeaderName) -> Self {
        let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
        let Some(first) = lines.next() else {
            return Self::None;
        };
        let mut lines = std::iter::once(first).chain(lines);
        if first.trim_ascii() == b"*" {
            return lines.nth(1).map_or(Self::Any, |_| Self::Malformed);
        }
        let mut tags = Vec::new();
        let well_formed = lines.all(|line| Self::line(line, &mut tags).is_some());
        if well_formed && !tags.is_empty() {
            Self::These(tags)
        } else {
            Self::Malformed
        }
    }

    /// Adds those of one line.
    fn line(mut line: &'a [u8], tags: &mut Vec<EntityTag<'a>>) -> Option<()> {
        loop {
            line = line.trim_ascii_start();
            if let Some(rest) = line.strip_prefix(b",") {
                line = rest;
                continue;
            }
            if line.is_empty() {
                return Some(());
            }
            let (tag, rest) = EntityTag::first(line)?;
            tags.push(tag);
            line = rest.trim_ascii_start();
            if !line.is_empty() && !line.starts_with(b",") {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::IF_NONE_MATCH;

    fn read(lines: &[&str]) -> Result<Vec<(bool, String)>, &'static str> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_NONE_MATCH, line.parse().unwrap());
        }
        match EntityTags::of(&headers, &IF_NONE_MATCH) {
            EntityTags::None => Err("none"),
            EntityTags::Any => Err("any"),
            EntityTags::Malformed => Err("malformed"),
            EntityTags::These(tags) => Ok(tags
                .iter()
                .map(|tag| (tag.weak, String::from_utf8_lossy(tag.opaque).into_owned()))
                .collect()),
        }
    }

    #[test]
    fn lists_are_read_over_all_their_lines() {
        let strong = |opaque: &str| (false, opaque.to_owned());
        let weak = |opaque: &str| (true, opaque.to_owned());
        assert_eq!(read(&[]), Err("none"));
        assert_eq!(read(&[" * "]), Err("any"));
        assert_eq!(read(&["\"\""]), Ok(vec![strong("")]));
        assert_eq!(
            read(&["\"a,b\" ,\tW/\"c\"", ",, \"d\","]),
            Ok(vec![strong("a,b"), weak("c"), strong("d")])
        );
        assert_eq!(read(&["a, W/b"]), Ok(vec![strong("a"), weak("b")]));
        for malformed in [
            &["\"a\" \"b\""][..],
            &["\"a"],
            &["a\"b\""],
            &["*", "\"a\""],
            &["\"a\", *"],
            &["*, \"a\""],
            &["*", "*"],
            &[""],
            &[","],
            &["W/"],
            &["a b"],
        ] {
            assert_eq!(read(malformed), Err("malformed"), "{malformed:?}");
        }
    }
}
