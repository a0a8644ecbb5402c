//! Keeps what a browser knows of one sandbox, or of one generation, from another's.
//!
//! A page whose `ETag` is `"1"` before a swap and `"1"` after it need not be the same page: two
//! sandboxes number what is theirs. So each entity tag goes out with a mark that stands for
//! (workspace, role, generation), and a condition counts only if it comes back with the mark of
//! the route that the request takes. The mark stands in front, for what compresses on the way
//! writes behind (`"…-gzip"`).
//!
//! | from the sandbox | to the client |
//! | --- | --- |
//! | `ETag: W/"1"` | `ETag: W/"<mark>~1"` |
//! | `Last-Modified` alone | the same, and `ETag: W/"<mark>@<seconds>"`, since a date can carry no mark |
//! | an `ETag` that is none, or several | none |
//!
//! | from the client | with our mark | without it |
//! | --- | --- | --- |
//! | `If-None-Match` | as the sandbox wrote it, or `If-Modified-Since` for a date | removed |
//! | `If-Modified-Since` | | removed |
//! | `If-Range` | as the sandbox wrote it, or its date | removed, and `Range` with it |
//! | `If-Match`, and `If` of `WebDAV` | as the sandbox wrote it | as it is, and matches nothing there if it has another's mark |
//! | `If-Unmodified-Since` | | as it is |
//!
//! The last two keep writes from being lost, and are better refused too often than once too seldom.

use super::entity_tag::{EntityTag, EntityTags};
use bytes::Bytes;
use http::header::{
    ETAG, Entry, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Of `WebDAV` (RFC 4918, section 10.4).
static IF: HeaderName = HeaderName::from_static("if");

/// Between the mark and what a sandbox wrote.
const TAG: u8 = b'~';

/// Between the mark and the seconds of a date.
const DATE: u8 = b'@';

/// HTTP has no dates from the year 10000 on.
const YEAR_10000: u64 = 253_402_300_800;

/// What an entity tag with our mark stands for.
enum Marked<'a> {
    Tag(EntityTag<'a>, &'a [u8]),
    Date(SystemTime),
}

/// Marks what a response is known by.
pub(super) fn mark(headers: &mut HeaderMap, mark: &str) {
    let mut lines = headers.get_all(ETAG).iter();
    let (first, more) = (lines.next(), lines.next());
    if let (Some(line), None) = (first, more)
        && let Some(tag) = EntityTag::only(line)
    {
        let mut marked = Vec::with_capacity(line.len() + mark.len() + 1);
        tag.write(&[mark.as_bytes(), &[TAG], tag.opaque], &mut marked);
        return set(headers, &ETAG, marked);
    }
    if first.is_some() {
        headers.remove(ETAG);
    }
    if let Some(date) = headers.get(LAST_MODIFIED).and_then(seconds) {
        set(headers, &ETAG, format!("W/\"{mark}@{date}\"").into());
    }
}

/// Has a request ask its sandbox for what that sandbox said in this generation, and for nothing
/// that another did.
pub(super) fn unmark(headers: &mut HeaderMap, mark: &str) {
    if headers.contains_key(IF_NONE_MATCH) {
        if_none_match(headers, mark);
    } else {
        headers.remove(IF_MODIFIED_SINCE);
    }
    if headers.contains_key(IF_RANGE) {
        if_range(headers, mark);
    }
    if headers.contains_key(IF_MATCH) {
        if_match(headers, mark);
    }
    if headers.contains_key(&IF) {
        webdav_if(headers, mark);
    }
}

