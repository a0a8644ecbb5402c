//! A stream that breaks at any byte costs one block at most.

use crate::common::{id, random};
use crate::machines::{Machines, noise};
use std::fs;
use volumes::{SendPass, VolumeError};

const BLOCK: u64 = 1 << 20;

/// A volume, and how many bytes of files it has.
fn volume() -> (Machines, u64) {
    let machines = Machines::new();
    let live = machines.live();
    fs::create_dir(live.join("few")).unwrap();
    for number in 0..50 {
        fs::write(live.join(format!("few/{number}")), noise(3000, number)).unwrap();
    }
    fs::write(live.join("large"), noise((6 << 20) + 5, 100)).unwrap();
    fs::write(live.join("small"), noise(1 << 20, 101)).unwrap();
    (machines, 50 * 3000 + (7 << 20) + 5)
}

#[test]
fn what_came_does_not_come_again() {
    let (whole, data) = volume();
    let all = whole.last().2;
    let besides = all - data;
    assert!(besides < 20_000, "{besides}");
    let rounds = std::env::var("CUT_ROUNDS").map_or(16, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        let (machines, data) = volume();
        let cut = match round {
            0..4 => [0, 1, 30, all - 1][round],
            _ => random(all),
        };
        let pass = [SendPass::Ahead, SendPass::Last][round % 2];
        let broken = machines.pass_cut(pass, cut, u64::MAX);
        let error = broken.received.unwrap_err();
        assert!(
            matches!(error, VolumeError::TransferBroken { .. }),
            "after {cut}: {error}"
        );
        assert!(broken.sent.is_err(), "after {cut}");
        if machines.place().join("archive.json").exists() {
            let refused = machines
                .to
                .volume("live")
                .unarchive(&machines.archives(), &id(9));
            let refused = refused.unwrap_err();
            assert!(
                matches!(refused, VolumeError::ArchiveIncomplete { .. }),
                "{refused}"
            );
        }
        let (sent, ..) = machines.last();
        let twice = (sent.sent + cut).saturating_sub(data + besides);
        assert!(twice <= BLOCK, "{twice} bytes came twice after {cut}");
    }
}

#[test]
fn it_comes_to_its_end_however_often_it_breaks() {
    let (machines, data) = volume();
    let mut broken = 0;
    while machines
        .pass_cut(SendPass::Last, BLOCK * 3 / 2, u64::MAX)
        .sent
        .is_err()
    {
        broken += 1;
        assert!(broken <= data / (BLOCK / 2), "it does not come on");
    }
    assert!(broken >= 4, "{broken}");
    machines.last();
}

#[test]
fn whatever_is_not_heard_back_is_sent_again() {
    let (whole, _) = volume();
    whole.last();
    for heard in [0, 1, 5, 6, 7, 12, 18, 19, 20, 23] {
        let (machines, _) = volume();
        let passed = machines.pass_cut(SendPass::Last, u64::MAX, heard);
        assert!(passed.sent.is_err(), "{heard}");
        let (sent, ..) = machines.last();
        // Once it heard what was wanted, all went out, and was there if not all was said.
        assert!(heard < 19 || sent.sent == 0, "{heard}: {sent:?}");
        machines.unarchive();
    }
}

#[test]
fn half_an_archive_can_be_discarded() {
    let (machines, _) = volume();
    machines.pass(SendPass::Ahead).unwrap();
    let refused = machines
        .to
        .volume("live")
        .unarchive(&machines.archives(), &id(9));
    assert!(matches!(
        refused,
        Err(VolumeError::ArchiveIncomplete { .. })
    ));
    // It is of no volume, so there is nothing to put away before it goes.
    let volume = machines.to.volume("live");
    volume.archive(&machines.archives(), None, &id(9)).unwrap();
    volume.unarchive(&machines.archives(), &id(9)).unwrap_err();
    machines.archives().discard(&id(9)).unwrap();
    assert_eq!(fs::read_dir(machines.archives.path()).unwrap().count(), 0);
    // What the sender takes for known is not: it comes once more.
    let (sent, ..) = machines.last();
    assert!(sent.sent > 7 << 20, "{sent:?}");
}
