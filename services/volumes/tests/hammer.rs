//! Snapshots of what is written to all the time are as of one moment.
//!
//! `HAMMER_ROUNDS=100` takes more of them. With `HAMMER_BLIND=1` nothing is held still, and the
//! test must fail.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]
#![allow(clippy::print_stdout, reason = "the parent reads what the child says")]

mod common;

use common::{Folder, id, text};
use rusqlite::Connection;
use rustix::process::Pid;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use volumes::{Freezer, ProcessTree, Reason};

const ROLE: &str = "HAMMER_ROLE";
const PLACE: &str = "HAMMER_PLACE";

/// Runs this program once more, as what it is not when it is run as a test.
#[test]
fn child() {
    let (Ok(role), Ok(place)) = (std::env::var(ROLE), std::env::var(PLACE)) else {
        return;
    };
    let place = Path::new(&place);
    match role.as_str() {
        "numbers" => write_in_order(place),
        "rows" => write_rows(place),
        other => panic!("{other}"),
    }
}

/// So many files have numbers of their own, and so many rows at least: the last ones.
const FILES: u64 = 64;
const ROWS: u64 = 1000;

/// For each number, in this order: a.txt, a file of its own, a row, b.txt, a word.
fn write_in_order(place: &Path) {
    let database = open(&place.join("numbers.db"));
    database
        .execute_batch("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
        .unwrap();
    fs::create_dir(place.join("numbers")).unwrap();
    let [a, b] = ["a.txt", "b.txt"].map(|name| fs::File::create(place.join(name)).unwrap());
    for number in 1u64.. {
        let line = format!("{number:020}");
        a.write_all_at(line.as_bytes(), 0).unwrap();
        let file = place.join("numbers").join((number % FILES).to_string());
        fs::write(file.with_extension("new"), &line).unwrap();
        fs::rename(file.with_extension("new"), file).unwrap();
        database
            .execute("INSERT INTO numbers VALUES (?1)", [number.cast_signed()])
            .unwrap();
        if number % ROWS == 0 {
            let old = (number - ROWS).cast_signed();
            database
                .execute("DELETE FROM numbers WHERE n < ?1", [old])
                .unwrap();
        }
        b.write_all_at(line.as_bytes(), 0).unwrap();
        println!("{number}");
    }
}

/// Large transactions that change all of a database, with checkpoints in the midst.
fn write_rows(place: &Path) {
    let mut database = open(&place.join("rows.db"));
    database
        .execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER, filler BLOB); PRAGMA wal_autocheckpoint = 50")
        .unwrap();
    for number in 1i64.. {
        let change = database.transaction().unwrap();
        for row in 0..200 {
            change
                .execute(
                    "INSERT OR REPLACE INTO rows VALUES (?1, ?2, randomblob(200))",
                    [row, number],
                )
                .unwrap();
        }
        change.commit().unwrap();
    }
}

fn open(path: &Path) -> Connection {
    let database = Connection::open(path).unwrap();
    database
        .busy_timeout(std::time::Duration::from_mins(1))
        .unwrap();
    database.pragma_update(None, "journal_mode", "wal").unwrap();
    database
        .pragma_update(None, "synchronous", "normal")
        .unwrap();
    database
}

struct Blind;

impl Freezer for Blind {
    fn freeze(&self) -> io::Result<()> {
        Ok(())
    }

    fn thaw(&self) -> io::Result<()> {
        Ok(())
    }
}

fn number(file: &Path) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.parse().unwrap_or(0)
}

fn integrity(database: &Connection) -> String {
    database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap()
}

