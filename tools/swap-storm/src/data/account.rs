//! What a client has written, by the acknowledgements that it got.

use super::record::{Key, Stored};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A record that was acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acknowledged {
    pub(super) sequence: u64,
    /// The release that said so.
    pub(super) release: u64,
    /// How often it was sent until then.
    pub(super) sent: u64,
}

/// What one client has written: number 1 first.
pub(super) struct Account {
    pub(super) client: u32,
    records: Mutex<Vec<Acknowledged>>,
}

/// What is wrong with what is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Acknowledged, and not there or another.
    Lost(String),
    /// There more often than it was sent.
    Twice(String),
    /// There, at another place than was acknowledged.
    Disordered(String),
}

impl Account {
    pub(super) fn new(client: u32) -> Self {
        Self {
            client,
            records: Mutex::default(),
        }
    }

    fn records(&self) -> MutexGuard<'_, Vec<Acknowledged>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many were acknowledged.
    pub(super) fn count(&self) -> u64 {
        self.records().len() as u64
    }

    /// The newest record's sequence.
    pub(super) fn newest(&self) -> u64 {
        self.records().last().map_or(0, |last| last.sequence)
    }

    /// The next record to write.
    pub(super) fn next(&self) -> Key {
        Key {
            client: self.client,
            number: self.count() + 1,
        }
    }

    /// The next record was acknowledged.
    pub(super) fn acknowledge(&self, record: Acknowledged) {
        self.records().push(record);
    }

    /// Takes out what this release has acknowledged last; says how many, and what is then the
    /// newest sequence.
    pub(super) fn order_away(&self, release: u64) -> (u64, u64) {
        let mut records = self.records();
        let before = records.len();
        while records.last().is_some_and(|last| last.release == release) {
            records.pop();
        }
        let gone = before - records.len();
        drop(records);
        (gone as u64, self.newest())
    }

    /// Compares the lines of this client's records after number `after`, as they are now, with
    /// what was acknowledged until `count`.
    pub(super) fn compare(&self, lines: &str, after: u64, count: u64) -> Vec<Wrong> {
        let records = self.records();
        let mut wrong = Vec::new();
        let mut lines = lines.lines();
        for number in after + 1..=count {
            let key = Key {
                client: self.client,
                number,
            };
            let Some(said) = usize::try_from(number - 1)
                .ok()
                .and_then(|at| records.get(at))
            else {
                break; // Gone by order meanwhile.
            };
            match lines.next().map(|line| (Stored::of(line), line)) {
                None => {
                    wrong.push(Wrong::Lost(format!("{key} and what came after it")));
                    break;
                }
                Some((Some(stored), _)) if stored.key == key => {
                    if stored.sequence != said.sequence {
                        wrong.push(Wrong::Disordered(format!(
                            "{stored:?}, and said was {said:?}"
                        )));
                    }
                    if stored.arrivals > said.sent {
                        wrong.push(Wrong::Twice(format!("{stored:?}, and said was {said:?}")));
                    }
                }
                Some((_, line)) => {
                    wrong.push(Wrong::Lost(format!("{key}: in its place is {line:?}")));
                    break;
                }
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        let account = Account::new(1);
        for sequence in [4, 9, 12] {
            let release = if sequence < 12 { 1 } else { 2 };
            account.acknowledge(Acknowledged {
                sequence,
                release,
                sent: 1,
            });
        }
        account
    }

    fn line(number: u64, sequence: u64, arrivals: u64) -> String {
        let key = Key { client: 1, number };
        let stored = Stored {
            key,
            sequence,
            arrivals,
        };
        stored.line(&key.text())
    }

    #[test]
    fn what_is_lost_twice_or_elsewhere_is_seen() {
        let all = [line(1, 4, 1), line(2, 9, 1), line(3, 12, 1)];
        assert_eq!(account().compare(&all.concat(), 0, 3), []);
        assert_eq!(account().compare(&all[1..].concat(), 1, 3), []);
        let seen = |lines: &[String]| account().compare(&lines.concat(), 0, 3);
        assert!(matches!(seen(&all[..2])[..], [Wrong::Lost(_)]));
        assert!(matches!(seen(&all[1..])[..], [Wrong::Lost(_)]));
        let twice = [line(1, 4, 1), line(2, 9, 2), line(3, 12, 1)];
        assert!(matches!(seen(&twice)[..], [Wrong::Twice(_)]));
        let elsewhere = [line(1, 4, 1), line(2, 10, 1), line(3, 12, 1)];
        assert!(matches!(seen(&elsewhere)[..], [Wrong::Disordered(_)]));
    }

    #[test]
    fn what_a_release_acknowledged_goes_by_order() {
        let account = account();
        assert_eq!(account.order_away(2), (1, 9));
        assert_eq!(account.next().number, 3);
        assert_eq!(account.order_away(2), (0, 9));
    }
}
