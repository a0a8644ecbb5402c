//! What lets people and programs in, in memory: what the proxied path looks at.

use super::User;
use crate::lifetime::{EndNotifier, Lifetime};
use crate::store::Hash;
use crate::timestamp::Timestamp;
use dashmap::DashMap;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// After so long without a request it is in the store alone, until the next one.
pub(super) const KEPT: Duration = Duration::from_hours(24);

/// How exactly we know when it was last used.
const NOTED_EVERY: Duration = Duration::from_mins(1);

/// What lets somebody in: a session or a token.
pub(super) trait Credential {
    /// Its public name.
    fn id(&self) -> Uuid;

    /// The hash of what is held outside.
    fn hash(&self) -> Hash;

    /// When it ends by itself.
    fn expires_at(&self) -> Timestamp;

    /// What it opened ends with this.
    fn lifetime(&self) -> &Arc<Lifetime>;

    /// When it last came with a request.
    fn last_use(&self) -> &LastUse;

    /// Whose it is.
    fn user(&self) -> &Arc<User>;

    /// The same with its user as they are now.
    fn with_user(&self, user: Arc<User>, lifetime: Arc<Lifetime>) -> Self;
}

/// When something last came with a request, to about a minute.
pub(super) struct LastUse(AtomicI64);

impl LastUse {
    pub(super) const fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.millis()))
    }

    pub(super) fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// Rarely writes, so that requests of one session do not fight for a cache line.
    fn note(&self, now: Timestamp) {
        if self.time().after(NOTED_EVERY) <= now {
            self.0.store(now.millis(), Ordering::Relaxed);
        }
    }
}

/// Those that are in use, by the hash of what is held outside; the others are in the store alone,
/// and come here with their next request.
pub(super) struct InUse<C> {
    by_hash: DashMap<Hash, Arc<C>>,
    /// Held while one is on its way from the store to here.
    loading: Mutex<()>,
    written_at: AtomicI64,
}

impl<C> Default for InUse<C> {
    fn default() -> Self {
        Self {
            by_hash: DashMap::new(),
            loading: Mutex::new(()),
            written_at: AtomicI64::new(0),
        }
    }
}

impl<C: Credential> InUse<C> {
    pub(super) fn insert(&self, credential: Arc<C>) {
        self.by_hash.insert(credential.hash(), credential);
    }

    /// The one of this hash, which has now been used.
    pub(super) fn find(&self, hash: &Hash) -> Option<Arc<C>> {
        let now = Timestamp::now();
        let found = self.peek(hash)?;
        (now < found.expires_at()).then(|| {
            found.last_use().note(now);
            found
        })
    }

    /// The one of this hash, if it is here.
    pub(super) fn peek(&self, hash: &Hash) -> Option<Arc<C>> {
        Some(Arc::clone(self.by_hash.get(hash)?.value()))
    }

    /// As [`InUse::find`]; what is not here is fetched from the store by `read`.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn find_or_load<E>(
        &self,
        hash: &Hash,
        read: impl FnOnce() -> Result<Option<C>, E>,
    ) -> Result<Option<Arc<C>>, E> {
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if self.peek(hash).is_none()
            && let Some(credential) = read()?
        {
            self.insert(Arc::new(credential));
        }
        Ok(self.find(hash))
    }

    /// Ends one that has left the store, and what it opened.
    pub(super) fn remove(&self, hash: &Hash) {
        self.let_load();
        if let Some((_, credential)) = self.by_hash.remove(hash) {
            credential.lifetime().end();
        }
    }

    /// Ends one that is here, unless it `is_good` yet: it is looked at in the store.
    ///
    /// # Errors
    /// Those of `is_good`.
    pub(super) fn verify<E>(
        &self,
        hash: &Hash,
        is_good: impl FnOnce(&C) -> Result<bool, E>,
    ) -> Result<(), E> {
        // Whatever is read before the change is here by now, and what is read later has it.
        self.let_load();
        if let Some(credential) = self.peek(hash)
            && !is_good(&credential)?
        {
            self.remove(hash);
        }
        Ok(())
    }

    /// All that are here.
    pub(super) fn hashes(&self) -> Vec<Hash> {
        self.hashes_where(|_| true)
    }

    /// Ends those that have left the store, of which `ends` tells, and what they opened.
    pub(super) fn remove_where(&self, ends: impl Fn(&C) -> bool) {
        self.let_load();
        for hash in self.hashes_where(ends) {
            self.remove(&hash);
        }
    }

    /// Has those of this user know them as `read` says that they are now, in the store. Who is no
    /// admin any longer loses what is open.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn refresh<E>(
        &self,
        id: Uuid,
        ends: &EndNotifier,
        read: impl FnOnce() -> Result<Option<User>, E>,
    ) -> Result<(), E> {
        // Of two who read, the one who comes later has what is newer.
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(user) = read()?.map(Arc::new) else {
            return Ok(());
        };
        for hash in self.hashes_where(|it| it.user().id == id && *it.user() != user) {
            let Some(mut entry) = self.by_hash.get_mut(&hash) else {
                continue;
            };
            let before = Arc::clone(&entry);
            let loses = before.user().admin && !user.admin;
            let lifetime = if loses {
                ends.lifetime(Some(before.expires_at()))
            } else {
                Arc::clone(before.lifetime())
            };
            *entry = Arc::new(before.with_user(Arc::clone(&user), lifetime));
            drop(entry);
            if loses {
                before.lifetime().end();
            }
        }
        Ok(())
    }

    /// When each user of one last came with a request.
    pub(super) fn last_uses(&self) -> HashMap<Uuid, Timestamp> {
        let mut last: HashMap<Uuid, Timestamp> = HashMap::new();
        for it in &self.by_hash {
            let at = it.last_use().time();
            let known = last.entry(it.user().id).or_insert(at);
            *known = at.max(*known);
        }
        last
    }

    /// Ends those whose time has come, and forgets those that were not used for long.
    pub(super) fn purge_expired(&self, now: Timestamp) {
        self.remove_where(|it| it.expires_at() <= now);
        let unused = now.before(KEPT);
        for hash in self.hashes_where(|it| it.last_use().time() <= unused) {
            // Nobody finds it between this look and the removal.
            self.by_hash.remove_if(&hash, |_, it| is_held_by_nobody(it));
        }
    }

    fn hashes_where(&self, is_meant: impl Fn(&C) -> bool) -> Vec<Hash> {
        // Readers of the map need not wait for the search.
        let meant = self.by_hash.iter().filter(|it| is_meant(it));
        meant.map(|it| it.hash()).collect()
    }

    /// Whoever was read from the store before this is here afterwards, and can be removed; who
    /// comes later is no longer in the store.
    fn let_load(&self) {
        drop(self.loading.lock());
    }

    /// When those that came with a request since the last call were used.
    pub(super) fn used_since_last_time(&self, now: Timestamp) -> Vec<(Uuid, Timestamp)> {
        let last = self.written_at.swap(now.millis(), Ordering::Relaxed);
        self.by_hash
            .iter()
            .map(|it| (it.id(), it.last_use().time()))
            .filter(|(_, time)| time.millis() >= last)
            .collect()
    }
}

/// Whether no request has it, and nothing that it opened goes on: both would miss its end if it
/// were fetched once more meanwhile.
fn is_held_by_nobody(credential: &Arc<impl Credential>) -> bool {
    Arc::strong_count(credential) == 1 && Arc::strong_count(credential.lifetime()) == 1
}
