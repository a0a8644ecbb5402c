//! Many people, workspaces and sessions in the store of three gateways: how long it takes to start with
//! them, to know a session, and to end one everywhere.

use crate::cluster;
use crate::common::builder;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};
use testkit::cluster::Cluster;
use testkit::postgres;

/// How many sessions there are: as many as this variable says, or a few. A hundredth as many people
/// have them, each with a workspace.
const SESSIONS: &str = "TEST_SESSIONS";
const FEW: usize = 20_000;

/// So many of them come, and so many are ended.
const TRIED: usize = 300;

/// What the browser has that the session of this number is of.
fn token(number: usize) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(number.to_string()))
}

fn fill(cluster: &Cluster, sessions: usize) {
    let server = postgres::shared().unwrap().unwrap();
    let people = sessions / 100;
    let sql = format!(
        "BEGIN;
         INSERT INTO workspaces (name, generation, live, dev, live_release, dev_release, owned, home, epoch)
         SELECT 'w' || n, 1, 'w' || n || '-live', 'w' || n || '-dev', 1, 1, TRUE,
         (ARRAY['a', 'b', 'c'])[1 + n % 3], 1 FROM generate_series(1, {people}) AS n;
         INSERT INTO users (id, username, display_name, admin, created_at)
         SELECT uuid_in(md5(n::text)::cstring), 'u' || n, 'u' || n, FALSE, 1700000000000
         FROM generate_series(1, {people}) AS n;
         INSERT INTO members (user_id, workspace)
         SELECT uuid_in(md5(n::text)::cstring), 'w' || n FROM generate_series(1, {people}) AS n;
         INSERT INTO sessions (id, token, user_id, kind, created_at, expires_at, last_seen_at, address, user_agent)
         SELECT gen_random_uuid(), sha256(sha256(convert_to(n::text, 'UTF8'))),
         uuid_in(md5((1 + n % {people})::text)::cstring), 'full', now_ms, now_ms + 86400000, now_ms,
         '192.0.2.7', 'test' FROM generate_series(1, {sessions}) AS n,
         (SELECT (extract(epoch FROM now()) * 1000)::bigint AS now_ms) AS clock;
         COMMIT;
         ANALYZE;"
    );
    server.sql(&cluster.store, &sql).unwrap();
}

/// In milliseconds: half of them took no longer, and all but one in a hundred.
fn quantiles(mut all: Vec<Duration>) -> String {
    all.sort();
    let at = |share: usize| all[(all.len() - 1) * share / 100].as_millis();
    format!("p50 {} ms, p99 {} ms", at(50), at(99))
}

/// Whether this session is good at this gateway, and how long the answer took.
async fn me(cluster: &Cluster, gateway: usize, number: usize, out: bool) -> (bool, Duration) {
    let client = cluster.client(gateway);
    let (method, path) = if out {
        (Method::POST, "/auth/logout")
    } else {
        (Method::GET, "/auth/me")
    };
    let cookie = format!("{}={}", client.session_cookie(), token(number));
    let request = client.request(method, path).header("cookie", &cookie);
    let begun = Instant::now();
    let answer = request.send().await.unwrap();
    let took = begun.elapsed();
    let is_good = answer.text().contains("\"u") || out && answer.status == 303;
    (is_good, took)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sessions_are_known_and_ended_as_few_are() {
    let mut cluster = cluster!(builder);
    let sessions = std::env::var(SESSIONS).ok();
    let sessions = sessions.map_or(FEW, |text| text.parse().unwrap());
    for gateway in &mut cluster.gateways {
        gateway.sigterm().unwrap();
        gateway.wait_exit().await.unwrap();
    }
    fill(&cluster, sessions);
    let mut starts = Vec::new();
    for gateway in &mut cluster.gateways {
        let begun = Instant::now();
        gateway.respawn().await.unwrap();
        gateway.healthy().await.unwrap();
        starts.push(begun.elapsed());
    }
    let step = sessions / TRIED;
    let (mut first, mut again, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for number in (1..=sessions).step_by(step) {
        let gateway = number % 3;
        let (is_good, took) = me(&cluster, gateway, number, false).await;
        assert!(is_good, "{number}");
        first.push(took);
        again.push(me(&cluster, gateway, number, false).await.1);
    }
    for number in (1..=sessions).step_by(step) {
        let (done, took) = me(&cluster, (number + 1) % 3, number, true).await;
        assert!(done, "{number}");
        ended.push(took);
        for gateway in 0..3 {
            let (is_good, _) = me(&cluster, gateway, number, false).await;
            assert!(!is_good, "{number} is ended, and good at {gateway}");
        }
    }
    // Whoever looks at the test is told what it saw.
    #[expect(clippy::print_stdout, reason = "it is measured for people")]
    {
        println!(
            "{sessions} sessions of {} people: started in {starts:?}; first request {}, next {}; ended {}",
            sessions / 100,
            quantiles(first),
            quantiles(again),
            quantiles(ended)
        );
    }
}
