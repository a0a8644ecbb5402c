//! Whoever is at the other end may say anything: it is refused, and nothing beside the archive is
//! touched.

use crate::common::id;
use crate::machines::{End, Machines};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::thread;
use volumes::{SendPass, VolumeError};

/// A session as bytes, frame by frame.
struct Session(Vec<u8>);

fn hello() -> Session {
    Session(vec![1]).frame(b'H', &[&[1][..], &[0; 16]].concat())
}

impl Session {
    fn frame(mut self, kind: u8, payload: &[u8]) -> Self {
        self.0.push(kind);
        self.0
            .extend_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
        self.0.extend_from_slice(payload);
        self
    }

    fn batch(self, steps: &[&[u8]]) -> Self {
        self.frame(b'B', &[&b"b"[..], &steps.concat()].concat())
    }
}

fn text(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_le_bytes(), text].concat()
}

fn step(kind: u8, name: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    [&[kind], &*text(&[name, b"\0"].concat()), &rest.concat()].concat()
}

fn enter(name: &[u8]) -> Vec<u8> {
    step(b'e', name, &[])
}

fn file(name: &[u8]) -> Vec<u8> {
    step(b'f', name, &[&[0; 8]])
}

fn block(length: u32) -> Vec<u8> {
    [&b"d"[..], &length.to_le_bytes(), &[7; 32]].concat()
}

fn zeros(blocks: u64) -> Vec<u8> {
    [&b"z"[..], &blocks.to_le_bytes()].concat()
}

fn attributes(mode: u32, owner: u32) -> Vec<u8> {
    [
        &mode.to_le_bytes()[..],
        &owner.to_le_bytes(),
        &owner.to_le_bytes(),
        &[0; 12],
    ]
    .concat()
}

fn end(size: u64) -> Vec<u8> {
    [&b"."[..], &size.to_le_bytes(), &attributes(0o600, 0)].concat()
}

fn leave() -> Vec<u8> {
    [&b"l"[..], &attributes(0o700, 0)].concat()
}

fn link_to(name: &[u8], target: &str) -> Vec<u8> {
    let target = text(&[target.as_bytes(), b"\0"].concat());
    step(b's', name, &[&[0; 8], &target, &attributes(0o777, 0)])
}

fn close(last: u8, whole: u8) -> Vec<u8> {
    [&[last, whole][..], &[9; 48]].concat()
}

/// What the receiver makes of it.
fn received(machines: &Machines, session: &Session) -> VolumeError {
    let (mut one, mut other) = End::pair();
    let archives = machines.archives();
    let receiver = thread::spawn(move || archives.receive(&id(9), "live", &mut other));
    // It may hang up before all is said.
    let _ = one.write_all(&session.0);
    one.hang_up();
    let _ = one.read_to_end(&mut Vec::new());
    receiver.join().unwrap().unwrap_err()
}

/// Frames that are none, or come at no time for them.
fn frames() -> Vec<(&'static str, Session)> {
    vec![
        ("no version", Session(Vec::new())),
        ("no hello", Session(vec![1])),
        ("half a frame", Session(vec![1, b'H', 17, 0])),
        ("no such frame", Session(vec![1]).frame(b'?', &[])),
        ("a short hello", Session(vec![1]).frame(b'H', &[1, 0])),
        ("a batch first", Session(vec![1]).frame(b'B', b"b")),
        (
            "a long frame",
            Session([&[1, b'H'][..], &[255; 4]].concat()),
        ),
        (
            "a long batch",
            Session([&hello().0[..], b"B", &[0, 0, 33, 0]].concat()),
        ),
        ("the receiver's frame", hello().frame(b'O', &[])),
        ("data first", hello().frame(b'D', b"data")),
    ]
}

