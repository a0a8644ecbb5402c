//! The event log as server-sent events.

use super::{Caller, HttpError};
use crate::service::{Identity, Service};
use axum::BoxError;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use std::time::Duration;

/// How soon a browser asks again for a stream that ended.
const RETRY: Duration = Duration::from_secs(1);

/// How long a stream says nothing at most; below every usual idle time-out between.
const SILENCE: Duration = Duration::from_secs(15);

/// Whether the client asks for a stream.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::ACCEPT).iter();
    values.any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.contains("text/event-stream")
    })
}

/// The id that a client saw last.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, HttpError> {
    let Some(id) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let number = id.to_str().ok().and_then(|id| id.parse().ok());
    number.map(Some).ok_or_else(|| {
        HttpError::new(
            StatusCode::BAD_REQUEST,
            "invalid_last_event_id",
            "Last-Event-ID is not an event's id; leave it out to begin with the first event",
        )
    })
}

/// Who answers, as the first thing that a stream says: after a swap it is another sandbox,
/// whose ids mean other events.
#[derive(Serialize)]
struct Hello<'a> {
    #[serde(flatten)]
    identity: &'a Identity,
    role: &'a str,
    generation: Option<u64>,
}

/// Every event after the id `after`, until the client goes or the service ends.
pub(super) fn of(
    service: &Service,
    caller: &Caller,
    after: i64,
) -> Sse<impl Stream<Item = Result<Event, BoxError>> + use<>> {
    let identity = &service.identity;
    let hello = Hello {
        identity,
        role: caller.role.unwrap_or(identity.instance_role).as_str(),
        generation: caller.generation,
    };
    let begin = Event::default().retry(RETRY).event("sandbox");
    let begin = stream::iter([begin.json_data(hello).map_err(BoxError::from)]);
    let events = service.log.follow(after).map(|event| {
        let event = event?;
        let id = event.id.to_string();
        Ok(Event::default().id(id).json_data(event)?)
    });
    let shutdown = service.shutdown.clone().cancelled_owned();
    let events = begin.chain(events).take_until(shutdown);
    Sse::new(events).keep_alive(KeepAlive::new().interval(SILENCE))
}
