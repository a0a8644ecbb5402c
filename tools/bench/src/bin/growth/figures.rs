//! What is measured of one amount, run after run.

use crate::load::{self, Round};
use crate::site::{Site, Start};
use anyhow::Result;
use bench::proc;
use bench::runs::Figure;
use std::sync::Arc;
use std::time::Duration;

/// Keep-alive connections of a load.
pub const CLIENTS: usize = 64;

/// A mebibyte.
pub const MIB: f64 = 1024.0 * 1024.0;

/// The figures of one amount. Times are milliseconds, memory is MiB.
#[derive(Default, Clone)]
pub struct Figures {
    /// From the program's start to its first answer.
    pub start: Figure,
    /// CPU time of a start, until it has come to rest.
    pub start_cpu: Figure,
    /// Memory at rest.
    pub rest: Figure,
    /// CPU time in ten seconds at rest.
    pub rest_cpu: Figure,
    /// A session's first request, the median of all.
    pub fetch: Figure,
    /// Requests a second under load.
    pub rate: Figure,
    /// How long half of them take at most.
    pub p50: Figure,
    /// How long 99 of a hundred take at most.
    pub p99: Figure,
    /// CPU seconds of 100,000 requests.
    pub cpu: Figure,
    /// Memory after the load.
    pub after: Figure,
    /// CPU seconds of 100,000 requests without a cookie.
    pub nobody: Figure,
    /// CPU seconds of 100,000 requests with a made-up cookie.
    pub made_up: Figure,
    /// `hypervisor users`.
    pub users: Figure,
    /// `hypervisor sandboxes`.
    pub sandboxes: Figure,
}

impl Figures {
    /// A start.
    pub fn start(&mut self, start: &Start) {
        self.start.add(millis(start.answered));
        self.start_cpu.add(millis(start.cpu));
        self.rest.add(mib(start.memory));
    }

    /// Ten seconds at rest.
    pub async fn at_rest(&mut self, site: &Site) -> Result<()> {
        let before = proc::cpu(site.pid())?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        self.rest_cpu
            .add(millis(proc::cpu(site.pid())?.saturating_sub(before)));
        Ok(())
    }

    /// A load of the site's own requests, each of which was sent once before.
    pub async fn load(&mut self, site: &Site, secs: u64) -> Result<()> {
        let (round, cpu) = loaded(site, &site.requests, secs, "200").await?;
        self.rate.add(round.rate);
        self.p50.add(round.percentile(0.5));
        self.p99.add(round.percentile(0.99));
        self.cpu.add(cpu);
        self.after.add(mib(site.memory()?));
        Ok(())
    }

    /// Loads of requests that nobody is behind.
    pub async fn strangers(&mut self, site: &Site, secs: u64) -> Result<()> {
        let port = site.address().port();
        let request = |cookie: &str| {
            format!(
                "GET /small HTTP/1.1\r\nHost: localhost:{port}\r\n\
                 Accept: application/json\r\n{cookie}\r\n"
            )
            .into_bytes()
        };
        let nobody = Arc::new(vec![request("")]);
        self.nobody.add(loaded(site, &nobody, secs, "401").await?.1);
        let cookies = (0..10_000).map(|number| crate::fill::cookie(u32::MAX - number));
        let made_up = cookies.map(|cookie| request(&format!("Cookie: {cookie}\r\n")));
        let made_up = Arc::new(made_up.collect());
        self.made_up
            .add(loaded(site, &made_up, secs, "401").await?.1);
        Ok(())
    }

    /// The operator's commands.
    pub async fn commands(&mut self, site: &Site) -> Result<()> {
        let users = site.command(&["users", "--json"]).await?;
        self.users.add(millis(users));
        let sandboxes = site.command(&["sandboxes", "--json"]).await?;
        self.sandboxes.add(millis(sandboxes));
        Ok(())
    }
}

/// A load, and the CPU seconds of 100,000 of its requests.
async fn loaded(
    site: &Site,
    requests: &Arc<Vec<Vec<u8>>>,
    secs: u64,
    status: &'static str,
) -> Result<(Round, f64)> {
    let before = proc::cpu(site.pid())?;
    let lasting = Some(Duration::from_secs(secs));
    let round = load::load(site.address(), requests, CLIENTS, lasting, status).await?;
    let cpu = proc::cpu(site.pid())?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = cpu.as_secs_f64() * 100_000.0 / round.requests as f64;
    Ok((round, each))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
}