fn if_none_match(headers: &mut HeaderMap, mark: &str) {
    let (mut kept, mut latest) = (Vec::new(), None);
    match EntityTags::of(headers, &IF_NONE_MATCH) {
        EntityTags::Any => kept.push(b'*'),
        EntityTags::These(tags) => {
            for marked in tags.into_iter().filter_map(|tag| marked(tag, mark)) {
                match marked {
                    Marked::Tag(tag, opaque) => add(tag, opaque, &mut kept),
                    Marked::Date(date) => latest = latest.max(Some(date)),
                }
            }
        }
        EntityTags::Malformed | EntityTags::None => {}
    }
    // Beside an `If-None-Match` it does not count (RFC 9110, section 13.1.3).
    headers.remove(IF_MODIFIED_SINCE);
    if !kept.is_empty() {
        return set(headers, &IF_NONE_MATCH, kept);
    }
    headers.remove(IF_NONE_MATCH);
    if let Some(date) = latest {
        set(headers, &IF_MODIFIED_SINCE, http_date(date));
    }
}

fn if_range(headers: &mut HeaderMap, mark: &str) {
    let mut lines = headers.get_all(IF_RANGE).iter();
    let only = lines.next().filter(|_| lines.next().is_none());
    match only.and_then(|line| marked(EntityTag::only(line)?, mark)) {
        Some(Marked::Tag(tag, opaque)) => {
            let mut kept = Vec::new();
            tag.write(&[opaque], &mut kept);
            set(headers, &IF_RANGE, kept);
        }
        Some(Marked::Date(date)) => set(headers, &IF_RANGE, http_date(date)),
        None => {
            headers.remove(IF_RANGE);
            headers.remove(RANGE);
        }
    }
}

fn if_match(headers: &mut HeaderMap, mark: &str) {
    let EntityTags::These(tags) = EntityTags::of(headers, &IF_MATCH) else {
        return;
    };
    let mut kept = Vec::new();
    for tag in &tags {
        match marked(*tag, mark) {
            Some(Marked::Tag(tag, opaque)) => add(tag, opaque, &mut kept),
            // The sandbox knows no tags, but its dates.
            Some(Marked::Date(date)) if tags.len() == 1 => {
                headers.remove(IF_MATCH);
                if !headers.contains_key(IF_UNMODIFIED_SINCE) {
                    set(headers, &IF_UNMODIFIED_SINCE, http_date(date));
                }
                return;
            }
            Some(Marked::Date(_)) | None => add(*tag, tag.opaque, &mut kept),
        }
    }
    set(headers, &IF_MATCH, kept);
}

/// Takes the mark off wherever an entity tag begins with it; the rest is none of our business.
fn webdav_if(headers: &mut HeaderMap, mark: &str) {
    let begins = [b"\"", mark.as_bytes(), &[TAG]].concat();
    let Entry::Occupied(mut entry) = headers.entry(&IF) else {
        return;
    };
    for value in entry.iter_mut() {
        let (mut kept, mut rest) = (Vec::new(), value.as_bytes());
        while let Some(at) = rest.windows(begins.len()).position(|part| part == begins) {
            kept.extend_from_slice(&rest[..=at]);
            rest = &rest[at + begins.len()..];
        }
        kept.extend_from_slice(rest);
        if let Ok(unmarked) = HeaderValue::from_maybe_shared(Bytes::from(kept)) {
            *value = unmarked;
        }
    }
}

/// What this tag stands for, if it has our mark.
fn marked<'a>(tag: EntityTag<'a>, mark: &str) -> Option<Marked<'a>> {
    match tag.opaque.strip_prefix(mark.as_bytes())? {
        [TAG, opaque @ ..] => Some(Marked::Tag(tag, opaque)),
        [DATE, seconds @ ..] => {
            let seconds = str::from_utf8(seconds).ok()?.parse().ok()?;
            let date = || UNIX_EPOCH + Duration::from_secs(seconds);
            (seconds < YEAR_10000).then(|| Marked::Date(date()))
        }
        _ => None,
    }
}

/// Adds a tag to a list.
fn add(tag: EntityTag<'_>, opaque: &[u8], list: &mut Vec<u8>) {
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
    tag.write(&[opaque], list);
}

