//! How often an address may ask, and how often anyone may try at one account.

use super::AuthError;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

pub(super) struct Limits {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    accounts: DefaultKeyedRateLimiter<String>,
}

impl Limits {
    /// So many a minute for each.
    pub(super) fn new(per_address: u32, per_account: u32) -> Self {
        Self {
            addresses: limiter(per_address),
            accounts: limiter(per_account),
        }
    }

    pub(super) fn address(&self, address: IpAddr) -> Result<(), AuthError> {
        check(&self.addresses, &network(address))
    }

    /// `username` need not exist: an unknown one is counted in just the same way.
    pub(super) fn account(&self, username: &str) -> Result<(), AuthError> {
        check(&self.accounts, &username.to_owned())
    }

    pub(super) fn purge_expired(&self) {
        self.addresses.retain_recent();
        self.accounts.retain_recent();
    }
}

fn limiter<K: Clone + Eq + Hash>(per_minute: u32) -> DefaultKeyedRateLimiter<K> {
    let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
    DefaultKeyedRateLimiter::keyed(quota)
}

fn check<K: Clone + Eq + Hash>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
) -> Result<(), AuthError> {
    limiter.check_key(key).map_err(|refusal| {
        let wait = refusal.wait_time_from(DefaultClock::default().now());
        AuthError::RateLimited {
            retry_after: wait.as_secs() + 1,
        }
    })
}

/// Whoever has one IPv6 address has the 2^64 beside it.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_share_a_limit() {
        let limits = Limits::new(1, 1);
        let allowed = |address: &str| limits.address(address.parse().unwrap()).is_ok();
        assert!(allowed("2001:db8:1:1::1"));
        assert!(!allowed("2001:db8:1:1:ffff::2"));
        assert!(allowed("2001:db8:1:2::1"));
        assert!(allowed("192.0.2.1"));
        assert!(!allowed("::ffff:192.0.2.1"));
        assert!(allowed("192.0.2.2"));
    }
}
