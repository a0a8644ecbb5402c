//! What clients saw of something that only ever grows, and whether one thing can have been seen so.
//!
//! A session is good and then ended; the generation of a workspace's routes counts up. Of such a
//! register a history is linearizable just if nobody sees less than what somebody saw, or wrote,
//! before they began, and nobody sees what nobody had begun to write.
//!
//! Routes are so: their home alone has them. A session is known to each gateway by itself. While its
//! end is not answered yet, one may know of it before another does; from the answer on all do. Such
//! a register is called regular.

use std::sync::Mutex;
use std::time::Instant;

/// What one client saw or wrote, and when.
#[derive(Debug, Clone)]
pub struct Seen {
    pub begun: Instant,
    pub ended: Instant,
    pub value: u64,
    pub by: String,
    /// Whether they wrote it, and had the answer at the end.
    pub is_written: bool,
}

/// What may be seen before a write is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What one has seen, each one sees who comes later.
    Linearizable,
    /// One may see the old value after another one has seen the new.
    Regular,
}

/// All of it.
#[derive(Debug)]
pub struct History {
    kind: Kind,
    first: u64,
    seen: Mutex<Vec<Seen>>,
    /// Values that somebody began to write, and when.
    begun: Mutex<Vec<(Instant, u64)>>,
}

impl History {
    pub fn new(kind: Kind, first: u64) -> Self {
        Self {
            kind,
            first,
            seen: Mutex::default(),
            begun: Mutex::default(),
        }
    }

    /// Somebody begins to write this, whatever comes of it.
    pub fn begin(&self, value: u64) {
        self.begun.lock().unwrap().push((Instant::now(), value));
    }

    /// Somebody who began then has seen this by now.
    pub fn saw(&self, begun: Instant, value: u64, by: String) {
        self.add(begun, value, by, false);
    }

    /// Somebody who began then has written this by now.
    pub fn wrote(&self, begun: Instant, value: u64, by: String) {
        self.add(begun, value, by, true);
    }

    fn add(&self, begun: Instant, value: u64, by: String, is_written: bool) {
        self.seen.lock().unwrap().push(Seen {
            begun,
            ended: Instant::now(),
            value,
            by,
            is_written,
        });
    }

    /// The largest value that somebody began to write, or the first.
    pub fn begun_last(&self) -> u64 {
        let begun = self.begun.lock().unwrap();
        begun
            .iter()
            .map(|(_, value)| *value)
            .max()
            .unwrap_or(self.first)
    }

    pub fn len(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// A sentence for the first thing that cannot have been.
    pub fn violation(&self) -> Option<String> {
        let mut by_begin = self.seen.lock().unwrap().clone();
        let mut by_end = by_begin.clone();
        by_begin.sort_by_key(|it| it.begun);
        by_end.sort_by_key(|it| it.ended);
        let mut ended = by_end.iter().peekable();
        let mut most: Option<&Seen> = None;
        let begun = self.begun.lock().unwrap();
        for it in &by_begin {
            while let Some(before) = ended.next_if(|other| other.ended < it.begun) {
                let counts = before.is_written || self.kind == Kind::Linearizable;
                if counts && most.is_none_or(|most| most.value < before.value) {
                    most = Some(before);
                }
            }
            if let Some(most) = most.filter(|most| most.value > it.value) {
                return Some(
                    format!(
                        "{} saw {}, which {:?} before {} had",
                        it.by,
                        it.value,
                        it.begun - most.ended,
                        most.by
                    ) + &format!(" as {}", most.value),
                );
            }
            let was_begun = |(at, value): &(Instant, u64)| *value >= it.value && *at < it.ended;
            if it.value > self.first && !begun.iter().any(was_begun) {
                return Some(format!("{} saw {}, which nobody wrote", it.by, it.value));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// From so many milliseconds to so many, this was seen.
    fn history(kind: Kind, begun: &[(u64, u64)], seen: &[(u64, u64, u64)]) -> History {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let history = History::new(kind, 0);
        *history.begun.lock().unwrap() =
            begun.iter().map(|(ms, value)| (at(*ms), *value)).collect();
        *history.seen.lock().unwrap() = seen
            .iter()
            .map(|(begun, ended, value)| Seen {
                begun: at(*begun),
                ended: at(*ended),
                value: *value,
                by: format!("{begun}"),
                is_written: *begun == 0,
            })
            .collect();
        history
    }

    #[test]
    fn what_overlaps_may_be_seen_either_way_and_what_does_not_only_one() {
        for (seen, is_fine) in [
            (&[(0, 10, 0), (12, 20, 1)][..], true),
            (&[(0, 10, 1), (5, 20, 0)], true),
            (&[(0, 10, 1), (12, 20, 0)], false),
            // Through a third, who saw it in between.
            (&[(0, 30, 1), (2, 4, 1), (5, 6, 0)], false),
            (&[(0, 30, 0), (2, 4, 1), (5, 6, 1)], true),
            (&[(0, 10, 2)], false),
        ] {
            let violation = history(Kind::Linearizable, &[(0, 1)], seen).violation();
            assert_eq!(violation.is_none(), is_fine, "{seen:?}: {violation:?}");
        }
        let early = history(Kind::Regular, &[(20, 1)], &[(0, 10, 1)]);
        assert!(early.violation().unwrap().contains("nobody wrote"));
        for (seen, is_fine) in [
            (&[(0, 30, 1), (2, 4, 1), (5, 6, 0)][..], true),
            (&[(0, 30, 1), (2, 4, 1), (31, 32, 0)], false),
        ] {
            let violation = history(Kind::Regular, &[(0, 1)], seen).violation();
            assert_eq!(violation.is_none(), is_fine, "{seen:?}: {violation:?}");
        }
    }
}
