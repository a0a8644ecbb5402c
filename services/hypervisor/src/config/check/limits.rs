//! Numbers that would refuse everything, or that no clock and no memory can hold.
//! What a key's number has to be beyond that, its documentation says, too.

use super::{Config, Verdict};

/// A hundred years: a deadline that far away is still a time.
const MOST_DAYS: u64 = 36_500;
const MOST_HOURS: u64 = MOST_DAYS * 24;
const MOST_SECS: u64 = MOST_HOURS * 3600;

/// More of anything at once than any machine has.
const MOST: u64 = 1 << 40;

/// A key, its value, and the least and the most that it may be.
type Limit = (&'static str, u64, u64, u64);

pub(super) fn limits(config: &Config) -> Verdict {
    for (key, value, least, most) in all(config) {
        if value < least {
            let why = match value {
                0 => "would refuse everything",
                _ => "is too little",
            };
            return Err(format!("{key}: {value} {why}; give {least} or more"));
        }
        if value > most {
            return Err(format!("{key}: {value} is too much; give {most} at most"));
        }
    }
    Ok(())
}

/// Where the least is 0, that has a meaning.
#[rustfmt::skip] // A table.
fn all(config: &Config) -> [Limit; 30] {
    let (server, auth, proxy, runtime) = (&config.server, &config.auth, &config.proxy, &config.runtime);
    [
        ("server.max_connections", server.max_connections as u64, 1, MOST),
        ("server.header_read_secs", server.header_read_secs, 1, MOST_SECS),
        ("server.idle_secs", server.idle_secs, 1, MOST_SECS),
        ("server.write_idle_secs", server.write_idle_secs, 1, MOST_SECS),
        ("server.max_header_bytes", server.max_header_bytes as u64, 8192, MOST),
        ("server.shutdown_secs", server.shutdown_secs, 0, MOST_SECS),
        ("tls.hsts_secs", config.tls.hsts_secs, 0, MOST_SECS),
        ("auth.session_days", auth.session_days, 1, MOST_DAYS),
        ("auth.ceremony_secs", auth.ceremony_secs, 1, 300),
        ("auth.invite_hours", auth.invite_hours, 1, MOST_HOURS),
        ("auth.rate_per_address", auth.rate_per_address.into(), 1, MOST),
        ("auth.rate_per_account", auth.rate_per_account.into(), 1, MOST),
        ("runtime.archive_days", runtime.archive_days, 0, MOST_DAYS),
        ("auth.audit_days", auth.audit_days, 0, MOST_DAYS),
        ("proxy.connect_secs", proxy.connect_secs, 1, MOST_SECS),
        ("proxy.response_secs", proxy.response_secs, 1, MOST_SECS),
        ("proxy.body_idle_secs", proxy.body_idle_secs, 1, MOST_SECS),
        ("proxy.max_body_bytes", proxy.max_body_bytes, 1, u64::MAX),
        ("proxy.max_response_header_bytes", proxy.max_response_header_bytes as u64, 8192, 16 << 20),
        ("proxy.max_requests", proxy.max_requests as u64, 1, MOST),
        ("proxy.max_requests_per_sandbox", proxy.max_requests_per_sandbox as u64, 1, MOST),
        ("proxy.max_requests_per_user", proxy.max_requests_per_user as u64, 1, MOST),
        ("proxy.pool_idle_secs", proxy.pool_idle_secs, 0, MOST_SECS),
        ("proxy.max_pooled_connections", proxy.max_pooled_connections as u64, 0, MOST),
        ("runtime.start_secs", runtime.start_secs, 1, MOST_SECS),
        ("runtime.probe_secs", runtime.probe_secs, 1, u64::MAX), // Two years are as good as never.
        ("runtime.probe_timeout_secs", runtime.probe_timeout_secs, 1, MOST_SECS),
        ("runtime.idle_secs", runtime.idle_secs, 0, MOST_SECS),
        ("runtime.stop_secs", runtime.stop_secs, 0, MOST_SECS),
        ("runtime.hold_secs", runtime.hold_secs, 3, MOST_SECS),
    ]
}
