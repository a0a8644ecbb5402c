//! What the gateways of several machines know of each other, by the store that they share.

use super::{Hash, StoreError};
use crate::timestamp::Timestamp;
use serde::Serialize;
use std::time::Duration;
use uuid::Uuid;

/// Several gateways with one store, each of which keeps a part of it in memory.
///
/// Each change has a revision. A gateway asks for the news, takes them in, and confirms their
/// revision; as long as it does, what it has in memory is what the store has.
pub trait MachineStore {
    /// Whether others may have this store at the same time.
    fn is_shared(&self) -> bool;

    /// Has workspaces that are nobody's belong to this machine. One that has no name takes them from
    /// the only one that there is.
    ///
    /// # Errors
    /// [`StoreError::Homes`] if it has no name, and there are several.
    fn adopt(&self, machine: &str) -> Result<(), StoreError>;

    /// Returns when others may have changed something, or after so long; whoever waited takes the
    /// news in then.
    fn wait_for_news(&self, most: Duration);

    /// What others have changed since the last that was confirmed.
    fn news(&self) -> Result<News, StoreError>;

    /// Says that all of this is known now, and what there is room for.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] if another gateway has this one's place.
    fn confirm(&self, news: &News, capacity: Capacity) -> Result<(), StoreError>;

    /// Whether what was confirmed may still be gone by. It costs nothing to ask.
    fn is_current(&self) -> bool;

    /// For how long it may, where others have the store, too.
    fn lease(&self) -> Option<Lease>;

    /// The number of the last change; 0 where nobody else has the store.
    fn revision(&self) -> Result<u64, StoreError>;

    /// Whether every gateway that is not gone knows what others have changed up to this one.
    fn is_known(&self, revision: u64) -> Result<bool, StoreError>;

    /// Lets another gateway have this machine at once; this one writes nothing after that.
    fn release(&self) -> Result<(), StoreError>;

    /// All machines, by name.
    fn machines(&self) -> Result<Vec<MachineRow>, StoreError>;
}

/// How well it is known what others have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How long ago it was known.
    pub unconfirmed: Duration,
    /// For how long one goes on without the store.
    pub left: Duration,
}

/// What others have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The revision that one knows with them.
    pub revision: Revision,
    /// What is to be looked at once more.
    pub changes: Changes,
}

/// A point in the history of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Grows by one with each transaction that writes.
    pub number: u64,
    /// The transaction that led there. After a failover that lost some, another one may have.
    pub write: Uuid,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// No more than this.
    Only(Vec<Changed>),
    /// It is not known what.
    Anything,
}

/// Something that gateways keep in memory, and that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// A user: their name, their rights, which workspace they are led to.
    User(Uuid),
    /// The session of this token.
    Session(Hash),
    /// The API token of this hash.
    Token(Hash),
    /// A workspace, or who its members are.
    Workspace(String),
}

/// What a machine has room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Capacity {
    /// How many slots it has; none where workspaces are made as they are wanted.
    pub slots: Option<u32>,
    /// How many bytes of memory are free.
    pub free_memory: u64,
}

/// A machine that has had the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MachineRow {
    /// Its name; empty where there is but one.
    pub name: String,
    /// Its host, and the state directory of its gateway.
    pub place: String,
    /// Whether its gateway has the store, and was heard of just now.
    pub is_there: bool,
    /// When it was last heard of.
    pub seen_at: Timestamp,
    /// How many revisions it is behind.
    pub behind: u64,
    /// How many workspaces have it for their home.
    pub workspaces: u64,
    /// What it has room for, those included.
    #[serde(flatten)]
    pub capacity: Capacity,
}
