//! From what the store holds and the configuration says to the table in memory.

use super::elsewhere::Others;
use super::held::HoldMetrics;
use super::members::{self, Kept};
use super::promotions::PromotionCounters;
use super::site::Hosts;
use super::table::{Routes, Without};
use crate::concurrency_limit::{ConcurrencyLimit, RejectionCounters};
use crate::config::Config;
use crate::lifetime::EndNotifier;
use crate::runtime::Runtime;
use crate::store::{Handle, Store, StoreError, WorkspaceRow};
use dashmap::{DashMap, DashSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;
use tracing::warn;

impl Routes {
    /// Reads the table once it is what the configuration says, and goes on with the swaps that
    /// are on probation.
    ///
    /// # Errors
    /// When the store fails, or holds routes to sandboxes that are not the workspace's.
    pub async fn open(
        config: Arc<Config>,
        store: Handle,
        runtime: Arc<Runtime>,
        ends: EndNotifier,
    ) -> Result<Arc<Self>, StoreError> {
        let routes = Arc::new(Self {
            store,
            runtime,
            concurrency_limit: ConcurrencyLimit::new(config.proxy.max_requests),
            hosts: Hosts::new(&config),
            ends,
            config,
            by_name: DashMap::new(),
            by_user: DashMap::new(),
            others: Others::default(),
            without: DashMap::new(),
            arriving: DashMap::new(),
            retired: DashSet::new(),
            watched: DashMap::new(),
            swaps: AtomicU64::new(0),
            rejections: RejectionCounters::default(),
            holds: HoldMetrics::default(),
            promotions: PromotionCounters::default(),
            end: CancellationToken::new(),
            placing: Mutex::new(()),
        });
        let declared = routes.config.clone();
        let kept = Kept {
            all: routes.runtime.can_create(),
            slots: declared.slots.count(),
        };
        let settle = move |store: &dyn Store| {
            store.adopt(declared.machine())?;
            let rows = members::settle(store, &declared, kept)?;
            Ok::<_, StoreError>((rows, store.taken_out()?, store.chosen()?))
        };
        let (rows, taken_out, chosen) = routes.store.run(settle).await?;
        for user in taken_out {
            routes.without.insert(user, Without::TakenOut);
        }
        let here = |row: &WorkspaceRow| row.home == routes.config.machine();
        let (rows, elsewhere): (Vec<_>, Vec<_>) = rows.into_iter().partition(here);
        for row in elsewhere {
            routes.others.put(&routes.config, &row);
        }
        let (under_way, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.archive.is_some());
        for row in rows {
            if row.retired {
                routes.retire(&row);
            } else {
                routes.publish(&row)?;
            }
        }
        for (user, name) in chosen {
            routes.lead_to_named(user, &name);
        }
        routes.settle_releases().await?;
        routes.keep_stopped().await?;
        routes.take_back_broken_off().await?;
        routes.resume_moves().await?;
        routes.resume_archives(under_way).await?;
        routes.recover_volumes();
        routes.resume_probations().await?;
        routes.keep_writes();
        Ok(routes)
    }

    /// Remembers whose workspace is not served.
    fn retire(&self, row: &WorkspaceRow) {
        warn!(workspace = %row.name, "kept, but not declared: it is served to nobody");
        let name: Arc<str> = row.name.as_str().into();
        for member in &row.members {
            self.without.insert(*member, Without::Retired(name.clone()));
        }
        self.retired.insert(name);
    }
}
