//! A PostgreSQL server for tests, in a folder of its own, at a Unix socket there. It ends with the
//! process that started it, however that one ends.

mod standby;

use crate::port::Port;
use crate::tls::{CERT_FILE, Issued, KEY_FILE};
use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use standby::Standby;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What it asks for over the network.
pub const PASSWORD: &str = "correct horse";

/// Where tests must not be left out.
const REQUIRED: &str = "REQUIRE_POSTGRES";

/// Ends the server when its standard input does, and leaves nothing. A server that is killed is
/// started again, with the data that are the server's by then.
const RUN: &str = r#"
bin=$1 folder=$2 listen=$3
echo data-0 >"$folder/data"
"$bin/initdb" -D "$folder/data-0" -U tests --auth-local=trust --auth-host=scram-sha-256 --pwfile="$folder/password" \
  --no-sync --no-instructions >"$folder/log" 2>&1 || exit
while [ ! -e "$folder/end" ]; do
  "$bin/postgres" -D "$folder/$(cat "$folder/data")" -k "$folder" -c fsync=off -c max_connections=200 $listen \
    >>"$folder/log" 2>&1 </dev/null
  sleep 0.1
done &
read -r _
touch "$folder/end"
# One that begins hears nothing yet.
while kill -0 $!; do
  kill -QUIT "$(head -n 1 "$folder/$(cat "$folder/data")/postmaster.pid")"
  sleep 0.05
done
rm -rf "$folder"
"#;

/// The file that says where the server's data are.
const DATA: &str = "data";

/// The server.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    databases: AtomicU32,
    standby: Mutex<Option<Standby>>,
    _shell: Child,
    _input: ChildStdin,
}

/// The server that all tests of this process share, if PostgreSQL is installed.
///
/// # Errors
/// Those of [`Postgres::start`].
pub fn shared() -> Result<Option<&'static Postgres>> {
    static SHARED: Mutex<Option<&'static Postgres>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.is_none() {
        // It ends with this process.
        *shared = Postgres::start()?.map(|server| &*Box::leak(Box::new(server)));
    }
    Ok(*shared)
}

/// Where its programs are: in `PATH`, or where Debian has them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let debian = debian.flatten().map(|version| version.path().join("bin"));
    std::env::split_paths(&path)
        .chain(debian)
        // Where the others are beside it, whatever leads there.
        .filter_map(|folder| folder.join("initdb").canonicalize().ok())
        .filter_map(|program| Some(program.parent()?.to_owned()))
        .find(|folder| folder.join("postgres").exists())
}

/// Sends a signal to the server of these data and all that it has started.
fn signal_all(data: &Path, signal: Signal) -> Result<()> {
    let pid = std::fs::read_to_string(data.join("postmaster.pid"))?;
    let pid = pid.lines().next().unwrap_or_default();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    for pid in children.split_whitespace().chain([pid]) {
        let pid = Pid::from_raw(pid.parse()?).context("it has a number")?;
        let _ = kill_process(pid, signal); // It may be gone.
    }
    Ok(())
}

/// The user that it runs as if this is root, who it will not run as.
fn other_user() -> Option<&'static str> {
    let is_there = Path::new("/var/lib/postgresql").exists();
    let user = if is_there { "postgres" } else { "nobody" };
    rustix::process::geteuid().is_root().then_some(user)
}

/// A program that runs as that user.
fn as_user(program: impl AsRef<OsStr>) -> Command {
    let Some(user) = other_user() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", user, "--clear-groups"])
        .arg(program);
    command
}

impl Postgres {
    /// A server of its own; `None` where PostgreSQL is not installed, which is said.
    ///
    /// # Errors
    /// It cannot be started, or `REQUIRE_POSTGRES` is set and none is installed.
    pub fn start() -> Result<Option<Self>> {
        Self::start_at(None)
    }

