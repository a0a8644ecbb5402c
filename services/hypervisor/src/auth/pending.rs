//! What waits to be taken, once and for a short time: a ceremony, an act, a way in.
//!
//! Each has an owner, who may have so many: one more takes the place of their oldest. There is room
//! for so many of all owners together. When it is full, whoever has most loses their oldest: a
//! flood from one place makes room for itself alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Values that wait, by their keys.
pub(super) struct Pending<K, O, T> {
    waiting: Mutex<Waiting<K, O, T>>,
    lasts: Duration,
    most_of_owner: usize,
    most: usize,
}

/// All of it in order, so that none of this takes longer the more there is.
struct Waiting<K, O, T> {
    by_key: HashMap<K, Entry<O, T>>,
    /// The keys in the order in which they came.
    by_number: BTreeMap<u64, K>,
    /// The numbers of each owner, oldest first.
    by_owner: HashMap<O, VecDeque<u64>>,
    /// The owners by how many they have, and of several the one whose oldest is older.
    by_count: BTreeSet<(usize, Reverse<u64>, O)>,
    next: u64,
}

struct Entry<O, T> {
    number: u64,
    at: Instant,
    owner: O,
    value: T,
}

impl<K: Copy + Eq + Hash, O: Copy + Eq + Hash + Ord, T> Pending<K, O, T> {
    /// Room for so many of one owner, and of all together, each for so long.
    pub(super) fn new(lasts: Duration, most_of_owner: usize, most: usize) -> Self {
        let waiting = Waiting {
            by_key: HashMap::new(),
            by_number: BTreeMap::new(),
            by_owner: HashMap::new(),
            by_count: BTreeSet::new(),
            next: 0,
        };
        Self {
            waiting: Mutex::new(waiting),
            lasts,
            most_of_owner,
            most,
        }
    }

    /// How long each waits.
    pub(super) const fn lasts(&self) -> Duration {
        self.lasts
    }

    /// One more.
    pub(super) fn insert(&self, key: K, owner: O, value: T) {
        self.insert_at(key, owner, value, Instant::now());
    }

    /// One more, which began at this time.
    pub(super) fn insert_at(&self, key: K, owner: O, value: T, at: Instant) {
        let mut waiting = self.waiting();
        waiting.purge_expired(self.lasts);
        if waiting.count(&owner) >= self.most_of_owner {
            waiting.drop_oldest_of(&owner);
        }
        if waiting.by_key.len() >= self.most
            && let Some((_, _, busiest)) = waiting.by_count.last().copied()
        {
            waiting.drop_oldest_of(&busiest);
        }
        waiting.insert(key, owner, value, at);
    }

    /// What has this key, which nobody can take again.
    pub(super) fn take(&self, key: &K) -> Option<T> {
        let entry = self.waiting().remove(key)?;
        (entry.at.elapsed() < self.lasts).then_some(entry.value)
    }

    /// The same, if it is this owner's; that of another stays.
    pub(super) fn take_of(&self, owner: &O, key: &K) -> Option<T> {
        let mut waiting = self.waiting();
        waiting.by_key.get(key).filter(|it| it.owner == *owner)?;
        let entry = waiting.remove(key)?;
        (entry.at.elapsed() < self.lasts).then_some(entry.value)
    }

    /// Looks at what this owner has of this key, and for how long it waits still.
    pub(super) fn look<R>(
        &self,
        owner: &O,
        key: &K,
        at: impl FnOnce(&T, Duration) -> R,
    ) -> Option<R> {
        let waiting = self.waiting();
        let entry = waiting.by_key.get(key).filter(|it| it.owner == *owner)?;
        let left = self.lasts.checked_sub(entry.at.elapsed())?;
        (!left.is_zero()).then(|| at(&entry.value, left))
    }

    pub(super) fn purge_expired(&self) {
        self.waiting().purge_expired(self.lasts);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<K, O, T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are, and of how many owners.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        let waiting = self.waiting();
        (waiting.by_key.len(), waiting.by_owner.len())
    }
}

impl<K: Copy + Eq + Hash, O: Copy + Eq + Hash + Ord, T> Waiting<K, O, T> {
    fn count(&self, owner: &O) -> usize {
        self.by_owner.get(owner).map_or(0, VecDeque::len)
    }

    fn insert(&mut self, key: K, owner: O, value: T, at: Instant) {
        let number = self.next;
        self.next += 1;
        let entry = Entry {
            number,
            at,
            owner,
            value,
        };
        self.by_key.insert(key, entry);
        self.by_number.insert(number, key);
        self.change(owner, |theirs| theirs.push_back(number));
    }

    fn remove(&mut self, key: &K) -> Option<Entry<O, T>> {
        let entry = self.by_key.remove(key)?;
        self.by_number.remove(&entry.number);
        self.change(entry.owner, |theirs| {
            if theirs.front() == Some(&entry.number) {
                theirs.pop_front();
            } else {
                theirs.retain(|number| *number != entry.number);
            }
        });
        Some(entry)
    }

    /// Changes what an owner has, and with it their place among the others.
    fn change(&mut self, owner: O, change: impl FnOnce(&mut VecDeque<u64>)) {
        let theirs = self.by_owner.entry(owner).or_default();
        let place = |theirs: &VecDeque<u64>| {
            let oldest = theirs.front().copied()?;
            Some((theirs.len(), Reverse(oldest), owner))
        };
        if let Some(before) = place(theirs) {
            self.by_count.remove(&before);
        }
        change(theirs);
        match place(theirs) {
            Some(after) => {
                self.by_count.insert(after);
            }
            None => {
                self.by_owner.remove(&owner);
            }
        }
    }

    fn drop_oldest_of(&mut self, owner: &O) {
        let number = self.by_owner.get(owner).and_then(|theirs| theirs.front());
        let key = number
            .and_then(|number| self.by_number.get(number))
            .copied();
        if let Some(key) = key {
            self.remove(&key);
        }
    }

    /// All wait equally long, so that those that came first have ended first.
    fn purge_expired(&mut self, lasts: Duration) {
        while let Some((_, key)) = self.by_number.first_key_value() {
            let key = *key;
            let goes_on = |it: &Entry<O, T>| it.at.elapsed() < lasts;
            if self.by_key.get(&key).is_some_and(goes_on) {
                break;
            }
            self.by_number.pop_first();
            self.remove(&key);
        }
    }
}