/// The seconds of a date since 1970.
fn seconds(date: &HeaderValue) -> Option<u64> {
    let date = httpdate::parse_http_date(date.to_str().ok()?).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn http_date(date: SystemTime) -> Vec<u8> {
    httpdate::fmt_http_date(date).into()
}

/// Sets a header to bytes that are parts of such values.
fn set(headers: &mut HeaderMap, name: &HeaderName, value: Vec<u8>) {
    match HeaderValue::from_maybe_shared(Bytes::from(value)) {
        Ok(value) => headers.insert(name, value),
        Err(_) => headers.remove(name),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "AAAAAAAAAAA";

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))
        };
        let mut lines: Vec<_> = headers.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// What a sandbox is asked by these lines.
    fn asked(request: &[(&str, &str)]) -> Vec<String> {
        let mut headers = map(request);
        unmark(&mut headers, OURS);
        lines(&headers)
    }

    /// What a client is told by these lines.
    fn told(response: &[(&str, &str)]) -> Vec<String> {
        let mut headers = map(response);
        mark(&mut headers, OURS);
        lines(&headers)
    }

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn every_response_is_marked() {
        assert_eq!(told(&[]), [""; 0]);
        for (sent, marked) in [
            ("\"1\"", "\"AAAAAAAAAAA~1\""),
            ("W/\"1\"", "W/\"AAAAAAAAAAA~1\""),
            ("\"\"", "\"AAAAAAAAAAA~\""),
            ("1", "AAAAAAAAAAA~1"),
            ("\"BBBBBBBBBBB~1\"", "\"AAAAAAAAAAA~BBBBBBBBBBB~1\""),
            ("\"AAAAAAAAAAA@1\"", "\"AAAAAAAAAAA~AAAAAAAAAAA@1\""),
        ] {
            assert_eq!(told(&[("etag", sent)]), [format!("etag: {marked}")]);
        }
    }

    #[test]
    fn a_date_alone_has_a_weak_tag_beside_it() {
        let date = format!("last-modified: {DATE}");
        let tag = "etag: W/\"AAAAAAAAAAA@784111777\"".to_owned();
        assert_eq!(told(&[("last-modified", DATE)]), [&*tag, &*date]);
        let both = told(&[("last-modified", DATE), ("etag", "\"1\"")]);
        assert_eq!(both, ["etag: \"AAAAAAAAAAA~1\"", &*date]);
        assert_eq!(
            told(&[("last-modified", "today")]),
            ["last-modified: today"]
        );
        let old = "Sun, 06 Nov 1904 08:49:37 GMT";
        assert_eq!(told(&[("last-modified", old)]).len(), 1);
    }

    #[test]
    fn what_is_no_tag_could_come_back_as_anothers_and_is_not_passed_on() {
        for etag in ["\"1\", \"BBBBBBBBBBB~1\"", "1 2", "\"1", "*", "", "W/"] {
            assert_eq!(told(&[("etag", etag)]), [""; 0], "{etag}");
        }
        assert_eq!(told(&[("etag", "\"1\""), ("etag", "\"2\"")]), [""; 0]);
    }

    #[test]
    fn if_none_match_counts_for_what_this_generation_said() {
        for (given, left) in [
            ("\"AAAAAAAAAAA~1\"", Some("if-none-match: \"1\"")),
            ("W/\"AAAAAAAAAAA~1\"", Some("if-none-match: W/\"1\"")),
            ("AAAAAAAAAAA~1", Some("if-none-match: 1")),
            ("\"AAAAAAAAAAA~1-gzip\"", Some("if-none-match: \"1-gzip\"")),
            (
                "\"BBBBBBBBBBB~1\", \"AAAAAAAAAAA~2\",\"3\",W/\"AAAAAAAAAAA~4\"",
                Some("if-none-match: \"2\", W/\"4\""),
            ),
            ("*", Some("if-none-match: *")),
            ("\"1\"", None),
            ("\"BBBBBBBBBBB~1\"", None),
            ("\"AAAAAAAAAAA1\"", None),
            ("\"AAAAAAAAAAA~1\" \"AAAAAAAAAAA~2\"", None),
            ("", None),
        ] {
            let left: Vec<_> = left.into_iter().collect();
            assert_eq!(asked(&[("if-none-match", given)]), left, "{given}");
            let dated = [("if-none-match", given), ("if-modified-since", DATE)];
            assert_eq!(asked(&dated), left, "{given}, and a date");
        }
    }

    #[test]
    fn if_modified_since_counts_by_the_tag_that_came_with_the_date() {
        assert_eq!(asked(&[("if-modified-since", DATE)]), [""; 0]);
        let since = format!("if-modified-since: {DATE}");
        for given in [
            "W/\"AAAAAAAAAAA@784111777\"",
            "W/\"BBBBBBBBBBB@884111777\", W/\"AAAAAAAAAAA@784111777\"",
            "W/\"AAAAAAAAAAA@784111777\", W/\"AAAAAAAAAAA@1\"",
        ] {
            assert_eq!(asked(&[("if-none-match", given)]), [&*since], "{given}");
        }
        for given in [
            "W/\"AAAAAAAAAAA@\"",
            "W/\"AAAAAAAAAAA@x\"",
            "W/\"AAAAAAAAAAA@253402300800\"",
            "W/\"AAAAAAAAAAA@18446744073709551615\"",
            "W/\"BBBBBBBBBBB@784111777\"",
        ] {
            let dated = [("if-none-match", given), ("if-modified-since", DATE)];
            assert_eq!(asked(&dated), [""; 0], "{given}");
        }
    }

    #[test]
    fn a_range_is_asked_for_of_what_this_generation_said_alone() {
        let range = ("range", "bytes=5-");
        assert_eq!(asked(&[range]), ["range: bytes=5-"]);
        let since = format!("if-range: {DATE}");
        for (given, left) in [
            ("\"AAAAAAAAAAA~1\"", Some("if-range: \"1\"")),
            ("W/\"AAAAAAAAAAA@784111777\"", Some(&*since)),
            ("\"BBBBBBBBBBB~1\"", None),
            ("\"1\"", None),
            (DATE, None),
            ("\"AAAAAAAAAAA~1\", \"AAAAAAAAAAA~2\"", None),
        ] {
            let left: Vec<_> = left
                .map(|left| [left, "range: bytes=5-"])
                .into_iter()
                .flatten()
                .collect();
            assert_eq!(asked(&[range, ("if-range", given)]), left, "{given}");
        }
    }

    #[test]
    fn what_guards_a_write_stays_a_guard() {
        for (given, left) in [
            ("\"AAAAAAAAAAA~1\"", "if-match: \"1\""),
            ("\"AAAAAAAAAAA~1\" , \"2\"", "if-match: \"1\", \"2\""),
            ("\"BBBBBBBBBBB~1\"", "if-match: \"BBBBBBBBBBB~1\""),
            ("\"1\"", "if-match: \"1\""),
            ("*", "if-match: *"),
            ("\"1\" \"2\"", "if-match: \"1\" \"2\""),
        ] {
            assert_eq!(asked(&[("if-match", given)]), [left], "{given}");
        }
        let unmodified = format!("if-unmodified-since: {DATE}");
        assert_eq!(asked(&[("if-unmodified-since", DATE)]), [&*unmodified]);
        let dated = [("if-match", "W/\"AAAAAAAAAAA@784111777\"")];
        assert_eq!(asked(&dated), [&*unmodified]);
        let webdav = "<http://a/> (<urn:lock> [\"AAAAAAAAAAA~1\"]) (Not [W/\"AAAAAAAAAAA~2\"] [\"BBBBBBBBBBB~3\"])";
        assert_eq!(
            asked(&[("if", webdav)]),
            ["if: <http://a/> (<urn:lock> [\"1\"]) (Not [W/\"2\"] [\"BBBBBBBBBBB~3\"])"]
        );
    }
}
