//! Killed at any moment, it leaves a volume that is wholly the old or wholly the new.
//!
//! `KILL_ROUNDS=1000` kills more often.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::{Folder, id, random, text};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use volumes::{NoFreezer, Reason, SnapshotId, Volume};

const PLACE: &str = "KILLED_PLACE";
const FILES: usize = 30;

/// What is killed: takes a snapshot of live, makes dev a copy of it, and removes an older one.
#[test]
fn child() {
    let Ok(place) = std::env::var(PLACE) else {
        return;
    };
    work(Path::new(&place), 1);
}

fn work(place: &Path, number: u64) {
    let [live, dev] = ["live", "dev"].map(|name| Volume::open(place, name).unwrap());
    live.snapshot(&id(number), Reason::Fork, &NoFreezer)
        .unwrap();
    dev.replace(&live, &id(number), &id(number)).unwrap();
    live.remove(&id(0)).unwrap();
}

fn fill(tree: &Path, what: &str) {
    fs::create_dir_all(tree.join("more")).unwrap();
    for file in 0..FILES {
        fs::write(tree.join(format!("more/{file}")), what).unwrap();
    }
}

/// What all files of it say: they say the same.
fn says(tree: &Path) -> String {
    let files = fs::read_dir(tree.join("more")).unwrap();
    let said: Vec<String> = files.map(|file| text(file.unwrap().path())).collect();
    assert_eq!(said.len(), FILES, "{}", tree.display());
    let kinds: BTreeSet<&String> = said.iter().collect();
    assert_eq!(kinds.len(), 1, "{}", tree.display());
    said[0].clone()
}

fn prepared() -> Folder {
    let folder = Folder::new();
    let dev = folder.path().join("dev");
    fs::create_dir(&dev).unwrap();
    fill(&folder.live(), "live");
    fill(&dev, "dev");
    folder
        .volume("live")
        .snapshot(&id(0), Reason::Asked, &NoFreezer)
        .unwrap();
    folder
}

/// What must be true whenever it was killed, and where it was.
fn check(folder: &Folder) -> &'static str {
    let [live, dev] = ["live", "dev"].map(|name| folder.volume(name));
    for volume in [&live, &dev] {
        volume.recover().unwrap();
    }
    for name in ["live", "dev"] {
        assert!(
            folder.leftovers(name).is_empty(),
            "{:?}",
            folder.leftovers(name)
        );
        for made in folder.volume(name).snapshots().unwrap() {
            says(&folder.data(name, &made.id));
        }
    }
    let ids = |volume: &Volume| -> Vec<SnapshotId> {
        volume
            .snapshots()
            .unwrap()
            .into_iter()
            .map(|made| made.id)
            .collect()
    };
    assert_eq!(says(&folder.live()), "live");
    let (mine, theirs) = (ids(&live), ids(&dev));
    if says(&folder.path().join("dev")) == "dev" {
        assert!(theirs.is_empty());
        assert!(mine.contains(&id(0)));
        return if mine.len() == 2 {
            "after the snapshot"
        } else {
            "before it"
        };
    }
    // What was there is kept.
    assert_eq!(theirs, [id(1)]);
    assert_eq!(says(&folder.data("dev", &id(1))), "dev");
    assert!(mine.contains(&id(1)));
    if mine.len() == 2 {
        "after the replacement"
    } else {
        "in the end"
    }
}

#[test]
fn whenever_it_is_killed_all_is_old_or_all_is_new() {
    if std::env::var(PLACE).is_ok() {
        return;
    }
    let rounds = std::env::var("KILL_ROUNDS").map_or(60, |rounds| rounds.parse().unwrap());
    let run = |folder: &Folder| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child"])
            .env(PLACE, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let whole = prepared();
    let began = Instant::now();
    assert!(run(&whole).wait().unwrap().success());
    let mut long = began.elapsed();
    assert_eq!(check(&whole), "in the end");
    let mut seen = BTreeSet::new();
    // However slow the machine is just now: it is killed at many moments, before and after.
    for round in 0.. {
        if round >= rounds && seen.len() >= 3 {
            break;
        }
        let folder = prepared();
        let mut child = run(&folder);
        let micros = u64::try_from(long.as_micros()).unwrap();
        std::thread::sleep(Duration::from_micros(random(micros)));
        child.kill().unwrap();
        let ended = child.wait().unwrap().success();
        if ended {
            long = long * 9 / 10;
        }
        seen.insert(check(&folder));
        long = long.max(Duration::from_millis(1));
        if !ended && random(8) == 0 {
            long = long * 10 / 9;
        }
    }
}
