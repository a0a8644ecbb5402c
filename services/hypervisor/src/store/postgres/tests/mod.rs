//! What holds while the server is killed, paused, or gone.

mod machines;

use crate::config;
use crate::store::sql::Database;
use crate::store::sql::tests::{EPOCH, account};
use crate::store::{
    AccountStore, AuditRow, AuditStore, Capacity, MachineStore, MetaStore, StoreError,
};
use rustix::process::Signal;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use testkit::port::Port;
use testkit::postgres::Postgres;
use testkit::tls::{Authority, Kind};

fn settings(path: &str) -> config::Store {
    config::Store {
        path: Path::new(path).into(),
        timeout_secs: 1,
        ..config::Store::default()
    }
}

fn event(name: &str) -> AuditRow {
    AuditRow {
        at: EPOCH,
        event: name.to_owned(),
        user_id: None,
        address: None,
        detail: String::new(),
        passkey: None,
        actor: None,
    }
}

/// Writes one event after the other; says which were acknowledged, and which refused.
fn write(store: &Database, writer: usize, stop: &AtomicBool) -> (Vec<String>, Vec<String>) {
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("{writer}-{n}");
        match store.record(&event(&name)) {
            Ok(()) => done.push(name),
            Err(StoreError::Undecided) => panic!("the server was back, and {name} is not known"),
            Err(_) => refused.push(name),
        }
    }
    (done, refused)
}

#[test]
fn what_is_acknowledged_is_there_and_what_is_refused_is_not_however_often_it_is_killed() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let store = Database::postgres(&settings("x"), &server.database().unwrap(), "").unwrap();
    let stop = AtomicBool::new(false);
    let (done, refused) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                scope.spawn({
                    let (store, stop) = (&store, &stop);
                    move || write(store, writer, stop)
                })
            })
            .collect();
        for pause in 0..12 {
            std::thread::sleep(Duration::from_millis(150 + 40 * pause));
            server.signal(Signal::KILL).unwrap();
            std::thread::sleep(Duration::from_millis(500));
        }
        until(|| store.check().is_ok());
        stop.store(true, Ordering::Relaxed);
        let all = writers.into_iter().map(|writer| writer.join().unwrap());
        all.fold((Vec::new(), Vec::new()), |mut all, (done, refused)| {
            all.0.extend(done);
            all.1.extend(refused);
            all
        })
    });
    let mut there: Vec<_> = store
        .audit_after(0, EPOCH, u32::MAX)
        .unwrap()
        .into_iter()
        .map(|entry| entry.row.event)
        .collect();
    assert!(
        done.len() > 20 && !refused.is_empty(),
        "{} {}",
        done.len(),
        refused.len()
    );
    there.sort();
    let mut done = done;
    done.sort();
    assert_eq!(
        there, done,
        "each acknowledged once, and none that was refused"
    );
}

fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never holds");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up_and_used_again_once_it_speaks() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let store = Database::postgres(&settings("x"), &server.database().unwrap(), "").unwrap();
    store.create_account(&account("ada")).unwrap();
    server.signal(Signal::STOP).unwrap();
    let said = store.users().unwrap_err().to_string();
    assert!(said.contains("store.url"), "{said}");
    server.signal(Signal::CONT).unwrap();
    until(|| store.users().is_ok_and(|users| users.len() == 1));
}

#[test]
fn a_gateway_whose_store_was_taken_writes_nothing_more() {
    let Some(server) = testkit::postgres::shared().unwrap() else {
        return;
    };
    let url = server.database().unwrap();
    let first = Database::postgres(&settings("one"), &url, "").unwrap();
    let held = Database::postgres(&settings("two"), &url, "").unwrap_err();
    assert!(matches!(held, StoreError::Held { .. }), "{held}");
    let second = Database::postgres(&settings("one"), &url, "").unwrap();
    assert!(matches!(
        first.record(&event("late")),
        Err(StoreError::Replaced)
    ));
    let news = first.news().unwrap();
    let confirmed = first.confirm(&news, Capacity::default());
    assert!(matches!(confirmed, Err(StoreError::Replaced)));
    second.record(&event("in time")).unwrap();
    first.release().unwrap();
    second.check().unwrap();
    second.release().unwrap();
    Database::postgres(&settings("two"), &url, "").unwrap();
}

#[test]
fn what_is_no_store_of_this_version_is_refused_and_left_alone() {
    let Some(server) = testkit::postgres::shared().unwrap() else {
        return;
    };
    let url = server.database().unwrap();
    server.sql(&url, "CREATE TABLE theirs (a INT)").unwrap();
    let foreign = Database::postgres(&settings("x"), &url, "").unwrap_err();
    assert!(matches!(foreign, StoreError::ForeignDatabase), "{foreign}");
    let url = server.database().unwrap();
    drop(Database::postgres(&settings("x"), &url, "").unwrap());
    server
        .sql(&url, "UPDATE schema_version SET version = 1000")
        .unwrap();
    let newer = Database::postgres(&settings("x"), &url, "").unwrap_err();
    assert!(
        newer.to_string().contains("run the newer program"),
        "{newer}"
    );
    let nowhere = "postgres:///x?user=x&host=/nowhere";
    let gone = Database::postgres(&settings("x"), nowhere, "").unwrap_err();
    assert!(gone.to_string().contains("cannot be reached"), "{gone}");
}

#[test]
fn over_a_network_it_is_known_by_its_certificate_and_we_by_a_password() {
    let (authority, stranger) = (Authority::new().unwrap(), Authority::new().unwrap());
    let (port, certificate) = (
        Port::reserve().unwrap(),
        authority.issue(Kind::Ecdsa).unwrap(),
    );
    let Some(server) = Postgres::start_at(Some((&port, &certificate))).unwrap() else {
        return;
    };
    server.database().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let password = format!("{}\n", testkit::postgres::PASSWORD);
    let good = config::Store {
        ca_file: file("roots.pem", &authority.root_pem()),
        password_file: file("password", &password),
        ..settings("x")
    };
    let url = format!(
        "postgres://tests@localhost:{}/store0?sslmode=require",
        port.number()
    );
    Database::postgres(&good, &url, "")
        .unwrap()
        .check()
        .unwrap();
    for (wrong, said) in [
        (
            config::Store {
                ca_file: file("other.pem", &stranger.root_pem()),
                ..good.clone()
            },
            "certificate",
        ),
        (
            config::Store {
                password_file: file("wrong", "wrong"),
                ..good.clone()
            },
            "password authentication failed",
        ),
        (
            config::Store {
                password_file: Some("/nowhere".into()),
                ..good.clone()
            },
            "store.password_file: /nowhere",
        ),
        (
            config::Store {
                ca_file: file("no.pem", "none"),
                ..good.clone()
            },
            "store.ca_file",
        ),
    ] {
        let refused = Database::postgres(&wrong, &url, "")
            .unwrap_err()
            .to_string();
        assert!(refused.contains(said), "{refused}");
        assert!(!refused.contains(testkit::postgres::PASSWORD), "{refused}");
    }
}