/// Names that lead elsewhere, or nowhere.
fn names(away: &str) -> Vec<(&'static str, Session)> {
    vec![
        ("no beginning", hello().frame(b'B', &enter(b"a"))),
        ("no step", hello().batch(&[b"?"])),
        ("half a step", hello().batch(&[b"e\x05\0\0"])),
        ("up beyond the root", hello().batch(&[&leave(), &leave()])),
        ("..", hello().batch(&[&enter(b"..")])),
        (".", hello().batch(&[&enter(b".")])),
        ("a path", hello().batch(&[&enter(b"a/b")])),
        ("an absolute path", hello().batch(&[&file(b"/etc/passwd")])),
        ("a file that is ..", hello().batch(&[&file(b"..")])),
        ("no name", hello().batch(&[&enter(b"")])),
        ("a NUL in a name", hello().batch(&[&enter(b"a\0b")])),
        ("a long name", hello().batch(&[&enter(&[b'x'; 256])])),
        (
            "a name twice",
            hello().batch(&[&link_to(b"a", away), &enter(b"a")]),
        ),
        (
            "a link to no file",
            hello().batch(&[&step(b'h', b"a", &[&[3; 8]])]),
        ),
        ("an empty link", hello().batch(&[&link_to(b"a", "")])),
    ]
}

/// Files that are none.
fn steps() -> Vec<(&'static str, Session)> {
    vec![
        ("a step of no file", hello().batch(&[&block(5)])),
        (
            "a file in a file",
            hello().batch(&[&file(b"a"), &file(b"b")]),
        ),
        ("an empty block", hello().batch(&[&file(b"a"), &block(0)])),
        (
            "a long block",
            hello().batch(&[&file(b"a"), &block((1 << 20) + 1)]),
        ),
        (
            "more after the last block",
            hello().batch(&[&file(b"a"), &block(5), &block(5)]),
        ),
        (
            "too many zeros",
            hello().batch(&[&file(b"a"), &zeros(u64::MAX)]),
        ),
        (
            "too long a file",
            hello().batch(&[&file(b"a"), &zeros(1 << 43), &zeros(1 << 43)]),
        ),
        (
            "an end before the end",
            hello().batch(&[&file(b"a"), &zeros(3), &end(5)]),
        ),
        (
            "an end after the end",
            hello().batch(&[&file(b"a"), &end(5)]),
        ),
        (
            "an owner that is none",
            hello().batch(&[b"l", &attributes(0o700, u32::MAX)]),
        ),
        (
            "a mode that is none",
            hello().batch(&[b"l", &attributes(0o170_777, 0)]),
        ),
        (
            "a capability",
            hello().batch(&[
                &file(b"a"),
                &step(b'x', b"security.capability", &[&text(b"x")]),
            ]),
        ),
        (
            "a trusted attribute",
            hello().batch(&[&step(b'x', b"trusted.x", &[&text(b"x")])]),
        ),
    ]
}

/// What is not what it was said to be.
fn ends() -> Vec<(&'static str, Session)> {
    vec![
        (
            "too many attributes",
            hello().batch(&[
                &file(b"a"),
                &step(b'x', b"user.x", &[&text(b"")]).repeat(10_000),
            ]),
        ),
        (
            "another block",
            hello()
                .batch(&[&file(b"a"), &block(4), &end(4)])
                .frame(b'D', b"data"),
        ),
        (
            "a shorter block",
            hello()
                .batch(&[&file(b"a"), &block(4), &end(4)])
                .frame(b'D', b"dat"),
        ),
        (
            "no block",
            hello()
                .batch(&[&file(b"a"), &block(4), &end(4)])
                .frame(b'C', &close(1, 1)),
        ),
        (
            "another tree",
            hello().batch(&[&leave()]).frame(b'C', &close(1, 1)),
        ),
        (
            "half a tree",
            hello().batch(&[&enter(b"a")]).frame(b'C', &close(0, 1)),
        ),
        (
            "half an archive",
            hello().batch(&[&leave()]).frame(b'C', &close(1, 0)),
        ),
        (
            "a close that is none",
            hello().batch(&[&leave()]).frame(b'C', &close(1, 2)),
        ),
        ("no close", hello().batch(&[&leave()])),
        ("its failure", hello().frame(b'E', b"\0it is over")),
    ]
}

