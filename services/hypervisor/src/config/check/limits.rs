//! Numbers that would refuse everything, or that no clock and no memory can hold.

use super::{Config, Verdict};

/// A hundred years: a deadline that far away is still a time.
const MOST_DAYS: u64 = 36_500;
const MOST_HOURS: u64 = MOST_DAYS * 24;
const MOST_SECS: u64 = MOST_HOURS * 3600;

/// More of anything at once than any machine has.
const MOST: u64 = 1 << 40;

/// A key, its value, and the most that it may be.
type Limit = (&'static str, u64, u64);

pub(super) fn limits(config: &Config) -> Verdict {
    let positive = positive(config);
    if let Some((key, ..)) = positive.iter().find(|(_, value, _)| *value == 0) {
        return Err(format!("{key}: 0 would refuse everything; give 1 or more"));
    }
    let or_none = or_none(config);
    let mut all = positive.iter().chain(&or_none);
    if let Some((key, value, most)) = all.find(|(_, value, most)| value > most) {
        return Err(format!(
            "{key}: {value} is more than this program can count to; give {most} at most"
        ));
    }
    if config.auth.ceremony_secs > 300 {
        return Err("auth.ceremony_secs: a ceremony lasts 300 seconds at most".into());
    }
    if config.server.max_header_bytes < 8192 {
        return Err("server.max_header_bytes: browsers need 8192 or more".into());
    }
    if !(8192..=16 << 20).contains(&config.proxy.max_response_header_bytes) {
        return Err(
            "proxy.max_response_header_bytes: give 8192 at least, and 16777216 at most".into(),
        );
    }
    Ok(())
}

#[rustfmt::skip] // A table.
fn positive(config: &Config) -> [Limit; 20] {
    let (server, auth, proxy, runtime) = (&config.server, &config.auth, &config.proxy, &config.runtime);
    [
        ("server.max_connections", server.max_connections as u64, MOST),
        ("server.header_read_secs", server.header_read_secs, MOST_SECS),
        ("server.idle_secs", server.idle_secs, MOST_SECS),
        ("server.write_idle_secs", server.write_idle_secs, MOST_SECS),
        ("auth.session_days", auth.session_days, MOST_DAYS),
        ("auth.step_up_secs", auth.step_up_secs, MOST_SECS),
        ("auth.ceremony_secs", auth.ceremony_secs, MOST_SECS),
        ("auth.invite_hours", auth.invite_hours, MOST_HOURS),
        ("auth.rate_per_address", auth.rate_per_address.into(), MOST),
        ("auth.rate_per_account", auth.rate_per_account.into(), MOST),
        ("proxy.connect_secs", proxy.connect_secs, MOST_SECS),
        ("proxy.response_secs", proxy.response_secs, MOST_SECS),
        ("proxy.body_idle_secs", proxy.body_idle_secs, MOST_SECS),
        ("proxy.max_body_bytes", proxy.max_body_bytes, u64::MAX),
        ("proxy.max_requests", proxy.max_requests as u64, MOST),
        ("proxy.max_requests_per_sandbox", proxy.max_requests_per_sandbox as u64, MOST),
        ("proxy.max_requests_per_user", proxy.max_requests_per_user as u64, MOST),
        ("runtime.start_secs", runtime.start_secs, MOST_SECS),
        ("runtime.probe_secs", runtime.probe_secs, u64::MAX), // Two years are as good as never.
        ("runtime.probe_timeout_secs", runtime.probe_timeout_secs, MOST_SECS),
    ]
}

/// Where 0 has a meaning.
#[rustfmt::skip] // A table.
fn or_none(config: &Config) -> [Limit; 8] {
    let (server, auth, proxy, runtime) = (&config.server, &config.auth, &config.proxy, &config.runtime);
    [
        ("server.max_header_bytes", server.max_header_bytes as u64, MOST),
        ("server.shutdown_secs", server.shutdown_secs, MOST_SECS),
        ("tls.hsts_secs", config.tls.hsts_secs, MOST_SECS),
        ("auth.audit_days", auth.audit_days, MOST_DAYS),
        ("proxy.pool_idle_secs", proxy.pool_idle_secs, MOST_SECS),
        ("proxy.max_pooled_connections", proxy.max_pooled_connections as u64, MOST),
        ("runtime.idle_secs", runtime.idle_secs, MOST_SECS),
        ("runtime.stop_secs", runtime.stop_secs, MOST_SECS),
    ]
}
