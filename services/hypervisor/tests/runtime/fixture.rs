//! Programs that the tests run: this test binary again, as one of its own tests. Without what
//! their parent gives them they pass at once.
//!
//! A sandbox's environment is cleared, so it finds its knobs in the file `knobs` of its folder.

use super::bench;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::time::Duration;
use std::{env, thread};
use tokio::signal::unix::{SignalKind, signal};

/// The command that runs one of the programs below.
pub fn command(name: &str) -> Vec<String> {
    let program = env::current_exe().unwrap();
    let test = format!("fixture::{name}");
    let args = ["--exact", "--nocapture", "--test-threads=1"];
    let mut command = vec![program.to_str().unwrap().to_owned(), test];
    command.extend(args.map(str::to_owned));
    command
}

/// A sandbox. Knobs: `complain=<line>` and `die` at the start, `slow_ms=<n>` until it listens,
/// `ipv6` for `::1` alone, `burn`, which keeps a thread busy, `flood=<n>`, which prints so many lines,
/// `count`, which writes ever higher numbers into the file `first` and then into `second`,
/// `grandchild` (or `grandchild=stubborn`, which ignores SIGTERM), `ignore_sigterm`, and at each request `hang`.
#[test]
#[expect(clippy::print_stderr, reason = "what a sandbox complains of is kept")]
fn a_sandbox() {
    let (Ok(listen), Ok(dir)) = (env::var("SANDBOX_LISTEN"), env::var("SANDBOX_DATA_DIR")) else {
        return;
    };
    let dir = PathBuf::from(dir);
    note(&dir, "starts", &std::process::id().to_string());
    for (file, name) in [("word", "FIXTURE_WORD"), ("release", "SANDBOX_RELEASE")] {
        fs::write(dir.join(file), env::var(name).unwrap_or_default()).unwrap();
    }
    let names: Vec<_> = env::vars().map(|(name, _)| name).collect();
    fs::write(dir.join("environment"), names.join("\n")).unwrap();
    if let Some(kind) = knob(&dir, "grandchild") {
        let trap = if kind == "stubborn" {
            "trap '' TERM"
        } else {
            ":"
        };
        start_grandchild(&dir, trap);
    }
    if knob(&dir, "count").is_some() {
        let dir = dir.clone();
        thread::spawn(move || count(&dir));
    }
    if knob(&dir, "burn").is_some() {
        thread::spawn(|| {
            loop {
                std::hint::spin_loop();
            }
        });
    }
    if let Some(lines) = knob(&dir, "flood") {
        let dir = dir.clone();
        thread::spawn(move || flood(&dir, lines.parse().unwrap()));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _guard = runtime.enter();
    let _handler = knob(&dir, "ignore_sigterm").map(|_| signal(SignalKind::terminate()).unwrap());
    if let Some(line) = knob(&dir, "complain") {
        eprintln!("{line}");
    }
    if knob(&dir, "die").is_some() {
        exit(3);
    }
    if let Some(pause) = knob(&dir, "slow_ms") {
        thread::sleep(Duration::from_millis(pause.parse().unwrap()));
    }
    // As programs do for which `localhost` is IPv6.
    let listener = match knob(&dir, "ipv6") {
        Some(_) => TcpListener::bind(format!("[::1]:{}", env::var("PORT").unwrap())).unwrap(),
        None => TcpListener::bind(&listen).unwrap(),
    };
    for stream in listener.incoming() {
        let dir = dir.clone();
        thread::spawn(move || serve(stream.unwrap(), &dir));
    }
}

#[expect(
    clippy::zombie_processes,
    reason = "it is to outlive its parent, if nobody ends it"
)]
fn start_grandchild(dir: &Path, trap: &str) {
    let mut shell = std::process::Command::new("sh");
    let child = shell
        .args(["-c", &format!("{trap}; exec sleep 600")])
        .spawn()
        .unwrap();
    note(dir, "grandchild", &child.id().to_string());
}

fn flood(dir: &Path, lines: u32) {
    let mut out = std::io::stdout().lock();
    for number in 0..lines {
        writeln!(out, "line {number}").unwrap();
    }
    note(dir, "flooded", "");
}

fn count(dir: &Path) {
    for number in 0_u64.. {
        for name in ["first", "second"] {
            fs::write(dir.join("new"), number.to_string()).unwrap();
            fs::rename(dir.join("new"), dir.join(name)).unwrap();
        }
    }
}

fn serve(mut stream: TcpStream, dir: &Path) -> Option<()> {
    let _ = stream.read(&mut [0; 4096]).ok()?;
    while knob(dir, "hang").is_some() {
        thread::sleep(Duration::from_millis(10));
    }
    if knob(dir, "anonymous").is_some() {
        return stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok();
    }
    let name = knob(dir, "named").or_else(|| env::var("SANDBOX_NAME").ok());
    let name = name.unwrap();
    let role = env::var("SANDBOX_INSTANCE_ROLE").unwrap();
    stream.write_all(healthy(&name, &role).as_bytes()).ok()
}

/// The response of our sandbox service's `/health`.
pub fn healthy(name: &str, role: &str) -> String {
    let body = format!(
        r#"{{"status":"healthy","service":"choiros-sandbox","name":"{name}","instance_role":"{role}"}}"#
    );
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn knob(dir: &Path, name: &str) -> Option<String> {
    let knobs = fs::read_to_string(dir.join("knobs")).unwrap_or_default();
    knobs.lines().find_map(|line| {
        let value = line.strip_prefix(name)?;
        Some(value.strip_prefix('=').unwrap_or(value).to_owned())
    })
}

fn note(dir: &Path, file: &str, line: &str) {
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .append(true)
        .open(dir.join(file))
        .unwrap();
    writeln!(file, "{line}").unwrap();
}

/// A hypervisor with one running sandbox, `orphan`, that stays until it is killed.
#[test]
fn a_hypervisor() {
    let Ok(dir) = env::var("HYPERVISOR_FIXTURE_DIR") else {
        return;
    };
    let dir = PathBuf::from(dir);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut config = bench::config(&dir);
        if let Some(secs) = env::var("HYPERVISOR_FIXTURE_STOP_SECS")
            .ok()
            .and_then(|it| it.parse().ok())
        {
            config.runtime.stop_secs = secs;
        }
        let running = bench::open(&config);
        running
            .sandbox(bench::spec("orphan"))
            .ready()
            .await
            .unwrap();
        note(&dir, "ready", "");
        tokio::time::sleep(Duration::from_mins(2)).await;
    });
}
