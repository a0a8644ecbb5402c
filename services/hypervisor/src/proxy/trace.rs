//! `traceparent`: continues the caller's trace or begins one (W3C Trace Context).

use http::header::{HeaderMap, HeaderName, HeaderValue};

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Puts us into the request's trace as the sandbox's parent.
pub(super) fn join(headers: &mut HeaderMap) {
    let mut random = [0; 24];
    if getrandom::fill(&mut random).is_err() {
        // Without randomness there is no trace; better none than one shared by strangers.
        headers.remove(&TRACEPARENT);
        return;
    }
    let (trace, parent) = random.split_at(16);
    let mut lines = headers.get_all(&TRACEPARENT).iter();
    let given = match (lines.next(), lines.next()) {
        (Some(line), None) => parse(line.as_bytes()),
        _ => None,
    };
    let mut value = b"00-".to_vec();
    if let Some((trace, flags)) = given {
        value.extend_from_slice(trace);
        value.push(b'-');
        push_hex(&mut value, parent);
        value.push(b'-');
        value.extend_from_slice(flags);
    } else {
        push_hex(&mut value, trace);
        value.push(b'-');
        push_hex(&mut value, parent);
        value.extend_from_slice(b"-00");
        // It belongs to the trace that we could not read.
        headers.remove(&TRACESTATE);
    }
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
        headers.insert(TRACEPARENT.clone(), value);
    }
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

fn push_hex(text: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |nibble: u8| match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    };
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 15)]);
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