/// What is in the copy must have been true at one moment, which came after `acknowledged`.
fn check(copy: &Path, acknowledged: u64) {
    let database = Connection::open(copy.join("numbers.db")).unwrap();
    assert_eq!(integrity(&database), "ok");
    let rows = "SELECT count(*), coalesce(min(n), 1), coalesce(max(n), 0) FROM numbers";
    let (count, least, rows): (i64, i64, i64) = database
        .query_row(rows, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(count, rows - least + 1, "the rows have a gap");
    let (rows, [a, b]) = (
        rows.cast_unsigned(),
        ["a.txt", "b.txt"].map(|name| number(&copy.join(name))),
    );
    let of = |file: u64| number(&copy.join("numbers").join(file.to_string()));
    let files: Vec<u64> = (0..FILES).map(of).collect();
    let last = files.iter().copied().max().unwrap();
    let said = format!("acknowledged {acknowledged}, b {b}, rows {rows}, files {files:?}, a {a}");
    let in_order = acknowledged <= b && b <= rows && rows <= last && last <= a && a <= b + 1;
    assert!(in_order, "{said}");
    for number in (last - FILES + 1)..=last {
        assert_eq!(
            files.get(usize::try_from(number % FILES).unwrap()),
            Some(&number),
            "{said}"
        );
    }
    let database = Connection::open(copy.join("rows.db")).unwrap();
    assert_eq!(integrity(&database), "ok");
    let kinds: (i64, i64) = database
        .query_row("SELECT count(*), count(DISTINCT n) FROM rows", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(kinds, (200, 1), "half a transaction");
}

#[test]
fn snapshots_of_what_is_hammered_are_of_one_moment() {
    if std::env::var(ROLE).is_ok() {
        return;
    }
    let rounds = std::env::var("HAMMER_ROUNDS").map_or(8, |rounds| rounds.parse().unwrap());
    let folder = Folder::new();
    // So much that it takes two passes.
    fs::create_dir(folder.live().join("still")).unwrap();
    for file in 0..600 {
        fs::write(
            folder.live().join(format!("still/{file}")),
            vec![b'x'; 10_000],
        )
        .unwrap();
    }
    let program = std::env::current_exe().unwrap();
    let run = "\"$0\" --exact child --nocapture";
    let script = format!("{ROLE}=rows {run} >/dev/null & {ROLE}=numbers {run} & wait");
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        .arg(program)
        .env(PLACE, folder.live())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let lines = BufReader::new(shell.stdout.take().unwrap()).lines();
    let acknowledged = AtomicU64::new(0);
    let tree = ProcessTree::below(Pid::from_child(&shell));
    let freezer: &dyn Freezer = if std::env::var("HAMMER_BLIND").is_ok() {
        &Blind
    } else {
        &tree
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            for line in lines.map_while(Result::ok) {
                if let Ok(number) = line.parse() {
                    acknowledged.store(number, Ordering::SeqCst);
                }
            }
        });
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            hammer(&folder, freezer, &acknowledged, rounds);
        }));
        rustix::process::kill_process_group(Pid::from_child(&shell), rustix::process::Signal::KILL)
            .unwrap();
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
    shell.wait().unwrap();
}

fn hammer(folder: &Folder, freezer: &dyn Freezer, acknowledged: &AtomicU64, rounds: u64) {
    let volume = folder.volume("live");
    let said = || acknowledged.load(Ordering::SeqCst);
    while said() < 2 * FILES {
        thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut frozen = Vec::new();
    for round in 0..rounds {
        let id = id(round);
        if round % 2 == 0 {
            volume.prepare(&id).unwrap();
        }
        let before = said();
        let made = volume.snapshot(&id, Reason::Asked, freezer).unwrap();
        assert_eq!(
            text(folder.data("live", &id).join("still/7")),
            "x".repeat(10_000)
        );
        check(&folder.data("live", &id), before);
        frozen.push(made.frozen_ms);
        volume.remove(&id).unwrap();
        while said() == before {
            thread::sleep(std::time::Duration::from_millis(1));
        }
    }
    frozen.sort_by(f64::total_cmp);
    let _ = writeln!(
        io::stdout(),
        "frozen for {} ms at the median, {} at most",
        frozen[frozen.len() / 2],
        frozen[frozen.len() - 1]
    );
}
