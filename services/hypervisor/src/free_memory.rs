//! How much memory this machine has free.

use std::fs;

/// The memory of each of the machine's nodes. The kernel's own estimate is in `/proc/meminfo`, which a
/// unit with `ProcSubset=pid` does not see.
const NODES: &str = "/sys/devices/system/node";

/// How many bytes are free, or have only what is on a disk, too; 0 where the machine does not say.
pub(crate) fn free_memory() -> u64 {
    let nodes = fs::read_dir(NODES).into_iter().flatten().flatten();
    let told = nodes.filter_map(|node| fs::read_to_string(node.path().join("meminfo")).ok());
    told.map(|text| free_in(&text)).sum()
}

fn free_in(node: &str) -> u64 {
    let kib = |name: &str| -> u64 {
        let mut lines = node.lines();
        let told = lines.find_map(|line| line.split_once(name)?.1.strip_suffix("kB"));
        told.and_then(|kib| kib.trim().parse().ok()).unwrap_or(0)
    };
    // What is shared is among the files', and on no disk.
    let files = kib(" FilePages:").saturating_sub(kib(" Shmem:"));
    1024 * (kib(" MemFree:") + files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_are_kept_in_is_free() {
        let node = "Node 0 MemTotal:       24684084 kB\n\
                    Node 0 MemFree:            1000 kB\n\
                    Node 0 FilePages:           300 kB\n\
                    Node 0 Shmem:               100 kB\n";
        assert_eq!(free_in(node), 1200 * 1024);
        assert_eq!(free_in(""), 0);
        assert!(free_memory() > 0, "of this machine");
    }
}
