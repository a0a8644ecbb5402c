//! Many files take little memory. `MANY_FILES=1000000` makes more of them.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::{Folder, id};
use std::fs;
use std::time::Duration;
use volumes::{NoFreezer, Reason};

/// The most memory that this process has had, in KiB.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn many_files_take_little_memory() {
    let files = std::env::var("MANY_FILES").map_or(100_000, |files| files.parse().unwrap());
    let folder = Folder::new();
    for file in 0..files {
        // A folder of very many, and many folders.
        let place = if file % 2 == 0 {
            folder.live().join("all")
        } else {
            folder.live().join((file / 100).to_string())
        };
        if file < 2 || file % 100 == 1 {
            fs::create_dir_all(&place).unwrap();
        }
        fs::write(place.join(file.to_string()), "").unwrap();
    }
    std::thread::sleep(Duration::from_secs(3));
    let volume = folder.volume("live");
    let before = peak();
    volume.prepare(&id(1)).unwrap();
    fs::write(folder.live().join("all/0"), "changed").unwrap();
    let made = volume.snapshot(&id(1), Reason::Asked, &NoFreezer).unwrap();
    assert_eq!((made.files, made.bytes), (files as u64, 7));
    volume.remove(&id(1)).unwrap();
    // What the first pass saw, as it is read, and as it is looked up.
    let most = 8 * 1024 + files * 150 / 1024;
    assert!(peak() - before < most, "{} KiB of {most}", peak() - before);
}
