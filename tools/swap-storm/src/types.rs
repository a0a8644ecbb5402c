//! The words that every part of the storm uses: roles, kinds of requests, moments.

use std::fmt;
use std::time::Duration;

/// Nanoseconds since the storm began.
pub(super) type Moment = u64;

pub(super) fn nanos(duration: Duration) -> Moment {
    Moment::try_from(duration.as_nanos()).unwrap_or(Moment::MAX)
}

/// A moment for people.
pub(super) fn clock(moment: Moment) -> String {
    format!("{:.3} s", Duration::from_nanos(moment).as_secs_f64())
}

/// A role, and also the sandbox that was born with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What everyone uses.
    Live,
    /// What is worked on.
    Dev,
}

impl Role {
    pub(super) const BOTH: [Self; 2] = [Self::Live, Self::Dev];

    /// `live` or `dev`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Dev => "dev",
        }
    }

    /// The name of the sandbox that was born with this role.
    pub(super) const fn sandbox(self) -> &'static str {
        match self {
            Self::Live => "sandbox-live",
            Self::Dev => "sandbox-dev",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|role| role.as_str() == word)
    }

    pub(super) fn of_sandbox(name: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|role| role.sandbox() == name)
    }

    /// The sandbox that has this role in a generation: at first its own, and then in turns.
    pub(super) const fn held_by(self, generation: u64) -> Self {
        match (self, generation % 2 == 1) {
            (Self::Live, true) | (Self::Dev, false) => Self::Live,
            (Self::Live, false) | (Self::Dev, true) => Self::Dev,
        }
    }
}

/// One run of a sandbox's program, by its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Run {
    /// No other run has it.
    pub(super) id: u64,
    /// Its process.
    pub(super) pid: i32,
    /// The number of what it runs.
    pub(super) release: u64,
}

impl Run {
    pub(super) fn of(words: &str) -> Option<Self> {
        let mut words = words.split(' ');
        Some(Self {
            id: words.next()?.parse().ok()?,
            pid: words.next()?.parse().ok()?,
            release: words.next()?.parse().ok()?,
        })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, pid, release } = self;
        write!(f, "{id} {pid} {release}")
    }
}

/// What a client does again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// GET on a connection that is kept.
    Get,
    /// GET on a new connection.
    Visit,
    /// GET of 64 KiB that take their time.
    Slow,
    /// POST of 64 KiB with a length.
    Post,
    /// POST of 64 KiB in chunks that take their time.
    Chunked,
    /// Server-sent events until their end.
    Events,
    /// A WebSocket that is talked to until its end.
    WebSocket,
}

impl Kind {
    /// All of them, in the report's order.
    pub const ALL: [Self; 7] = [
        Self::Get,
        Self::Visit,
        Self::Slow,
        Self::Post,
        Self::Chunked,
        Self::Events,
        Self::WebSocket,
    ];

    /// What client number `index` does: of 32 each, most are small GETs.
    pub(super) const fn of_client(index: usize) -> Self {
        match index % 32 {
            0 | 16 => Self::Visit,
            1 | 17 => Self::Slow,
            2 | 10 | 18 | 26 => Self::Post,
            3 | 19 => Self::Chunked,
            4 | 20 => Self::Events,
            5 | 13 | 21 => Self::WebSocket,
            _ => Self::Get,
        }
    }

    /// Whether a request that may not have arrived may be sent again (RFC 9110, 9.2.2).
    pub(super) const fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Chunked)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Get => "GET",
            Self::Visit => "GET, new connection",
            Self::Slow => "GET 64 KiB, slow",
            Self::Post => "POST 64 KiB",
            Self::Chunked => "POST chunked, slow",
            Self::Events => "SSE",
            Self::WebSocket => "WebSocket",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_two_clients_do_all_there_is_to_do() {
        for kind in Kind::ALL {
            assert!(
                (0..32).any(|index| Kind::of_client(index) == kind),
                "{kind}"
            );
        }
    }

    #[test]
    fn two_sandboxes_take_turns() {
        assert_eq!(Role::Live.held_by(1), Role::Live);
        assert_eq!(Role::Live.held_by(2), Role::Dev);
        for generation in 1..5 {
            let (live, dev) = (
                Role::Live.held_by(generation),
                Role::Dev.held_by(generation),
            );
            assert_ne!(live, dev);
        }
    }
}
