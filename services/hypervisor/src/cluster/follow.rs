//! Takes what other gateways change into memory, all the time.

use super::Machines;
use crate::auth::{Auth, AuthError};
use crate::routes::Routes;
use crate::store::{Changed, Changes, Handle, Store, StoreError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often it is looked for changes, whether somebody hints at them or not.
const EACH: Duration = Duration::from_millis(250);

/// How often it is looked how the machines are.
const LOOK: Duration = Duration::from_secs(1);

/// Why what others have changed is not known.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The store's reason.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// That of what is known of people.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl FollowError {
    const fn is_replaced(&self) -> bool {
        matches!(self, Self::Store(StoreError::Replaced))
    }
}

/// Follows the other gateways until `stop`, and leaves the store to whoever comes next. If another
/// one has this one's place by then, it is over at once.
///
/// # Errors
/// [`StoreError::Replaced`].
pub async fn follow(
    store: Handle,
    auth: Arc<Auth>,
    routes: Arc<Routes>,
    machines: Arc<Machines>,
    stop: CancellationToken,
) -> Result<(), FollowError> {
    let mut is_there = true;
    let mut looked = Instant::now();
    while store.is_shared() && !stop.is_cancelled() {
        let (auth, routes) = (auth.clone(), routes.clone());
        let looks = looked.elapsed() > LOOK;
        let work = move |store: &dyn Store| {
            store.wait_for_news(EACH);
            // Only for those who watch.
            let all = looks.then(|| store.machines().ok()).flatten();
            take_in(store, &auth, &routes)?;
            Ok::<_, FollowError>(all)
        };
        let taken_in = store.run(work).await;
        if let Ok(Some(all)) = &taken_in {
            looked = Instant::now();
            machines.set(all.clone());
        }
        let was_there = std::mem::replace(&mut is_there, taken_in.is_ok());
        match taken_in {
            Err(error) if error.is_replaced() => {
                stop.cancel();
                return Err(error);
            }
            Err(error) if was_there => {
                warn!(%error, "the store is gone, and with it what others change");
            }
            Ok(_) if !was_there => info!("the store is there again"),
            _ => {}
        }
    }
    stop.cancelled().await;
    Ok(())
}

fn take_in(store: &dyn Store, auth: &Auth, routes: &Arc<Routes>) -> Result<(), FollowError> {
    let news = store.news()?;
    match &news.changes {
        Changes::Only(changes) => {
            // Who may not come any longer goes before anything else; and a user is led to a
            // workspace once it is known that they are in it.
            for changed in changes {
                auth.follow(store, changed)?;
            }
            let is_workspace = |it: &&Changed| matches!(it, Changed::Workspace(_));
            let (workspaces, others): (Vec<_>, Vec<_>) = changes.iter().partition(is_workspace);
            for changed in workspaces.into_iter().chain(others) {
                routes.follow(store, changed)?;
            }
        }
        Changes::Anything => {
            warn!("what others have changed is not known one by one, and all is looked at");
            auth.follow_all(store)?;
            routes.follow_all(store)?;
        }
    }
    Ok(store.confirm(&news, routes.capacity())?)
}
