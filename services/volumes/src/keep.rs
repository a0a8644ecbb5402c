//! Which snapshots stay, by rule.

use crate::id::SnapshotId;
use crate::snapshot::{Reason, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// How many snapshots stay of each kind: those that people asked for, those taken at promotions
/// and forks, those put aside, and those of backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// So many of the newest.
    pub last: usize,
    /// And the newest of each of so many days, counting days that have one.
    pub daily: usize,
}

impl Default for Keep {
    fn default() -> Self {
        Self { last: 10, daily: 7 }
    }
}

/// They are counted together.
#[derive(PartialEq, Eq, Hash)]
enum Kind {
    Asked,
    Change,
    Aside,
    Backup,
}

fn kind(reason: Reason) -> Kind {
    match reason {
        Reason::Asked => Kind::Asked,
        Reason::Promote | Reason::Fork => Kind::Change,
        Reason::Restore | Reason::Aside => Kind::Aside,
        Reason::Backup => Kind::Backup,
    }
}

/// What is kept already of one kind, the newest first.
#[derive(Default)]
struct Kept {
    last: usize,
    days: HashSet<u64>,
}

impl Kept {
    fn keeps(&mut self, rule: Keep, at: u64) -> bool {
        let newest_of_its_day = self.days.len() < rule.daily && self.days.insert(at / DAY_MS);
        if self.last < rule.last {
            self.last += 1;
            return true;
        }
        newest_of_its_day
    }
}

const DAY_MS: u64 = 86_400_000;

/// By what copies are sorted, the oldest first. One that says to be of the future was made while the
/// clock was ahead: it is older than any that is made from now on, and pushes none of them out.
pub(crate) fn age(at: u64, id: &SnapshotId, now: u64) -> (bool, u64, &SnapshotId) {
    (at <= now, at, id)
}

impl Keep {
    /// Which go, of things of one kind that were made at these times (in milliseconds since 1970),
    /// the oldest first: their places.
    pub fn surplus_of(self, times: &[u64]) -> Vec<usize> {
        let mut kept = Kept::default();
        let mut surplus: Vec<_> = (0..times.len())
            .rev()
            .filter(|&it| !kept.keeps(self, times[it]))
            .collect();
        surplus.reverse();
        surplus
    }

    /// Those that go, of `all`, which come oldest first. What is `held` stays, and does not count.
    pub(crate) fn surplus(self, all: &[Snapshot], held: &[SnapshotId]) -> Vec<SnapshotId> {
        let mut kept: HashMap<Kind, Kept> = HashMap::new();
        let mut surplus = Vec::new();
        for snapshot in all.iter().rev() {
            if held.contains(&snapshot.id) {
                continue;
            }
            let kept = kept.entry(kind(snapshot.reason)).or_default();
            if !kept.keeps(self, snapshot.at) {
                surplus.push(snapshot.id.clone());
            }
        }
        surplus
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, Keep};
    use crate::id::SnapshotId;
    use crate::snapshot::{Reason, Snapshot};
    use std::time::{Duration, UNIX_EPOCH};

    fn made(hours: u64, reason: Reason) -> Snapshot {
        let at = hours * DAY_MS / 24;
        Snapshot {
            id: SnapshotId::new(UNIX_EPOCH + Duration::from_millis(at), 0),
            at,
            reason,
            bytes: 0,
            files: 0,
            frozen_ms: 0.0,
            shares_blocks: false,
            left_out: 0,
        }
    }

    fn hours_left(keep: Keep, all: &[Snapshot], held: &[SnapshotId]) -> Vec<u64> {
        let surplus = keep.surplus(all, held);
        all.iter()
            .filter(|snapshot| !surplus.contains(&snapshot.id))
            .map(|snapshot| snapshot.at * 24 / DAY_MS)
            .collect()
    }

    #[test]
    fn the_newest_stay_and_one_of_each_day() {
        let all: Vec<_> = (0..96).map(|hour| made(hour, Reason::Promote)).collect();
        let keep = Keep { last: 3, daily: 3 };
        assert_eq!(hours_left(keep, &all, &[]), [47, 71, 93, 94, 95]);
        let nothing = Keep { last: 0, daily: 0 };
        let held = [all[5].id.clone()];
        assert_eq!(hours_left(nothing, &all, &held), [5]);
    }

    #[test]
    fn what_was_asked_for_is_not_pushed_out_by_promotions() {
        let mut all: Vec<_> = (0..3).map(|hour| made(hour, Reason::Asked)).collect();
        all.extend((3..50).map(|hour| made(hour, Reason::Promote)));
        let keep = Keep { last: 2, daily: 0 };
        assert_eq!(hours_left(keep, &all, &[]), [1, 2, 48, 49]);
    }
}
