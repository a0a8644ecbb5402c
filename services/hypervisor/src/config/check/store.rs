//! Whether PostgreSQL can be where the configuration says.

use super::Verdict;
use crate::config::{Store, postgres};

pub(super) fn store(store: &Store) -> Verdict {
    let Some(url) = &store.url else {
        return Ok(());
    };
    postgres::server(url)?;
    if store.max_connections == 0 {
        return Err(
            "store.max_connections: nothing can be kept without one; give 1 or more".into(),
        );
    }
    if !(1..=60).contains(&store.timeout_secs) {
        return Err(format!(
            "store.timeout_secs: {} is none that a request can wait; give 1 to 60",
            store.timeout_secs
        ));
    }
    Ok(())
}
