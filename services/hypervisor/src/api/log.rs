//! What a sandbox writes, as a stream of events, for those who may see it and for as long as they
//! may.

use super::Api;
use super::acts::steered;
use super::log_readers::Reading;
use crate::auth::Caller;
use crate::error::{HttpError, Parameters};
use crate::lifetime::Lifetimes;
use crate::role::Role;
use crate::routes::Workspace;
use crate::runtime::LogLines;
use crate::timestamp::Timestamp;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use utoipa::IntoParams;

/// How often it is seen whether the time of what lets the reader in has come. An end that somebody
/// makes is heard of at once.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// So many lines, if nothing is said.
const LINES: usize = 200;

/// What is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The last so many lines, 1000 at most; 200 if nothing is said.
    #[serde(default = "lines")]
    lines: usize,
    /// And those to come.
    #[serde(default)]
    follow: bool,
}

const fn lines() -> usize {
    LINES
}

#[derive(Serialize)]
struct Line {
    line: String,
}

/// What a sandbox wrote last, and with `follow` what it writes: each event is `{"line":"…"}`.
#[utoipa::path(
    get, path = "/api/sandboxes/{workspace}/{role}/log", tag = "sandboxes",
    params(("workspace" = String, Path), ("role" = Role, Path), Asked),
    security(("session" = []), ("token" = ["sandboxes:read"])),
    responses((status = 200, description = "The lines", content_type = "text/event-stream", body = String))
)]
pub(super) async fn log(
    State(api): State<Api>,
    caller: Caller,
    path: Result<Path<(String, Role)>, PathRejection>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Response, HttpError> {
    let Path((name, role)) = path?;
    let workspace = steered(&api, &caller, &name)?;
    let lifetimes = lifetimes(&api, &caller, &workspace);
    let reading = api.log_readers.enter(caller.user().map(|user| user.id))?;
    let sandbox = workspace.pair().route(role).sandbox.clone();
    let lines = sandbox.log(asked.lines, asked.follow).await?;
    let reader = Reader {
        lines,
        lifetimes,
        ends: api.auth.end_notifier().subscribe(),
        reading,
    };
    let events = stream::unfold(reader, async |mut reader| {
        let line = reader.next().await?;
        Some((Event::default().json_data(Line { line }), reader))
    });
    let mut response = Sse::new(events.boxed())
        .keep_alive(KeepAlive::default())
        .into_response();
    // A proxy in front that collects what it passes on would hold lines back.
    let unbuffered = HeaderValue::from_static("no");
    response
        .headers_mut()
        .insert("x-accel-buffering", unbuffered);
    Ok(response)
}

/// What lets the caller in. An admin needs to be no member, and is one for as long as the session
/// lasts.
fn lifetimes(api: &Api, caller: &Caller, workspace: &Arc<Workspace>) -> Lifetimes {
    let user = caller.user().filter(|_| !caller.is_admin());
    let membership = user.map(|user| {
        let found = api.routes.membership(user.id, workspace);
        // Taken out just now.
        found.unwrap_or_else(|| {
            let over = Timestamp::from_millis(0);
            api.auth.end_notifier().lifetime(Some(over))
        })
    });
    Lifetimes {
        session: caller.lifetime().cloned(),
        access: membership,
    }
}

/// Somebody who reads a log.
struct Reader {
    lines: LogLines,
    lifetimes: Lifetimes,
    ends: watch::Receiver<()>,
    reading: Reading,
}

impl Reader {
    /// The next line, unless what let the reader in is over.
    async fn next(&mut self) -> Option<String> {
        while !self.lifetimes.are_over(Timestamp::now()) {
            tokio::select! {
                biased;
                () = self.reading.ending() => return None,
                ended = self.ends.changed() => ended.ok()?,
                () = sleep(LOOK_EVERY) => {}
                line = self.lines.next() => return line,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::LogReaders;
    use crate::lifetime::{EndNotifier, Lifetime};
    use tokio_util::sync::CancellationToken;

    fn reader(lifetimes: Lifetimes, notifier: &EndNotifier, stop: &CancellationToken) -> Reader {
        let readers = Arc::new(LogReaders::new(stop.clone()));
        Reader {
            lines: stream::repeat("a line".to_owned()).boxed(),
            lifetimes,
            ends: notifier.subscribe(),
            reading: readers.enter(None).unwrap(),
        }
    }

    #[tokio::test]
    async fn no_line_comes_after_the_end_of_what_let_the_reader_in() {
        let (notifier, stop) = (EndNotifier::new(), CancellationToken::new());
        let lifetime = || notifier.lifetime(None);
        let (session, access) = (lifetime(), lifetime());
        let both = || Lifetimes {
            session: Some(session.clone()),
            access: Some(access.clone()),
        };
        let mut first = reader(both(), &notifier, &stop);
        assert_eq!(first.next().await.unwrap(), "a line");
        access.end();
        assert_eq!(first.next().await, None);
        let over = notifier.lifetime(Some(Timestamp::now()));
        let expired = Lifetimes {
            session: Some(over),
            access: None,
        };
        assert_eq!(reader(expired, &notifier, &stop).next().await, None);
    }

    /// Brings about the end.
    type End = fn(&Lifetime, &CancellationToken);

    #[tokio::test]
    async fn one_who_waits_for_a_line_hears_of_the_end() {
        let notifier = EndNotifier::new();
        let soon = Timestamp::now().after(LOOK_EVERY);
        for (expires_at, end) in [
            (None, (|session, _| session.end()) as End),
            (None, |_, stop| stop.cancel()),
            (Some(soon), |_, _| {}),
        ] {
            let stop = CancellationToken::new();
            let session = notifier.lifetime(expires_at);
            let lifetimes = Lifetimes {
                session: Some(session.clone()),
                access: None,
            };
            let mut waiting = reader(lifetimes, &notifier, &stop);
            waiting.lines = stream::pending().boxed();
            let waiting = tokio::spawn(async move { waiting.next().await });
            tokio::task::yield_now().await;
            end(&session, &stop);
            assert_eq!(waiting.await.unwrap(), None);
        }
    }
}
