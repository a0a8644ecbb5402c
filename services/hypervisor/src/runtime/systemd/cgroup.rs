//! What a unit uses and may use, as the files of its control group have it (version 2): everybody
//! may read them, so neither root nor the bus is asked.

use crate::config::UNIT_PLACEHOLDER;
use crate::runtime::Consumption;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the group of a sandbox's unit is.
pub(super) fn path(template: &str, sandbox: &str) -> PathBuf {
    template.replace(UNIT_PLACEHOLDER, sandbox).into()
}

/// What is in that group and those below it. A file that is not there says nothing.
pub(super) fn consumption(group: &Path) -> Consumption {
    let read = |file: &str| fs::read_to_string(group.join(file)).unwrap_or_default();
    let number = |file: &str| read(file).trim().parse().ok(); // `max` is no number.
    Consumption {
        cpu_secs: cpu_secs(&read("cpu.stat")),
        cpus_max: cpus_max(&read("cpu.max")),
        memory_bytes: number("memory.current"),
        memory_max_bytes: number("memory.max"),
        tasks: number("pids.current"),
        tasks_max: number("pids.max"),
    }
}

fn cpu_secs(stat: &str) -> Option<f64> {
    let usec = stat
        .lines()
        .find_map(|line| line.strip_prefix("usage_usec "))?;
    usec.trim().parse::<f64>().ok().map(|usec| usec / 1e6)
}

/// `<microseconds> <of a period>`, or `max <of a period>`.
fn cpus_max(max: &str) -> Option<f64> {
    let (quota, period) = max.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0.0).then_some(quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_files_are_read_and_what_is_not_said_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let template = folder.path().join("container@{sandbox}.service");
        let group = path(template.to_str().unwrap(), "w-live");
        assert_eq!(group, folder.path().join("container@w-live.service"));
        assert_eq!(consumption(&group), Consumption::default());
        fs::create_dir(&group).unwrap();
        let put = |file: &str, text: &str| fs::write(group.join(file), text).unwrap();
        put(
            "cpu.stat",
            "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n",
        );
        put("cpu.max", "150000 100000\n");
        put("memory.current", "4096\n");
        put("memory.max", "1073741824\n");
        put("pids.current", "12\n");
        put("pids.max", "512\n");
        let expected = Consumption {
            cpu_secs: Some(2.5),
            cpus_max: Some(1.5),
            memory_bytes: Some(4096),
            memory_max_bytes: Some(1 << 30),
            tasks: Some(12),
            tasks_max: Some(512),
        };
        assert_eq!(consumption(&group), expected);
        put("cpu.max", "max 100000\n");
        put("memory.max", "max\n");
        put("pids.max", "max\n");
        put("cpu.stat", "user_usec 1\n");
        let unlimited = Consumption {
            cpu_secs: None,
            cpus_max: None,
            memory_max_bytes: None,
            tasks_max: None,
            ..expected
        };
        assert_eq!(consumption(&group), unlimited);
    }
}
