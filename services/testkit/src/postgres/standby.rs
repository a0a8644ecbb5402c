//! A second server that has all that the first has, and takes its place.

use super::{DATA, Postgres, as_user, signal_all};
use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Where it listens while it is none but that: in the same folder.
const PORT: u16 = 5433;

/// Ends the server when its standard input does.
const RUN: &str = r#"
"$1/postgres" -D "$2" -k "$3" -p "$4" -c fsync=off -c max_connections=200 -c listen_addresses= \
  >>"$3/standby-log" 2>&1 </dev/null &
read -r _
kill -INT $!
wait
"#;

#[derive(Debug)]
pub(super) struct Standby {
    data: PathBuf,
    shell: Child,
    input: ChildStdin,
}

impl Postgres {
    /// Starts a standby, without which nothing is committed from now on. It is there when this
    /// returns.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn add_standby(&self) -> Result<()> {
        let name = format!("data-{}", self.next());
        let data = self.folder.join(&name);
        let made = as_user(self.bin.join("pg_basebackup"))
            .arg("-h")
            .arg(&self.folder)
            .args([
                "-p",
                &self.port.to_string(),
                "-U",
                "tests",
                "-R",
                "-c",
                "fast",
            ])
            .arg("-D")
            .arg(&data)
            .stderr(Stdio::null())
            .status()?;
        ensure!(made.success(), "the server cannot be copied");
        let mut shell = as_user("sh")
            .args(["-c", RUN, "sh"])
            .args([&self.bin, &data, &self.folder])
            .arg(PORT.to_string())
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .spawn()?;
        let input = shell.stdin.take().context("it has an input")?;
        let is_there = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        self.until(&self.url("postgres"), is_there, "1")?;
        self.set_synchronous(&self.url("postgres"), "*")?;
        let waits = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        self.until(&self.url("postgres"), waits, "1")?;
        let mut standby = self.standby.lock().unwrap_or_else(PoisonError::into_inner);
        *standby = Some(Standby { data, shell, input });
        Ok(())
    }

    /// Kills the server, and has the standby take its place, at the same address.
    ///
    /// # Errors
    /// There is none, or it does not.
    pub fn fail_over(&self) -> Result<()> {
        let standby = self
            .standby
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Standby {
            data,
            mut shell,
            input,
        } = standby.context("there is a standby")?;
        let name = data
            .file_name()
            .and_then(|name| name.to_str())
            .context("it has a name")?;
        // Whoever starts it again tries so until the place is free.
        let before = std::fs::read_to_string(self.folder.join(DATA))?;
        std::fs::write(self.folder.join(DATA), name)?;
        signal_all(&self.folder.join(before.trim()), Signal::KILL)?;
        let url = self
            .url("postgres")
            .replace(&format!("port={}", self.port), &format!("port={PORT}"));
        self.set_synchronous(&url, "")?;
        self.sql(&url, "SELECT pg_promote()")?;
        drop(input);
        shell.wait()?;
        self.until(&self.url("postgres"), "SELECT pg_is_in_recovery()", "f")
    }

    fn set_synchronous(&self, url: &str, names: &str) -> Result<()> {
        self.sql(
            url,
            &format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"),
        )?;
        self.sql(url, "SELECT pg_reload_conf()")?;
        Ok(())
    }

    fn next(&self) -> u32 {
        1 + self
            .databases
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    /// Waits until this says that.
    fn until(&self, url: &str, sql: &str, said: &str) -> Result<()> {
        let begun = Instant::now();
        while self.sql(url, sql).ok().as_deref() != Some(said) {
            ensure!(
                begun.elapsed() < Duration::from_mins(1),
                "{sql} does not become {said}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}
