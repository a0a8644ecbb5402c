//! `traceparent`: continues the caller's trace or begins one (W3C Trace Context).

use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::cell::RefCell;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Bytes of `00-<trace>-<parent>-<flags>`.
const LENGTH: usize = 2 + 1 + 32 + 1 + 16 + 1 + 2;

/// Puts us into the request's trace as the sandbox's parent.
pub(super) fn join(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(&TRACEPARENT).iter();
    let given = match (lines.next(), lines.next()) {
        (Some(line), None) => Some(line.as_bytes()),
        _ => None,
    };
    let Some(ours) = parent(given) else {
        headers.remove(&TRACEPARENT);
        return;
    };
    if !ours.goes_on {
        headers.remove(&TRACESTATE);
    }
    if let Ok(value) = HeaderValue::from_bytes(&ours.value) {
        headers.insert(TRACEPARENT.clone(), value);
    }
}

/// What a sandbox is told about the trace.
pub(super) struct Parent {
    /// The value of `traceparent`.
    pub(super) value: [u8; LENGTH],
    /// Whether the trace is the caller's; `tracestate` belongs to that alone.
    pub(super) goes_on: bool,
}

/// Us as the parent, in the trace of the `given` line or in a new one. Without randomness there
/// is no trace: better none than one shared by strangers.
pub(super) fn parent(given: Option<&[u8]>) -> Option<Parent> {
    let random = random()?;
    let (trace, parent) = random.split_at(16);
    let given = given.and_then(parse);
    let mut value = *b"00-00000000000000000000000000000000-0000000000000000-00";
    match given {
        Some((trace, flags)) => {
            value[3..35].copy_from_slice(trace);
            value[53..].copy_from_slice(flags);
        }
        None => put_hex(&mut value[3..35], trace),
    }
    put_hex(&mut value[36..52], parent);
    Some(Parent {
        value,
        goes_on: given.is_some(),
    })
}

/// For one request: ids of a trace and of a parent.
const IDS: usize = 24;

thread_local! {
    /// Random bytes for the next requests, since each call to the kernel costs as much as many.
    static RANDOM: RefCell<([u8; 64 * IDS], usize)> = const { RefCell::new(([0; 64 * IDS], 0)) };
}

fn random() -> Option<[u8; IDS]> {
    RANDOM.with_borrow_mut(|(bytes, left)| {
        if *left == 0 {
            getrandom::fill(bytes).ok()?;
            *left = bytes.len();
        }
        let ids = bytes[..*left].last_chunk().copied();
        *left -= IDS;
        ids
    })
}

/// Trace id and flags of a valid `traceparent`.
fn parse(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (known, rest) = value.split_at_checked(55)?;
    let mut fields = known.split(|byte| *byte == b'-');
    let mut field = |len| fields.next().filter(|it| it.len() == len && is_hex(it));
    let (version, trace, parent, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
    let whole = match version {
        b"ff" => false,
        b"00" => rest.is_empty(),
        _ => rest.first().is_none_or(|byte| *byte == b'-'),
    };
    let named = |id: &[u8]| id.iter().any(|byte| *byte != b'0');
    (whole && named(trace) && named(parent)).then_some((trace, flags))
}

fn is_hex(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn put_hex(text: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn joined(given: Option<&str>) -> (String, bool) {
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert(TRACEPARENT.clone(), given.parse().unwrap());
        }
        headers.insert(TRACESTATE.clone(), HeaderValue::from_static("a=b"));
        join(&mut headers);
        let value = headers[&TRACEPARENT].to_str().unwrap().to_owned();
        assert!(parse(value.as_bytes()).is_some(), "{value}");
        (value, headers.contains_key(&TRACESTATE))
    }

    #[test]
    fn a_valid_trace_goes_on_with_a_new_parent() {
        let (value, state) = joined(Some(&format!("00-{TRACE}-b7ad6b7169203331-01")));
        assert!(value.starts_with(&format!("00-{TRACE}-")) && value.ends_with("-01"));
        assert!(!value.contains("b7ad6b7169203331") && state);
        let (later, _) = joined(Some(&format!("cc-{TRACE}-b7ad6b7169203331-01-more")));
        assert!(later.starts_with(&format!("00-{TRACE}-")));
    }

    #[test]
    fn an_invalid_trace_is_begun_anew() {
        for given in [
            None,
            Some("nonsense"),
            Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"),
            Some("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            Some("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
            Some("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
            Some("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
            Some("00-0af7651916cd43dd8448eb211c80319cb7ad6b7169203331--01"),
        ] {
            let (value, state) = joined(given);
            assert!(!value.contains(TRACE) && !state, "{given:?}: {value}");
        }
        assert_ne!(joined(None), joined(None));
    }
}
