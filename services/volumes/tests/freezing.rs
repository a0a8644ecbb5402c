//! What runs on a volume is held still, and let go again whatever happens.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::{Folder, id};
use rustix::process::Pid;
use std::cell::Cell;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use volumes::{CgroupFreezer, Freezer, ProcessTree, Reason, VolumeError};

/// Counts, and does what a test says.
struct Counting<F: Fn() -> io::Result<()>> {
    frozen: Cell<bool>,
    thaws: Cell<u32>,
    freezing: F,
}

impl<F: Fn() -> io::Result<()>> Counting<F> {
    fn new(freezing: F) -> Self {
        Self {
            frozen: Cell::new(false),
            thaws: Cell::new(0),
            freezing,
        }
    }
}

impl<F: Fn() -> io::Result<()>> Freezer for Counting<F> {
    fn freeze(&self) -> io::Result<()> {
        self.frozen.set(true);
        (self.freezing)()
    }

    fn thaw(&self) -> io::Result<()> {
        self.frozen.set(false);
        self.thaws.set(self.thaws.get() + 1);
        Ok(())
    }
}

#[test]
fn it_is_let_go_on_every_way_out() {
    let folder = Folder::new();
    fs::write(folder.live().join("note"), "note").unwrap();
    let volume = folder.volume("live");
    let well = Counting::new(|| Ok(()));
    volume.snapshot(&id(1), Reason::Asked, &well).unwrap();
    assert_eq!((well.frozen.get(), well.thaws.get()), (false, 1));

    let late = Counting::new(|| Err(io::Error::other("it does not stop")));
    let error = volume.snapshot(&id(2), Reason::Asked, &late).unwrap_err();
    assert!(matches!(error, VolumeError::Freeze { .. }), "{error}");
    assert!(error.to_string().contains("it does not stop"));
    assert_eq!((late.frozen.get(), late.thaws.get()), (false, 1));

    let broken = Counting::new(|| panic!("a bug of ours"));
    let panics = || volume.snapshot(&id(3), Reason::Asked, &broken);
    catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    assert_eq!((broken.frozen.get(), broken.thaws.get()), (false, 1));

    // The volume goes away while it is held.
    let away = folder.live();
    let gone = Counting::new(|| fs::remove_dir_all(&away));
    let _ = volume.snapshot(&id(4), Reason::Asked, &gone);
    assert_eq!((gone.frozen.get(), gone.thaws.get()), (false, 1));
    volume.recover().unwrap();
    assert!(folder.leftovers("live").is_empty());
}

#[test]
fn what_is_held_for_a_copy_is_let_go_by_nobody_else() {
    let folder = Folder::new();
    let volume = folder.volume("live");
    let other = Counting::new(|| Ok(()));
    // Before there is any snapshot, and after one, whoever held it is gone.
    volume.thaw(&other).unwrap();
    let copy = Counting::new(|| {
        volume.thaw(&other).unwrap();
        Ok(())
    });
    volume.snapshot(&id(1), Reason::Asked, &copy).unwrap();
    assert_eq!(other.thaws.get(), 1);
    volume.thaw(&other).unwrap();
    assert_eq!(other.thaws.get(), 2);
}

/// A process tree that ends with this.
struct Tree(Child);

impl Tree {
    /// Runs a shell below another, which says when it is ready.
    fn run(script: &str) -> Self {
        let script = format!("( {script} ) & echo ready; wait");
        let mut shell = Command::new("sh");
        let mut child = shell
            .args(["-c", &script])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self(child)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}

use std::os::unix::process::CommandExt as _;

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process_group(self.pid(), rustix::process::Signal::KILL);
        let _ = self.0.wait();
    }
}

fn length(file: &PathBuf) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}

/// Waits until the file grows.
fn grows(file: &PathBuf) {
    let before = length(file);
    for _ in 0..1000 {
        if length(file) > before {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("nothing writes to {}", file.display());
}

#[test]
fn a_tree_that_forks_all_the_time_is_stopped_as_a_whole_and_goes_on() {
    let folder = Folder::new();
    let file = folder.live().join("log");
    let path = file.display();
    let tree = Tree::run(&format!(
        "for i in 1 2 3; do ( while :; do /bin/echo $i >> {path}; ( /bin/echo x >> {path} ) & done ) & done; wait"
    ));
    let freezer = ProcessTree::below(tree.pid());
    for _ in 0..20 {
        grows(&file);
        freezer.freeze().unwrap();
        let before = length(&file);
        for _ in 0..20 {
            sleep(Duration::from_millis(1));
            assert_eq!(length(&file), before);
        }
        freezer.thaw().unwrap();
    }
    grows(&file);
}

#[test]
fn what_was_stopped_before_stays_stopped() {
    let folder = Folder::new();
    let file = folder.live().join("log");
    let path = file.display();
    let tree = Tree::run(&format!(
        "while :; do echo x >> {path}; sleep 0.01; done & echo $! > {path}.pid; wait"
    ));
    grows(&file);
    let pid = fs::read_to_string(folder.live().join("log.pid")).unwrap();
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let state = || fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap();
    while !state().contains(") T ") {
        sleep(Duration::from_millis(1));
    }
    let freezer = ProcessTree::below(tree.pid());
    freezer.freeze().unwrap();
    freezer.thaw().unwrap();
    assert!(state().contains(") T "));
}

#[test]
fn a_tree_that_has_ended_is_said_so() {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let error = ProcessTree::below(Pid::from_child(&child))
        .freeze()
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

/// A control group of ours, where this may make one.
struct Group(PathBuf);

impl Group {
    fn new() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let mut mounts = mounts.lines().map(|line| line.split(' '));
        let root = mounts.find_map(|mut words| {
            let place = words.nth(1)?;
            (words.next()? == "cgroup2").then(|| PathBuf::from(place))
        })?;
        let group = root.join(format!("volumes-test-{}", std::process::id()));
        fs::create_dir(&group).ok()?;
        Some(Self(group))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
        for _ in 0..1000 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_control_group_is_frozen_and_thawed() {
    let folder = Folder::new();
    let Some(group) = Group::new() else {
        assert!(
            !common::is_root(),
            "root without control groups of version 2"
        );
        return;
    };
    let file = folder.live().join("log");
    let tree = Tree::run(&format!("while :; do echo x >> {}; done", file.display()));
    for process in fs::read_to_string(format!("/proc/{0}/task/{0}/children", tree.0.id()))
        .unwrap()
        .split_whitespace()
    {
        fs::write(group.0.join("cgroup.procs"), process).unwrap();
    }
    let freezer = CgroupFreezer::new(&group.0);
    for number in 0..10 {
        grows(&file);
        freezer.freeze().unwrap();
        let before = length(&file);
        sleep(Duration::from_millis(20));
        assert_eq!(length(&file), before);
        freezer.thaw().unwrap();
        let made = folder
            .volume("live")
            .snapshot(&id(number), Reason::Asked, &freezer);
        assert!(made.unwrap().frozen_ms > 0.0);
    }
    grows(&file);
    // One that is gone runs nothing.
    CgroupFreezer::new(group.0.join("none")).thaw().unwrap();
}