    /// The same, that listens at a port of 127.0.0.1 too, by TLS with this certificate, where it asks
    /// for [`PASSWORD`].
    ///
    /// # Errors
    /// Those of [`Self::start`].
    #[expect(
        clippy::print_stdout,
        reason = "who looks at a test is told that it did nothing"
    )]
    pub fn start_at(at: Option<(&Port, &Issued)>) -> Result<Option<Self>> {
        if let Some(bin) = programs() {
            return Self::run(bin, at).map(Some);
        }
        if std::env::var_os(REQUIRED).is_some() {
            bail!("PostgreSQL is not installed, and {REQUIRED} is set");
        }
        println!("skipped: PostgreSQL is not installed");
        Ok(None)
    }

    fn run(bin: PathBuf, at: Option<(&Port, &Issued)>) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("postgres-")
            .tempdir()?
            .keep();
        std::fs::write(folder.join("password"), PASSWORD)?;
        let mut listen = "-c listen_addresses=".to_owned();
        if let Some((port, certificate)) = at {
            certificate.write(&folder)?;
            let alone = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(folder.join(KEY_FILE), alone)?;
            let file = |name: &str| folder.join(name).display().to_string();
            listen = format!(
                "-c listen_addresses=127.0.0.1 -p {} -c ssl=on -c ssl_cert_file={} -c ssl_key_file={}",
                port.number(),
                file(CERT_FILE),
                file(KEY_FILE)
            );
        }
        if let Some(user) = other_user() {
            let owned = Command::new("chown")
                .args(["-R", user])
                .arg(&folder)
                .status()?;
            if !owned.success() {
                bail!("cannot give {} to {user}", folder.display());
            }
        }
        let mut shell = as_user("sh")
            .args(["-c", RUN, "sh"])
            .args([&bin, &folder])
            .arg(&listen)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let input = shell.stdin.take().context("it has an input")?;
        let server = Self {
            bin,
            folder,
            port: at.map_or(5432, |(port, _)| port.number()),
            databases: AtomicU32::new(0),
            standby: Mutex::default(),
            _shell: shell,
            _input: input,
        };
        server.until_ready()?;
        Ok(server)
    }

    fn until_ready(&self) -> Result<()> {
        let begun = Instant::now();
        while !self.program("pg_isready").arg("-q").status()?.success() {
            if begun.elapsed() > Duration::from_mins(1) {
                let log = std::fs::read_to_string(self.folder.join("log"));
                bail!("PostgreSQL does not start: {}", log.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        let port = self.port.to_string();
        command
            .arg("-h")
            .arg(&self.folder)
            .args(["-p", &port, "-U", "tests"]);
        command
    }

    /// The URL of a new database.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn database(&self) -> Result<String> {
        Ok(self.url(&self.database_name()?))
    }

    /// The name of a new database.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn database_name(&self) -> Result<String> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("store{number}");
        let made = self.program("createdb").arg(&name).status()?;
        ensure!(made.success(), "no database can be made");
        Ok(name)
    }

    /// The Unix socket at which it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(format!(".s.PGSQL.{}", self.port))
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres:///{database}?user=tests&host={}&port={}",
            self.folder.display(),
            self.port
        )
    }

    /// Sends a signal to the server and all that it has started.
    ///
    /// # Errors
    /// It does not run.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let data = std::fs::read_to_string(self.folder.join(DATA))?;
        signal_all(&self.folder.join(data.trim()), signal)
    }

    /// Has the database of this URL let nobody in and everybody out, or let them in again.
    ///
    /// # Errors
    /// It fails.
    pub fn let_in(&self, url: &str, open: bool) -> Result<()> {
        let name = url.rsplit('/').find_map(|part| part.split_once('?'));
        let (name, _) = name.unwrap_or_default();
        let postgres = self.url("postgres");
        let allow = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {open}");
        self.sql(&postgres, &allow)?;
        if !open {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
            self.sql(&postgres, &format!("{end}'{name}'"))?;
        }
        Ok(())
    }

    /// Has `psql` do this in the database of a URL.
    ///
    /// # Errors
    /// It fails.
    pub fn sql(&self, url: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args([url, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        let done = psql.output()?;
        ensure!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
    }
}
