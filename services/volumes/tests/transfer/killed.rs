//! Killed at any moment, it goes on where it was, and what is not whole is of no use to anybody.

use crate::common::{Folder, id, random};
use crate::machines::{End, Machines, assert_same};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use volumes::{Archives, SendPass, Volume, VolumeError};

const FROM: &str = "SENT_FROM";
const TO: &str = "SENT_TO";

/// What is killed: both ends of two passes.
#[test]
fn child() {
    let (Ok(from), Ok(to)) = (std::env::var(FROM), std::env::var(TO)) else {
        return;
    };
    for pass in [SendPass::Ahead, SendPass::Last] {
        let (mut one, mut other) = End::pair();
        let to = PathBuf::from(&to);
        let receiver = thread::spawn(move || {
            Archives::open(&to)
                .unwrap()
                .receive(&id(9), "live", &mut other)
                .unwrap();
        });
        let volume = Volume::open(from.as_ref(), "live").unwrap();
        volume.send(&id(9), pass, &mut one).unwrap();
        receiver.join().unwrap();
    }
}

#[test]
fn whenever_it_is_killed_it_is_whole_or_none() {
    if std::env::var(FROM).is_ok() {
        return;
    }
    let rounds = std::env::var("KILL_ROUNDS").map_or(12, |rounds| rounds.parse().unwrap());
    let run = |machines: &Machines| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child"])
            .env(FROM, machines.from.path())
            .env(TO, machines.archives.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let machines = || {
        let machines = Machines::new();
        crate::whole::fill(&machines.live());
        machines
    };
    let first = machines();
    let began = Instant::now();
    assert!(run(&first).wait().unwrap().success());
    let long = u64::try_from(began.elapsed().as_micros()).unwrap();
    assert_same(&first.live(), &first.data());
    let mut halves = 0;
    for _ in 0..rounds {
        let machines = machines();
        let mut child = run(&machines);
        thread::sleep(Duration::from_micros(random(long)));
        child.kill().unwrap();
        child.wait().unwrap();
        let other = Folder::new();
        fs::remove_dir(other.live()).unwrap();
        let taken = other.volume("live").unarchive(&machines.archives(), &id(9));
        match taken {
            Ok(_) => assert_same(&machines.live(), &other.live()),
            Err(VolumeError::ArchiveIncomplete { .. } | VolumeError::NoArchive { .. }) => {
                halves += 1;
                machines.last();
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(
        halves > 0 || rounds < 5,
        "it was never killed in the middle"
    );
    assert!(fs::exists(first.place()).unwrap());
}
