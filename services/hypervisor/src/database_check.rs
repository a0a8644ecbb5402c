//! Whether a database in a backup is whole, told by a process of its own.
//!
//! `hypervisor check-database <file>` opens it, says what is wrong, and exits with 1 if anything is.
//! What is in the file may be hostile: so that process has neither the gateway's memory nor, where
//! root has it started, root's rights, and is at it for a while only.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::process::{Signal, geteuid, set_parent_process_death_signal};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;
use volumes::Check;

/// The program's first argument that makes it this.
pub const ARGUMENT: &str = "check-database";
/// Exit code if the database is not whole; any other failure is no verdict.
const DAMAGED: u8 = 1;
const LONGEST: Duration = Duration::from_mins(20);
/// What a hostile file may have SQLite take.
const MOST_MEMORY: u64 = 256 << 20;
/// What of a sentence is told.
const MOST_SAID: usize = 200;

/// Checks the database that `args` name, those after [`ARGUMENT`].
pub fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    // Whoever asked may be killed.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let Some(file) = args.next() else {
        return ExitCode::from(2);
    };
    thread::spawn(|| {
        thread::sleep(LONGEST);
        let minutes = LONGEST.as_secs() / 60;
        let _ = writeln!(io::stdout(), "isn't checked after {minutes} minutes");
        std::process::exit(i32::from(DAMAGED));
    });
    let fault = match verdict(Path::new(&file)) {
        Ok(verdict) if verdict == "ok" => return ExitCode::SUCCESS,
        Ok(verdict) => format!("is damaged: {verdict}"),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            format!("isn't checked: {error}")
        }
        Err(error) => format!("is damaged: {error}"),
    };
    let _ = writeln!(io::stdout(), "{fault}");
    ExitCode::from(DAMAGED)
}

fn verdict(file: &Path) -> rusqlite::Result<String> {
    let database = open(file)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        database.set_db_config(setting, on)?;
    }
    database.execute_batch(&format!(
        "PRAGMA hard_heap_limit = {MOST_MEMORY}; PRAGMA temp_store = memory; PRAGMA mmap_size = 0; PRAGMA cell_size_check = on"
    ))?;
    database.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
}

/// What was written and is not in it yet has to be brought in; else nothing is written.
fn open(file: &Path) -> rusqlite::Result<Connection> {
    let beside = |suffix: &str| {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        Path::new(&path).exists()
    };
    if beside("-wal") || beside("-journal") {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        return Connection::open_with_flags(file, flags);
    }
    let mut uri = "file:".to_owned();
    for byte in file.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => {
                let _ = write!(uri, "%{byte:02x}");
            }
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    Connection::open_with_flags(uri, flags)
}

/// Has such processes check databases.
#[derive(Debug)]
pub struct DatabaseCheck {
    program: PathBuf,
    as_owner: bool,
}

impl DatabaseCheck {
    /// By `program`, which is this one.
    pub fn new(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            as_owner: false,
        }
    }

    /// The same, as a volume's owner where root asks.
    pub fn as_owner(program: &Path) -> Self {
        Self {
            as_owner: geteuid().is_root(),
            ..Self::new(program)
        }
    }
}

impl Check for DatabaseCheck {
    fn is_as_owner(&self) -> bool {
        self.as_owner
    }

    fn check(&self, database: &Path, (user, group): (u32, u32)) -> Result<(), String> {
        let unchecked = |cause: String| format!("isn't checked: {cause}");
        let database = std::path::absolute(database).map_err(|it| unchecked(it.to_string()))?;
        let mut command = Command::new(&self.program);
        command
            .arg(ARGUMENT)
            .arg(database)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        if self.as_owner {
            command.uid(user).gid(group);
        }
        let output = command.output();
        let output = output.map_err(|error| unchecked(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        if output.status.code() != Some(i32::from(DAMAGED)) {
            return Err(unchecked(format!("its check ended with {}", output.status)));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let said: String = said.trim_end().chars().take(MOST_SAID).collect();
        Err(said.escape_debug().to_string())
    }
}
