//! What was sent ahead need not be read or sent in the last pass, and nothing that changed is missed.

use crate::common::{id, text};
use crate::machines::{Machines, noise};
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use volumes::SendPass;

const BLOCK: u64 = 1 << 20;

/// A volume that nobody has written to for a while.
fn quiet() -> Machines {
    let machines = Machines::new();
    let live = machines.live();
    for number in 0..1000 {
        let folder = live.join(format!("{}", number % 10));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{number}")), format!("it is {number}")).unwrap();
    }
    fs::write(live.join("large"), noise(16 << 20, 7)).unwrap();
    fs::hard_link(live.join("1/1"), live.join("one")).unwrap();
    fs::hard_link(live.join("2/2"), live.join("two")).unwrap();
    // Time stamps of the last two seconds tell nothing.
    thread::sleep(Duration::from_millis(2500));
    machines
}

#[test]
fn what_did_not_change_is_neither_read_nor_sent() {
    let machines = quiet();
    let (first, ..) = machines.pass(SendPass::Ahead).unwrap();
    assert!(
        first.read > 16 << 20 && first.sent == first.read,
        "{first:?}"
    );
    let (second, _, bytes) = machines.pass(SendPass::Ahead).unwrap();
    assert_eq!((second.read, second.sent), (0, 0));
    assert!(bytes < 1000 * 60, "{bytes}");
    let (last, received, bytes) = machines.last();
    assert_eq!((last.read, last.sent, received.received), (0, 0, 0));
    assert!(bytes < 1000 * 60, "{bytes}");
}

#[test]
fn of_a_file_that_differs_the_blocks_are_sent_that_do() {
    let machines = quiet();
    machines.pass(SendPass::Ahead).unwrap();
    let large = OpenOptions::new()
        .write(true)
        .open(machines.live().join("large"))
        .unwrap();
    large.write_all_at(b"new", 5 << 20).unwrap();
    let (last, _, bytes) = machines.last();
    assert_eq!((last.read, last.sent), (16 << 20, BLOCK));
    assert!(bytes < BLOCK + 1000 * 60 + 16 * 50, "{bytes}");
}

#[test]
fn a_change_with_the_old_time_is_seen() {
    let machines = quiet();
    machines.pass(SendPass::Ahead).unwrap();
    let path = machines.live().join("4/4");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "it is X").unwrap();
    File::open(&path).unwrap().set_modified(before).unwrap();
    let (last, ..) = machines.last();
    assert_eq!(last.sent, 7);
    assert_eq!(text(machines.data().join("4/4")), "it is X");
}

#[test]
fn whatever_changes_between_the_passes_arrives() {
    let machines = quiet();
    machines.pass(SendPass::Ahead).unwrap();
    let at = |name: &str| machines.live().join(name);
    fs::remove_file(at("0/0")).unwrap();
    fs::remove_dir_all(at("3")).unwrap();
    fs::write(at("3"), "a file now").unwrap();
    fs::remove_file(at("4/4")).unwrap();
    fs::create_dir(at("4/4")).unwrap();
    fs::write(at("4/4/in"), "").unwrap();
    fs::remove_file(at("4/14")).unwrap();
    symlink("/etc", at("4/14")).unwrap();
    fs::rename(at("5/5"), at("5/five")).unwrap();
    fs::rename(at("6"), at("six")).unwrap();
    fs::rename(at("7/7"), at("7/17")).unwrap();
    fs::set_permissions(at("8/8"), Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(at("8"), Permissions::from_mode(0o500)).unwrap();
    OpenOptions::new()
        .write(true)
        .open(at("large"))
        .unwrap()
        .set_len(3 << 20)
        .unwrap();
    OpenOptions::new()
        .append(true)
        .open(at("9/9"))
        .unwrap()
        .set_len(9 << 20)
        .unwrap();
    // One of two names becomes a file of its own, and another gets a third.
    fs::remove_file(at("one")).unwrap();
    fs::write(at("one"), "it is 1").unwrap();
    fs::hard_link(at("two"), at("9/two")).unwrap();
    fs::hard_link(at("9/19"), at("9/nineteen")).unwrap();
    machines.last();
}

#[test]
fn names_of_one_file_are_known_as_such() {
    let machines = quiet();
    for _ in 0..2 {
        machines.pass(SendPass::Ahead).unwrap();
    }
    fs::write(machines.live().join("one"), "both").unwrap();
    let (last, ..) = machines.last();
    assert_eq!(last.sent, 4);
    assert_eq!(text(machines.data().join("1/1")), "both");
}

#[test]
fn a_volume_that_is_written_to_is_sent_ahead() {
    let machines = Machines::new();
    let live = machines.live();
    for folder in ["a", "b"] {
        fs::create_dir(live.join(folder)).unwrap();
    }
    fs::write(live.join("log"), noise(4 << 20, 1)).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0_u64.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                write(&live, number);
            }
        });
        for _ in 0..8 {
            machines.pass(SendPass::Ahead).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    machines.last();
}

fn write(live: &Path, number: u64) {
    let file = live.join(format!("a/{}", number % 200));
    match number % 7 {
        0 => drop(fs::remove_file(&file)),
        1 => drop(fs::rename(&file, live.join(format!("b/{}", number % 100)))),
        2 => drop(fs::hard_link(
            &file,
            live.join(format!("b/{}", number % 100)),
        )),
        3 => drop(fs::rename(live.join("b"), live.join("c"))),
        4 => drop(fs::rename(live.join("c"), live.join("b"))),
        _ => drop(fs::write(&file, noise(5000, number))),
    }
    let log = OpenOptions::new()
        .append(true)
        .open(live.join("log"))
        .unwrap();
    if number.is_multiple_of(50) {
        log.set_len(2 << 20).unwrap();
    }
    log.write_at(&noise(1000, number), number * 1000 % (4 << 20))
        .unwrap();
}

#[test]
fn what_the_receiver_has_lost_is_found_out_and_comes_again() {
    let machines = quiet();
    machines.pass(SendPass::Ahead).unwrap();
    let data = machines.data();
    let large = OpenOptions::new()
        .write(true)
        .open(data.join("large"))
        .unwrap();
    large.write_all_at(b"x", 9 << 20).unwrap();
    fs::remove_file(data.join("5/5")).unwrap();
    fs::set_permissions(data.join("6/6"), Permissions::from_mode(0o777)).unwrap();
    fs::write(data.join("7/none of it"), "").unwrap();
    symlink("/etc", data.join("8/none of it")).unwrap();
    let (last, ..) = machines.last();
    assert_eq!(last.sent, BLOCK + 7);
    assert_eq!(last.read, (16 << 20) + 7 + 7);
}

#[test]
fn what_was_sent_ahead_is_forgotten_with_its_id() {
    let machines = quiet();
    let volume = machines.from.volume("live");
    let state = format!("{}.sent", id(9));
    machines.pass(SendPass::Ahead).unwrap();
    // A snapshot of which one begins meanwhile is none of its.
    volume.prepare(&id(1)).unwrap();
    assert!(machines.from.leftovers("live").contains(&state));
    volume.remove(&id(1)).unwrap();
    assert_eq!(machines.from.leftovers("live"), [state]);
    volume.remove(&id(9)).unwrap();
    assert!(machines.from.leftovers("live").is_empty());
    machines.pass(SendPass::Ahead).unwrap();
    volume.recover().unwrap();
    assert!(machines.from.leftovers("live").is_empty());
    let (last, ..) = machines.last();
    assert_eq!(last.sent, 0, "the receiver has it all the same");
}
