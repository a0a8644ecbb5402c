//! Clocks for what every request reads: right to a few milliseconds, and next to free.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Duration;

/// Since some moment before the start of this program.
pub fn monotonic() -> Duration {
    duration(clock_gettime(ClockId::MonotonicCoarse))
}

/// Since 1970-01-01T00:00:00Z.
pub fn epoch() -> Duration {
    duration(clock_gettime(ClockId::RealtimeCoarse))
}

/// Neither clock is ever before its beginning.
fn duration(time: Timespec) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}