#[test]
fn whatever_is_said_is_refused_if_it_is_no_tree() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("note"), "theirs").unwrap();
    let away = outside.path().to_str().unwrap();
    let all = [frames(), names(away), steps(), ends()];
    for (what, session) in all.into_iter().flatten() {
        let machines = Machines::new();
        let before = fs::read_dir(machines.archives.path()).unwrap().count();
        let error = received(&machines, &session);
        let expected = matches!(
            error,
            VolumeError::TransferInvalid { .. }
                | VolumeError::TransferBroken { .. }
                | VolumeError::TransferMismatch { .. }
                | VolumeError::TransferRefused { .. }
        );
        assert!(expected, "{what}: {error}");
        let refused = machines
            .to
            .volume("live")
            .unarchive(&machines.archives(), &id(9));
        assert!(refused.is_err(), "{what}");
        machines.archives().discard(&id(9)).unwrap();
        assert_eq!(
            fs::read_dir(machines.archives.path()).unwrap().count(),
            before,
            "{what}"
        );
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "{what}");
    }
}

#[test]
fn no_link_is_followed_that_is_in_the_tree_already() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("note"), "theirs").unwrap();
    fs::create_dir(outside.path().join("sub")).unwrap();
    let away = outside.path().to_str().unwrap();
    let note = format!("{away}/note");
    let machines = Machines::new();
    // First links, then what would lead through them.
    received(
        &machines,
        &hello().batch(&[&link_to(b"a", away), &link_to(b"b", &note)]),
    );
    assert!(machines.data().join("b").is_symlink());
    let in_it = [
        enter(b"a"),
        file(b"new"),
        zeros(1),
        end(1),
        leave(),
        file(b"b"),
        zeros(1),
        end(1),
    ];
    let steps: Vec<&[u8]> = in_it.iter().map(Vec::as_slice).collect();
    received(&machines, &hello().batch(&steps));
    assert!(machines.data().join("a/new").is_file());
    assert!(!machines.data().join("a").is_symlink());
    assert_eq!(fs::read_to_string(note).unwrap(), "theirs");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 2);
    // Nor is anything removed behind one.
    received(&machines, &hello().batch(&[&link_to(b"a", away)]));
    received(&machines, &hello().batch(&[&leave()]));
    assert_eq!(fs::read_dir(machines.data()).unwrap().count(), 0);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 2);
}

#[test]
fn both_say_which_version_they_speak() {
    let machines = Machines::new();
    let error = received(&machines, &Session(vec![7]));
    assert!(
        matches!(error, VolumeError::TransferVersion { ours: 1, theirs: 7 }),
        "{error}"
    );
    let error = answered(&machines, &[7]);
    assert!(
        matches!(error, VolumeError::TransferVersion { ours: 1, theirs: 7 }),
        "{error}"
    );
}

/// What the sender makes of this answer.
fn answered(machines: &Machines, answer: &[u8]) -> VolumeError {
    let (mut one, mut other) = End::pair();
    let answer = answer.to_vec();
    let receiver = thread::spawn(move || {
        other.write_all(&answer).unwrap();
        other.hang_up();
        let _ = other.read_to_end(&mut Vec::new());
    });
    let sent = machines
        .from
        .volume("live")
        .send(&id(9), SendPass::Last, &mut one);
    drop(one);
    receiver.join().unwrap();
    sent.unwrap_err()
}

#[test]
fn a_sender_takes_no_answer_for_a_yes() {
    let machines = Machines::new();
    fs::write(machines.live().join("note"), "some").unwrap();
    symlink("/etc/passwd", machines.live().join("out")).unwrap();
    let ready = || Session(vec![1]).frame(b'R', &[]);
    for (what, answer) in [
        ("nothing", Session(Vec::new())),
        ("no ready", Session(vec![1]).frame(b'O', &[])),
        (
            "a long frame",
            Session([&[1, b'R'][..], &[255; 4]].concat()),
        ),
        ("done at once", ready().frame(b'O', &[])),
        ("too few wishes", ready().frame(b'W', &[])),
        ("too many wishes", ready().frame(b'W', &[255; 9])),
        ("no done", ready().frame(b'W', &[1])),
        ("a failure", ready().frame(b'E', b"\0the disk burns\x1b[2J")),
    ] {
        let error = answered(&machines, &answer.0).to_string();
        assert!(!error.contains('\x1b'), "{what}");
        assert!(
            what != "a failure" || error.contains("the disk burns"),
            "{error}"
        );
    }
}
