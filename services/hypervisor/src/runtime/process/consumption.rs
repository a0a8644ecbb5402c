//! What the processes of sandboxes use, as `/proc` has it.

use crate::runtime::Consumption;
use rustix::param::{clock_ticks_per_second, page_size};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// What is below each of these processes, which are the guardians of sandboxes; of one that has
/// ended, nothing is known. One look at all processes is enough for however many sandboxes.
pub(super) fn below(proc: &Path, guardians: &[Option<i32>]) -> Vec<Consumption> {
    let mut sums = vec![Sum::default(); guardians.len()];
    if guardians.iter().all(Option::is_none) {
        return vec![Consumption::default(); sums.len()];
    }
    let processes = processes(proc);
    let mut owners: HashMap<i32, Option<usize>> = HashMap::new();
    for (place, guardian) in guardians.iter().enumerate() {
        let Some(guardian) = guardian else { continue };
        owners.insert(*guardian, Some(place));
        if let Some(process) = processes.get(guardian) {
            sums[place].there = true;
            // Not itself, but those that ended and whose parents it has become.
            sums[place].ticks += process.ended_ticks;
        }
    }
    for (pid, process) in &processes {
        if guardians.contains(&Some(*pid)) {
            continue;
        }
        if let Some(place) = owner(*pid, &processes, &mut owners) {
            sums[place].add(process);
        }
    }
    sums.into_iter().map(Sum::consumption).collect()
}

/// Which guardian a process is below.
fn owner(
    pid: i32,
    processes: &HashMap<i32, Process>,
    owners: &mut HashMap<i32, Option<usize>>,
) -> Option<usize> {
    let mut way = Vec::new();
    let mut at = pid;
    let found = loop {
        if let Some(owner) = owners.get(&at) {
            break *owner;
        }
        // Also against a circle: numbers are used again while we look.
        owners.insert(at, None);
        way.push(at);
        match processes.get(&at) {
            Some(process) => at = process.parent,
            None => break None,
        }
    };
    for pid in way {
        owners.insert(pid, found);
    }
    found
}

#[derive(Clone, Default)]
struct Sum {
    there: bool,
    ticks: u64,
    pages: u64,
    threads: u64,
}

impl Sum {
    fn add(&mut self, process: &Process) {
        self.ticks += process.ticks + process.ended_ticks;
        self.pages += process.pages;
        self.threads += process.threads;
    }

    fn consumption(self) -> Consumption {
        if !self.there {
            return Consumption::default();
        }
        #[expect(clippy::cast_precision_loss, reason = "that many seconds nobody lives")]
        let cpu_secs = self.ticks as f64 / clock_ticks_per_second().max(1) as f64;
        Consumption {
            cpu_secs: Some(cpu_secs),
            memory_bytes: Some(self.pages.saturating_mul(page_size() as u64)),
            tasks: Some(self.threads),
            ..Consumption::default()
        }
    }
}

/// A process, as `proc_pid_stat(5)` has it.
#[derive(Debug, PartialEq)]
struct Process {
    parent: i32,
    /// Of its own time, and of the children that it waited for.
    ticks: u64,
    ended_ticks: u64,
    threads: u64,
    /// A page that several share counts in each of them.
    pages: u64,
}

impl Process {
    fn parse(stat: &[u8]) -> Option<Self> {
        // Its name may be anything.
        let name_ends = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = str::from_utf8(stat.get(name_ends + 1..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            ticks: number(11)? + number(12)?,
            ended_ticks: number(13)? + number(14)?,
            threads: number(17)?,
            pages: number(21)?,
        })
    }
}

fn processes(proc: &Path) -> HashMap<i32, Process> {
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read(entry.path().join("stat")).ok()?;
        Some((pid, Process::parse(&stat)?))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line as the kernel writes it.
    fn stat(pid: i32, name: &str, parent: i32, ticks: [u64; 4], threads: u64, rss: u64) -> String {
        let [user, system, ended_user, ended_system] = ticks;
        format!(
            "{pid} ({name}) S {parent} 7 7 0 -1 4194560 1 2 3 4 {user} {system} {ended_user} {ended_system} 20 0 {threads} 0 5127 8192 {rss} 18446744073709551615 1 1 0\n"
        )
    }

    #[test]
    fn whatever_a_process_calls_itself_its_numbers_are_read() {
        for name in ["sh", "a (b) c", ") S 1 2 3 4 5", "", "x y\n"] {
            let line = stat(9, name, 3, [1, 2, 3, 4], 5, 6);
            let process = Process::parse(line.as_bytes()).unwrap();
            let expected = Process {
                parent: 3,
                ticks: 3,
                ended_ticks: 7,
                threads: 5,
                pages: 6,
            };
            assert_eq!(process, expected, "{name}");
        }
        for line in ["", "9 (sh", "9 (sh) S 3", "9 (sh) S x y z"] {
            assert_eq!(Process::parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn each_sandbox_has_what_is_below_its_guardian_however_deep() {
        let proc = tempfile::tempdir().unwrap();
        let put = |pid: i32, parent: i32, ticks: [u64; 4]| {
            let folder = proc.path().join(pid.to_string());
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("stat"), stat(pid, "x", parent, ticks, 2, 10)).unwrap();
        };
        put(1, 0, [1_000_000; 4]);
        // A guardian, its child, and the child's children; its own time is not the sandbox's.
        put(10, 1, [1_000_000, 1_000_000, 100, 0]);
        put(11, 10, [100, 100, 50, 50]);
        put(12, 11, [100, 0, 0, 0]);
        put(13, 12, [0, 100, 0, 0]);
        // Another's, and nobody's; two that claim to be each other's parents.
        put(20, 1, [0; 4]);
        put(21, 20, [0; 4]);
        put(30, 1, [7; 4]);
        put(40, 41, [7; 4]);
        put(41, 40, [7; 4]);
        fs::write(proc.path().join("meminfo"), "").unwrap();
        let found = below(proc.path(), &[Some(20), Some(10), None, Some(99)]);
        let hertz = f64::from(u32::try_from(clock_ticks_per_second()).unwrap());
        let secs = |ticks: f64| Some(ticks / hertz);
        assert_eq!((found[0].cpu_secs, found[0].tasks), (secs(0.0), Some(2)));
        assert_eq!((found[1].cpu_secs, found[1].tasks), (secs(600.0), Some(6)));
        assert_eq!(found[1].memory_bytes, Some(30 * page_size() as u64));
        assert_eq!(found[2], Consumption::default());
        assert_eq!(found[3], Consumption::default());
    }
}
