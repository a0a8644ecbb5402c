//! As many open files as the configured limits can come to.

use crate::config::Config;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// For what is neither a served client's connection nor a sandbox's.
const OTHERS: u64 = 512;

/// Raises the soft limit as far as `config` needs and the hard one allows: with the customary
/// 1,024 a gateway could not accept what it says that it takes.
pub(super) fn allow(config: &Config) {
    let needed = needed(config);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return;
    }
    let most = limit.maximum.map_or(needed, |most| most.min(needed));
    let current = Some(most);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current, ..limit }) {
        warn!(%error, "the limit of open files cannot be raised");
    } else if most < needed {
        warn!(
            needed,
            allowed = most,
            "too few open files are allowed for server.max_connections, proxy.max_requests and \
             proxy.max_pooled_connections; lower them, or raise LimitNOFILE"
        );
    }
}

/// Every client's connection, and for every request one to its sandbox (twice, as a swap leaves
/// those of the old generation behind for a while), beside those that wait for a request.
fn needed(config: &Config) -> u64 {
    let clients = config.server.max_connections as u64;
    let requests = config.proxy.max_requests as u64;
    let pooled = config.proxy.max_pooled_connections as u64;
    clients
        .saturating_add(requests.saturating_mul(2))
        .saturating_add(pooled)
        .saturating_add(OTHERS)
}
