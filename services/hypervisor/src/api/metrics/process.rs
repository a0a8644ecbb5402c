//! What every Prometheus client tells of its process.

use super::exposition::{Exposition, PLAIN};
use crate::api::Api;
use crate::timestamp::Timestamp;
use rustix::param::page_size;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::time::Duration;

pub(super) fn tell(page: &mut Exposition, api: &Api) {
    let used = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime));
    page.counters(
        "process_cpu_seconds",
        "Seconds of processors' time that this process has used.",
        [(PLAIN, used.unwrap_or_default().as_secs_f64())],
    );
    let started = Timestamp::now().before(api.started.elapsed()).millis();
    let started = u64::try_from(started).unwrap_or(0);
    page.gauge(
        "process_start_time_seconds",
        "When this process started, in seconds since 1970.",
        Duration::from_millis(started).as_secs_f64(),
    );
    if let Some([all, resident]) = memory() {
        page.gauge(
            "process_virtual_memory_bytes",
            "Memory that this process has addresses for.",
            all,
        );
        page.gauge(
            "process_resident_memory_bytes",
            "Memory that this process takes.",
            resident,
        );
    }
    if let Some(open) = open_files() {
        page.gauge("process_open_fds", "Files that are open.", open);
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        page.gauge("process_max_fds", "Files that may be open.", most);
    }
}

/// Both sizes are in pages.
fn memory() -> Option<[u64; 2]> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = text.split(' ').map_while(|pages| pages.parse::<u64>().ok());
    let size = page_size() as u64;
    Some([pages.next()? * size, pages.next()? * size])
}

/// Linux says so as the folder's size since 6.2; before that it was 0.
fn open_files() -> Option<u64> {
    let folder = "/proc/self/fd";
    let size = fs::metadata(folder).ok()?.len();
    if size > 0 {
        return Some(size);
    }
    // Without the folder itself.
    Some((fs::read_dir(folder).ok()?.count() as u64).saturating_sub(1))
}
