//! The gateway itself: what it is, who cannot log in, its store and its certificates.

use super::exposition::{Exposition, PLAIN};
use crate::api::Api;
use crate::timestamp::Timestamp;
use crate::tls::Tls;

pub(super) fn tell(page: &mut Exposition, api: &Api) {
    page.info(
        "choiros_build",
        "What is running.",
        vec![("version", env!("CARGO_PKG_VERSION").to_owned())],
    );
    let uptime = api.started.elapsed().as_secs();
    page.gauge("choiros_uptime_seconds", "Seconds since the start.", uptime);
    page.counters(
        "choiros_login_failures",
        "Log-ins and recoveries that failed, by cause.",
        api.auth
            .login_failures()
            .all()
            .map(|(cause, count)| (vec![("cause", cause.to_owned())], count)),
    );
    page.info(
        "choiros_store",
        "Where accounts, sessions and routes are kept.",
        vec![("engine", api.store.engine().to_owned())],
    );
    page.counter(
        "choiros_store_errors",
        "Calls of the store that failed, other than by a conflict.",
        api.store.errors(),
    );
    certificates(page, api.tls.as_deref());
}

/// Of those that the gateway serves by itself, if it does.
fn certificates(page: &mut Exposition, tls: Option<&Tls>) {
    let all = tls.map(Tls::validities);
    let known = || all.iter().flatten().flatten();
    let now = Timestamp::now();
    let good = known().filter(|it| it.holds(now)).count();
    page.gauges(
        "choiros_certificates",
        "Certificates that are good.",
        tls.map(|_| (PLAIN, good)),
    );
    let left = known().map(|it| it.not_after.millis() - now.millis()).min();
    let secs = left.map(|millis| u64::try_from(millis / 1000).unwrap_or(0));
    page.gauges(
        "choiros_certificate_expiry_seconds",
        "Seconds until the first of the certificates ends; 0 once one has.",
        secs.map(|secs| (PLAIN, secs)),
    );
    let failures = tls.and_then(|tls| Some(tls.by_acme()?.failures()));
    page.counters(
        "choiros_certificate_failures",
        "Orders of certificates that failed.",
        failures.map(|count| (PLAIN, count)),
    );
}
