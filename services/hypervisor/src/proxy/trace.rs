//! `traceparent`: continues the caller's trace or begins one (W3C Trace Context).

use crate::request_context::{Id, RequestContext};
use http::header::{HeaderMap, HeaderName, HeaderValue};

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Bytes of `00-<trace>-<parent>-<flags>`.
const LENGTH: usize = 2 + 1 + 32 + 1 + 16 + 1 + 2;

/// Puts us into the request's trace as the sandbox's parent.
pub(super) fn join(headers: &mut HeaderMap, context: &RequestContext) {
    let given = given(headers);
    let Some(ours) = parent(given, context) else {
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
struct Parent {
    /// The value of `traceparent`.
    value: [u8; LENGTH],
    /// Whether the trace is the caller's; `tracestate` belongs to that alone.
    goes_on: bool,
}

/// Notes the trace that the client began, of a request that no sandbox gets.
pub fn note(headers: &HeaderMap, context: &RequestContext) {
    if let Some((trace, _)) = given(headers).and_then(parse) {
        context.set_trace(trace);
    }
}

/// What the client says, if it says it once.
fn given(headers: &HeaderMap) -> Option<&[u8]> {
    let mut lines = headers.get_all(&TRACEPARENT).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => Some(line.as_bytes()),
        _ => None,
    }
}

/// Us as the parent, in the trace of the `given` line, or in a new one that has the request's id.
fn parent(given: Option<&[u8]>, context: &RequestContext) -> Option<Parent> {
    let (id, span) = (context.id()?, context.span()?);
    let given = given.and_then(parse);
    let mut value = *b"00-00000000000000000000000000000000-0000000000000000-00";
    let trace = given.map_or(id, |(trace, _)| trace);
    value[3..35].copy_from_slice(trace.as_bytes());
    value[36..52].copy_from_slice(&span);
    if let Some((trace, flags)) = given {
        context.set_trace(trace);
        value[53..].copy_from_slice(&flags);
    }
    Some(Parent {
        value,
        goes_on: given.is_some(),
    })
}

/// Trace id and flags of a valid `traceparent`.
fn parse(value: &[u8]) -> Option<(Id, [u8; 2])> {
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
    let is_valid = whole && named(trace) && named(parent);
    let (trace, flags) = (trace.try_into().ok()?, flags.try_into().ok()?);
    is_valid.then_some((Id::from_hex(trace), flags))
}

fn is_hex(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
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
        let context = RequestContext::default();
        join(&mut headers, &context);
        let value = headers[&TRACEPARENT].to_str().unwrap().to_owned();
        let (trace, _) = parse(value.as_bytes()).unwrap();
        assert_eq!(context.trace_id(), Some(trace));
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
