//! Which connections that waited may carry a request that must not be sent twice.
//!
//! A server closes a connection that nobody used for a while, and a request that is on its way by
//! then is lost. One that may be repeated is sent again. All others go only on a connection that
//! waited much shorter than its server keeps one.

use crate::clock;
use http::header::{HeaderMap, HeaderName};
use std::cell::Cell;
use std::time::Duration;

static KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// What holds where a server says nothing. Servers count this time in whole seconds, from one
/// (most have 2 to 75); half of the least leaves as much for either side to be slow.
const UNKNOWN: Duration = Duration::from_millis(500);

/// For how long a route's connections may have waited.
#[derive(Debug, Default)]
pub(super) struct Reuse {
    /// What `Keep-Alive` said.
    announced: Cell<Option<Duration>>,
    /// After how long one was closed, at the soonest.
    seen: Cell<Option<Duration>>,
}

impl Reuse {
    /// Whether one that waits `since` then may be used.
    pub(super) fn allows(&self, since: Duration) -> bool {
        let kept = self.announced.get().map_or(UNKNOWN, |kept| kept / 2);
        let seen = self.seen.get().map_or(kept, |seen| seen / 2);
        clock::monotonic().saturating_sub(since) < kept.min(seen)
    }

    /// Heeds what a response says.
    pub(super) fn heed(&self, headers: &HeaderMap) {
        let said = headers.get(&KEEP_ALIVE).and_then(|it| it.to_str().ok());
        let Some(said) = said else { return };
        let parameters = said.split(',').filter_map(|it| it.trim().split_once('='));
        for (name, value) in parameters {
            if name.trim_end().eq_ignore_ascii_case("timeout")
                && let Ok(secs) = value.trim().parse::<u32>()
            {
                self.announced.set(Some(Duration::from_secs(secs.into())));
            }
        }
    }

    /// One that waited `since` then was closed.
    pub(super) fn closed(&self, since: Duration) {
        let waited = clock::monotonic().saturating_sub(since);
        let sooner = self.seen.get().map_or(waited, |seen| seen.min(waited));
        self.seen.set(Some(sooner));
    }

    /// Believes a little less in what was seen: a sandbox that is stopped closes all at once.
    pub(super) fn forget(&self) {
        let seen = self.seen.get().map(|seen| seen * 2 + UNKNOWN / 100);
        self.seen.set(seen.filter(|seen| *seen < 2 * UNKNOWN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// The longest wait that is allowed, in milliseconds.
    fn longest(reuse: &Reuse) -> Option<u64> {
        (0..60_000).rev().find(|millis| {
            let since = clock::monotonic().checked_sub(Duration::from_millis(*millis));
            since.is_some_and(|since| reuse.allows(since))
        })
    }

    #[test]
    fn what_the_server_says_and_does_counts() {
        let about = |reuse: &Reuse, millis: u64| {
            let longest = longest(reuse);
            let near = longest.is_some_and(|it| it.abs_diff(millis) < 50);
            assert!(near, "{longest:?}, not {millis}");
        };
        let reuse = Reuse::default();
        about(&reuse, 500);
        for (said, millis) in [("timeout=4, max=9", 2000), ("max=9,Timeout = 3", 1500)] {
            let mut headers = HeaderMap::new();
            headers.insert(KEEP_ALIVE.clone(), HeaderValue::from_static(said));
            reuse.heed(&headers);
            about(&reuse, millis);
        }
        reuse.closed(clock::monotonic().saturating_sub(Duration::from_millis(600)));
        about(&reuse, 300);
        reuse.closed(clock::monotonic().saturating_sub(Duration::from_millis(900)));
        about(&reuse, 300);
        reuse.forget();
        about(&reuse, 1500);
        reuse.closed(clock::monotonic());
        assert_eq!(longest(&reuse), None);
    }
}
