//! What a program and its children use, as the kernel counts it.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::time::Duration;

/// The processor time that these programs and their children have used; none of no programs.
///
/// # Errors
/// One has ended.
pub fn cpu_of(roots: &[u32]) -> Result<Option<Duration>> {
    let all = roots.iter().map(|root| cpu(*root)).sum::<Result<_>>()?;
    Ok((!roots.is_empty()).then_some(all))
}

/// The bytes of memory that these programs and their children hold; none of no programs.
///
/// # Errors
/// One has ended.
pub fn memory_of(roots: &[u32]) -> Result<Option<u64>> {
    let all = roots.iter().map(|root| memory(*root)).sum::<Result<_>>()?;
    Ok((!roots.is_empty()).then_some(all))
}

/// The processor time that this program and its children have used.
///
/// # Errors
/// It has ended.
pub fn cpu(root: u32) -> Result<Duration> {
    let processes = processes()?;
    processes.get(&root).context("the program has ended")?;
    let ticks: u64 = tree(root, &processes)
        .map(|pid| processes[&pid].ticks)
        .sum();
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis(ticks * 1000 / per_second))
}

/// The bytes of memory that this program and its children hold; pages that they share count once.
///
/// # Errors
/// It has ended, or is another user's.
pub fn memory(root: u32) -> Result<u64> {
    let processes = processes()?;
    tree(root, &processes).map(proportional).sum()
}

/// A field of this one process's `/proc/PID/status` that is an amount of memory, in bytes.
///
/// # Errors
/// It has ended, or there is no such field.
pub fn status(pid: u32, field: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let amount = parse_amount(&text, field);
    amount.with_context(|| format!("{path} has no {field}"))
}

/// The program and all that descends from it.
///
/// # Errors
/// The system does not say.
pub fn family(root: u32) -> Result<Vec<u32>> {
    let processes = processes()?;
    Ok(tree(root, &processes).collect())
}

/// Kills these; those that have ended are left alone.
pub(crate) fn kill(processes: &[u32]) {
    let raw = processes.iter().filter_map(|pid| i32::try_from(*pid).ok());
    for pid in raw.filter_map(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

#[derive(Debug, PartialEq)]
struct Stat {
    parent: u32,
    ticks: u64,
}

/// Every process there is.
fn processes() -> Result<BTreeMap<u32, Stat>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").context("list /proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that has just ended has no such file any more.
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        if let Some(stat) = text.ok().as_deref().and_then(parse_stat) {
            found.insert(pid, stat);
        }
    }
    Ok(found)
}

fn tree(root: u32, processes: &BTreeMap<u32, Stat>) -> impl Iterator<Item = u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = processes.iter().filter(|(_, stat)| stat.parent == parent);
        found.extend(children.map(|(pid, _)| *pid));
        next += 1;
    }
    found.into_iter()
}

/// `/proc/PID/stat`, see `proc_pid_stat(5)`. The second field is a name that may contain anything.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Stat {
        parent: number(4)?.try_into().ok()?,
        ticks: number(14)? + number(15)?,
    })
}

/// A process's memory, each shared page divided by the number of those that share it.
fn proportional(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    parse_amount(&text, "Pss").with_context(|| format!("{path} has no Pss"))
}

/// The bytes of `<field>:   <count> kB`, a line of its own.
fn parse_amount(text: &str, field: &str) -> Option<u64> {
    let named = |line: &&str| line.split(':').next() == Some(field);
    let (_, amount) = text.lines().find(named)?.split_once(':')?;
    let kib: u64 = amount.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::{Stat, cpu, family, kill, memory, parse_amount, parse_stat};
    use std::process::Command;
    use std::time::Instant;

    #[test]
    fn a_stat_line_is_read_whatever_the_name_is() {
        let line = "24930 (a) b (c) R 24926 24926 12630 0 -1 4194304 103 0 0 0 70 5 0 0 20 0 1";
        let stat = Stat {
            parent: 24926,
            ticks: 75,
        };
        assert_eq!(parse_stat(line), Some(stat));
        assert_eq!(parse_stat("24930 (short) R 1"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn shared_memory_is_read_from_its_own_line() {
        let text = "0-1 ---p [rollup]\nRss:   1668 kB\nPss:    304 kB\nPss_Dirty:  112 kB\n";
        assert_eq!(parse_amount(text, "Pss"), Some(304 * 1024));
        assert_eq!(parse_amount("Pss_Dirty: 112 kB", "Pss"), None);
    }

    #[test]
    fn a_program_and_its_child_are_counted_together() {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = shell.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
        let child: u32 = line.trim().parse().unwrap();
        assert_eq!(family(shell.id()).unwrap(), [shell.id(), child]);
        assert!(memory(shell.id()).unwrap() > memory(child).unwrap());
        shell.kill().unwrap();
        shell.wait().unwrap();
        assert!(cpu(shell.id()).is_err());
        kill(&[child]);
    }

    #[test]
    fn work_is_counted() {
        let own = std::process::id();
        let before = cpu(own).unwrap();
        let begun = Instant::now();
        while cpu(own).unwrap() == before {
            assert!(begun.elapsed().as_secs() < 30, "no work was counted");
        }
    }
}
