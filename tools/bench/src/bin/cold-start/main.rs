//! `make bench CASE=cold-start`: from a request to a stopped sandbox until the first byte of its
//! answer, with child processes. Prints markdown.
//!
//! Beside our sandbox service a program is measured that listens at once: what is left of its
//! time is the hypervisor's own share.

mod least;

use anyhow::{Context, Result, ensure};
use bench::runs::{markdown, short};
use clap::Parser;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use testkit::harness::Hypervisor;
use testkit::person::Person;
use testkit::port::Port;
use testkit::process::Process;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Measures cold starts.
#[derive(Parser)]
struct Options {
    /// The hypervisor; the one beside this program by default. Its sandbox lies beside it.
    #[arg(long)]
    hypervisor: Option<PathBuf>,
    /// Cold starts of each kind.
    #[arg(long, default_value_t = 200)]
    starts: u32,
}

fn main() -> Result<()> {
    if let Some(listen) = std::env::var_os("SANDBOX_LISTEN") {
        return least::serve(&listen);
    }
    tokio::runtime::Runtime::new()?.block_on(measure(Options::parse()))
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn measure(options: Options) -> Result<()> {
    let this = std::env::current_exe()?;
    let hypervisor = options.hypervisor;
    let hypervisor = hypervisor.unwrap_or_else(|| this.with_file_name("hypervisor"));
    let bin = std::path::absolute(hypervisor)?;
    let mut rows = Vec::new();
    let programs = [
        ("our sandbox service", bin.with_file_name("sandbox")),
        ("a program that listens at once", this),
    ];
    for (what, program) in programs {
        let mut gateway = Gateway::start(&bin, &program).await?;
        let (mut through, mut alone) = (Vec::new(), Vec::new());
        for _ in 0..options.starts {
            through.push(gateway.cold_start().await?);
            alone.push(start_alone(&program, &gateway.folder()).await?);
        }
        rows.push(row(what, through, alone));
    }
    let columns = [
        "sandbox",
        "first byte ms: p50",
        "p99",
        "most",
        "the program alone ms: p50",
        "p99",
        "most",
    ];
    println!("{}", markdown("Cold start (`process`)", &columns, &rows));
    Ok(())
}

fn row(what: &str, through: Vec<Duration>, alone: Vec<Duration>) -> Vec<String> {
    let mut cells = vec![what.to_owned()];
    for mut times in [through, alone] {
        times.sort_unstable();
        for percent in [50, 99, 100] {
            let index = (times.len() * percent / 100).min(times.len() - 1);
            cells.push(short(times[index].as_secs_f64() * 1000.0));
        }
    }
    cells
}

/// A hypervisor with one user, who comes to a sandbox that is stopped.
struct Gateway {
    hypervisor: Hypervisor,
    request: String,
}

impl Gateway {
    async fn start(bin: &Path, program: &Path) -> Result<Self> {
        let command = serde_json::json!([program]).to_string();
        let hypervisor = Hypervisor::builder(bin)
            .env("HYPERVISOR_REGISTRATION", "open")
            .env("HYPERVISOR_RUNTIME_COMMAND", &command)
            .start()
            .await?;
        let person = Person::register(&hypervisor, "ada").await?;
        let (port, cookie) = (hypervisor.port(), person.cookie());
        let mut gateway = Self {
            request: format!(
                "GET / HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n"
            ),
            hypervisor,
        };
        // The very first one makes the data folder.
        gateway.cold_start().await?;
        Ok(gateway)
    }

    fn folder(&self) -> PathBuf {
        self.hypervisor.state_dir().join("alone")
    }

    async fn cold_start(&mut self) -> Result<Duration> {
        let stop = ["sandboxes", "stop", "sandbox", "live"];
        let stopped = self.hypervisor.cli(&stop).await?;
        ensure!(stopped.status.success(), "{stopped:?}");
        let mut stream = TcpStream::connect(self.hypervisor.address()).await?;
        stream.set_nodelay(true)?;
        first_byte(&mut stream, &self.request).await
    }
}

/// The program by itself, looked for without a pause.
async fn start_alone(program: &Path, folder: &Path) -> Result<Duration> {
    let port = Port::reserve()?;
    let address = SocketAddr::from(([127, 0, 0, 1], port.number()));
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("SANDBOX_LISTEN", address.to_string())
        .env("SANDBOX_NAME", "alone")
        .env("SANDBOX_INSTANCE_ROLE", "live")
        .env("SANDBOX_DATA_DIR", folder);
    let begun = Instant::now();
    let mut process = Process::spawn_with(command, Stdio::null())?;
    let mut stream = loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            break stream;
        }
        ensure!(process.exited()?.is_none(), process.transcript());
        tokio::task::yield_now().await;
    };
    first_byte(&mut stream, "GET / HTTP/1.1\r\nHost: sandbox\r\n\r\n").await?;
    let took = begun.elapsed();
    drop(stream);
    process.sigterm()?;
    process.wait_exit().await?;
    Ok(took)
}

/// How long the answer's first byte takes; the answer must be 200.
async fn first_byte(stream: &mut TcpStream, request: &str) -> Result<Duration> {
    let begun = Instant::now();
    stream.write_all(request.as_bytes()).await?;
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).await?;
    let took = begun.elapsed();
    let status = answer[..length].split(|byte| *byte == b'\r').next();
    let status = String::from_utf8_lossy(status.context("an answer")?);
    ensure!(status.contains(" 200 "), "{status}");
    Ok(took)
}
