//! What the clocks say.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Duration;

/// Since some moment before the start of this program; right to a few milliseconds, and next to
/// free.
pub fn monotonic() -> Duration {
    duration(clock_gettime(ClockId::MonotonicCoarse))
}

/// Since 1970-01-01T00:00:00Z.
pub fn epoch() -> Duration {
    duration(clock_gettime(ClockId::Realtime)) + ahead()
}

/// With the feature `fail-points`: as many seconds as the file that `CLOCK_AHEAD` names says.
#[cfg(feature = "fail-points")]
fn ahead() -> Duration {
    use std::sync::LazyLock;
    static FILE: LazyLock<Option<std::ffi::OsString>> =
        LazyLock::new(|| std::env::var_os("CLOCK_AHEAD"));
    let told = FILE.as_ref().map(std::fs::read_to_string);
    let secs = told.and_then(|text| text.ok()?.trim().parse().ok());
    Duration::from_secs(secs.unwrap_or(0))
}

#[cfg(not(feature = "fail-points"))]
const fn ahead() -> Duration {
    Duration::ZERO
}

/// Neither clock is ever before its beginning.
fn duration(time: Timespec) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}
