//! h2load: HTTP/2 over TLS.

use super::{Load, Outcome, Tools};
use crate::certificate::{GROUP, SUITE};
use crate::stats::percentile;
use crate::target::Target;
use anyhow::{Context, Result, bail, ensure};
use std::time::Duration;
use tokio::process::Command;

/// h2load prints no percentiles; this file has a line for each response.
const LOG: &str = "h2load.log";

pub(super) async fn run(
    tools: &Tools,
    load: &Load,
    target: &Target,
    time: Duration,
    streams: usize,
) -> Result<Outcome> {
    let log = tools.dir.path().join(LOG);
    // It would be appended to.
    if log.exists() {
        std::fs::remove_file(&log)?;
    }
    let mut h2load = Command::new("h2load");
    h2load
        .args(["--threads=2", "--npn-list=h2"])
        .arg(format!("--clients={}", load.connections))
        .arg(format!("--max-concurrent-streams={streams}"))
        .arg(format!("--duration={}", time.as_secs()))
        .arg(format!("--tls13-ciphers={SUITE}"))
        .arg(format!("--groups={GROUP}"))
        .arg(format!("--header=cookie: {}", target.cookie))
        .arg(format!("--connect-to={}", target.address))
        .arg("--log-file")
        .arg(&log)
        .arg(target.url(load.path));
    let said = tools.output(h2load).await?;
    let requests = count(&said, load.length, load.connections * streams)?;
    let log = std::fs::read_to_string(&log).context("read h2load's log")?;
    let mut latencies = log.lines().map(latency).collect::<Result<Vec<_>>>()?;
    let mut ms = |share| percentile(&mut latencies, share).map_or(0.0, |us| f64::from(us) / 1e3);
    Ok(Outcome {
        requests,
        took: time,
        p50: ms(0.5),
        p99: ms(0.99),
    })
}

/// How many requests were answered in the time. h2load ends with 0 whatever happened, so what it
/// says is looked at: the protocol, and that all of the responses are whole and 2xx.
fn count(said: &str, length: usize, under_way: usize) -> Result<u64> {
    for wanted in ["TLS Protocol: TLSv1.3", "Application protocol: h2"] {
        ensure!(
            said.contains(wanted),
            "h2load doesn't say {wanted:?}:\n{said}"
        );
    }
    let line = |start: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(start));
        line.with_context(|| format!("h2load says nothing of {start:?}:\n{said}"))
    };
    let requests = line("requests: ")?;
    let number = |what: &str| -> Result<u64> {
        let part = requests.split(", ").find_map(|it| it.strip_suffix(what));
        Ok(part.with_context(|| requests.to_owned())?.trim().parse()?)
    };
    let done = number("done")?;
    let wrong = ["failed", "errored", "timeout"];
    if number("succeeded")? != done || wrong.iter().any(|it| number(it).ok() != Some(0)) {
        bail!(
            "h2load counts errors: {requests}; {}",
            line("status codes: ")?
        );
    }
    let data = line("traffic: ")?
        .rsplit_once('(')
        .context("bytes of bodies")?
        .1;
    let data: u64 = data.split(')').next().unwrap_or_default().parse()?;
    let whole = |requests: u64| requests * length as u64;
    // Of those under way at the end, some bytes may have come.
    ensure!(
        (whole(done)..=whole(done + under_way as u64)).contains(&data),
        "{done} bodies of {length} bytes were asked for, and {data} bytes came"
    );
    Ok(done)
}

/// The microseconds of a line of the log: start, status, duration.
fn latency(line: &str) -> Result<u32> {
    let mut fields = line.split('\t').skip(1);
    let status = fields.next();
    ensure!(status == Some("200"), "a response in h2load's log: {line}");
    Ok(fields.next().context("a duration")?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::{count, latency};

    const SAID: &str = "TLS Protocol: TLSv1.3\nApplication protocol: h2\n\
        finished in 2.01s, 37910.50 req/s, 6.11MB/s\n\
        requests: 75821 total, 75885 started, 75821 done, 75821 succeeded, 0 failed, 0 errored, 0 timeout\n\
        status codes: 75821 2xx, 0 3xx, 0 4xx, 0 5xx\n\
        traffic: 12.22MB (12816885) total, 3.69MB (3866871) headers (space savings 49.00%), 7.23MB (7582100) data\n";

    fn refused(change: (&str, &str)) -> String {
        let said = SAID.replace(change.0, change.1);
        count(&said, 100, 64).unwrap_err().to_string()
    }

    #[test]
    fn whole_responses_are_counted() {
        assert_eq!(count(SAID, 100, 64).unwrap(), 75_821);
        assert_eq!(latency("1795711977909747\t200\t22259").unwrap(), 22_259);
    }

    #[test]
    fn what_is_not_as_it_should_be_is_told() {
        assert!(refused(("protocol: h2", "protocol: http/1.1")).contains("doesn't say"));
        assert!(refused(("0 failed", "3 failed")).starts_with("h2load counts errors"));
        assert!(refused(("75821 succeeded", "75820 succeeded")).contains("75821 2xx"));
        assert!(refused(("(7582100)", "(1234)")).contains("1234 bytes came"));
        assert!(latency("1795711977909747\t503\t22259").is_err());
    }
}
