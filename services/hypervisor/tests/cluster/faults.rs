//! Whatever happens to the store and to the links, nobody sees what cannot be, and what was
//! acknowledged is there.

use crate::common::{Side, builder, sides};
use crate::history::{History, Kind};
use http::Method;
use rustix::process::Signal;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::client::{Client, Response};
use testkit::cluster::Cluster;
use testkit::link::Passes;
use testkit::person::Person;
use testkit::postgres::Postgres;
use testkit::wait::eventually;
use tokio::time::{sleep, timeout};

/// How many faults there are: as many as this variable says, or a few.
const FAULTS: &str = "TEST_FAULTS";
/// Each kind of them.
const FEW: usize = 8;

/// Longer than any request is worth to somebody who looks for what cannot be.
const PATIENCE: Duration = Duration::from_secs(8);

struct World {
    cluster: Cluster,
    server: Postgres,
    over: AtomicBool,
    /// The generation of the routes, as it was seen.
    routes: History,
    /// Whether sessions are good (0) or ended (1), each with its cookie.
    sessions: Mutex<Vec<Arc<(String, History)>>>,
    invites: Mutex<Vec<String>>,
    refused: AtomicUsize,
    _sides: (Side, Side),
}

impl World {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// How much was seen of routes, how many sessions and invites there were.
    fn counts(&self) -> [usize; 3] {
        let sessions = self.sessions.lock().unwrap().len();
        [
            self.routes.len(),
            sessions,
            self.invites.lock().unwrap().len(),
        ]
    }

    /// What a gateway says, or nothing while it cannot.
    async fn get(&self, client: &Client, path: &str, cookie: Option<&str>) -> Option<Response> {
        let mut request = client.request(Method::GET, path);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let response = timeout(PATIENCE, request.send()).await.ok()?.ok()?;
        match response.status.as_u16() {
            200 => Some(response),
            503 | 421 => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
            other => panic!("{path}: {other} {}", response.text()),
        }
    }

    async fn cli(&self, gateway: usize, args: &[&str]) -> Option<Value> {
        let done = timeout(PATIENCE, self.cluster.gateways[gateway].cli(args)).await;
        let done = done.ok()?.ok()?;
        if !done.status.success() {
            return None;
        }
        serde_json::from_slice(&done.stdout).ok()
    }

    /// One who looks at the sandbox through this gateway.
    async fn visit(&self, person: &Person, gateway: usize) {
        let client = self.cluster.through(&person.client, gateway);
        while self.goes_on() {
            let begun = Instant::now();
            if let Some(seen) = self.get(&client, "/", None).await {
                let generation = seen.header("x-seen-generation").unwrap().parse().unwrap();
                self.routes
                    .saw(begun, generation, format!("a visitor of {gateway}"));
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// One who tries the sessions of others at this gateway.
    async fn try_sessions(&self, gateway: usize) {
        let client = self.cluster.client(gateway);
        while self.goes_on() {
            let last = self.sessions.lock().unwrap().last().cloned();
            if let Some(session) = last {
                let begun = Instant::now();
                if let Some(me) = self.get(&client, "/auth/me", Some(&session.0)).await {
                    let ended = u64::from(!me.text().contains("bob"));
                    session.1.saw(begun, ended, format!("a thief at {gateway}"));
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// One who logs in and out again and again.
    async fn log_in_and_out(&self, person: &Person) {
        let mut round = 0;
        while self.goes_on() {
            round += 1;
            let mut browser = person.clone();
            browser.client = self.cluster.client(round % 3);
            if !matches!(timeout(PATIENCE, browser.log_in()).await, Ok(Ok(()))) {
                sleep(Duration::from_millis(50)).await;
                continue;
            }
            let session = Arc::new((browser.cookie(), History::new(Kind::Regular, 0)));
            self.sessions.lock().unwrap().push(session.clone());
            sleep(Duration::from_millis(60)).await;
            session.1.begin(1);
            loop {
                let begun = Instant::now();
                let gateway = (round + 1) % 3;
                let out = self
                    .cluster
                    .client(gateway)
                    .request(Method::POST, "/auth/logout");
                let out = timeout(PATIENCE, out.header("cookie", &session.0).send()).await;
                if let Ok(Ok(answer)) = out
                    && answer.status == 303
                {
                    session
                        .1
                        .wrote(begun, 1, format!("who logged out at {gateway}"));
                    break;
                }
                round += 1;
            }
            sleep(Duration::from_millis(60)).await;
        }
    }

    /// An operator who swaps, and makes invites, at one gateway after the other.
    async fn operate(&self) {
        let mut round = 0;
        while self.goes_on() {
            round += 1;
            let seen = self.routes.begun_last();
            // Whatever comes of it, there may be one generation more.
            self.routes.begin(seen + 1);
            let begun = Instant::now();
            if let Some(swapped) = self.cli(round % 3, &["swap", "sandbox", "--json"]).await {
                let generation = swapped["generation"].as_u64().unwrap();
                self.routes.begin(generation);
                self.routes
                    .wrote(begun, generation, format!("who swapped at {}", round % 3));
            }
            if let Some(invite) = self.cli((round + 1) % 3, &["invite", "--json"]).await {
                let id = invite["id"].as_str().unwrap_or_default().to_owned();
                let url = invite["url"].as_str().unwrap_or_default().to_owned();
                self.invites.lock().unwrap().push(id + &url);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// To the server, once it runs again after an earlier one.
    async fn signal(&self, signal: Signal) {
        let sent = async || self.server.signal(signal).ok();
        eventually("the server to run", sent).await.unwrap();
    }

    /// The server is gone, and its standby takes its place, which has all that was acknowledged.
    async fn fail_over(&self, after: Duration) {
        let runs = async || self.server.sql(&self.cluster.store, "SELECT 1").ok();
        eventually("the server to run", runs).await.unwrap();
        tokio::task::block_in_place(|| self.server.add_standby()).unwrap();
        sleep(after).await;
        tokio::task::block_in_place(|| self.server.fail_over()).unwrap();
    }

    /// One fault, and then a while in which all is well.
    async fn fault(&self, number: usize) {
        let gateway = number % 3;
        let lasts = Duration::from_millis(300 + 700 * (u64::try_from(number).unwrap() % 5));
        match number % 8 {
            0 => self.signal(Signal::KILL).await,
            7 => self.fail_over(lasts).await,
            1 => {
                self.signal(Signal::STOP).await;
                sleep(lasts).await;
                self.signal(Signal::CONT).await;
            }
            kind @ 2..=4 => {
                let passes = [Passes::Neither, Passes::There, Passes::Back][kind - 2];
                self.cluster.set_store(gateway, passes);
                sleep(lasts).await;
                self.cluster.set_store(gateway, Passes::Both);
            }
            kind => {
                let passes = [Passes::Neither, Passes::Back][kind - 5];
                for other in 0..3 {
                    self.cluster.set_link(gateway, other, passes);
                }
                sleep(lasts).await;
                for other in 0..3 {
                    self.cluster.set_link(gateway, other, Passes::Both);
                }
            }
        }
        sleep(Duration::from_millis(700)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_what_cannot_be_whatever_breaks() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let (live, dev, config) = sides().await;
    let cluster = Cluster::start(&server, || {
        builder()
            .config(&config)
            .env("HYPERVISOR_STORE_GRACE_SECS", "0")
            .env("HYPERVISOR_STORE_TIMEOUT_SECS", "1")
    });
    let cluster = cluster.await.unwrap();
    let ada = Person::register_with(cluster.client(0), "ada")
        .await
        .unwrap();
    let bob = Person::register_with(cluster.client(0), "bob").await;
    let bob = bob.unwrap();
    let world = World {
        cluster,
        server,
        over: AtomicBool::new(false),
        routes: History::new(Kind::Linearizable, 1),
        sessions: Mutex::default(),
        invites: Mutex::default(),
        refused: AtomicUsize::new(0),
        _sides: (live, dev),
    };
    let faults = std::env::var(FAULTS)
        .ok()
        .and_then(|text| text.parse().ok());
    let faults: usize = faults.unwrap_or(FEW);
    let break_things = async {
        sleep(Duration::from_secs(1)).await;
        for number in 0..faults {
            world.fault(number).await;
        }
        // All goes on afterwards.
        let before = world.counts();
        let more = async || {
            let now = world.counts();
            let is_more = now
                .iter()
                .zip(before)
                .all(|(now, before)| *now > before + 1);
            is_more.then_some(())
        };
        eventually("everything to go on", more).await.unwrap();
        world.over.store(true, Ordering::Relaxed);
    };
    tokio::join!(
        break_things,
        world.visit(&ada, 0),
        world.visit(&ada, 1),
        world.visit(&ada, 2),
        world.try_sessions(0),
        world.try_sessions(1),
        world.try_sessions(2),
        world.log_in_and_out(&bob),
        world.operate(),
    );
    let well = async || world.cli(0, &["machines", "--json"]).await;
    eventually("the store to be there", well).await.unwrap();
    assert_eq!(world.routes.violation(), None);
    let sessions = world.sessions.lock().unwrap().clone();
    let mut tried = 0;
    for session in &sessions {
        assert_eq!(session.1.violation(), None);
        tried += session.1.len();
    }
    let invites = world.invites.lock().unwrap().len();
    let sql = "SELECT count(*) FROM invites";
    let kept: usize = world
        .server
        .sql(&world.cluster.store, sql)
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        kept >= invites,
        "{invites} were acknowledged, and {kept} are there"
    );
    let (visits, refused) = (world.routes.len(), world.refused.load(Ordering::Relaxed));
    // Whoever looks at the test is told what it did.
    #[expect(clippy::print_stdout, reason = "it is counted for people")]
    {
        println!(
            "{faults} faults: {visits} visits and swaps, {} sessions tried {tried} times, {invites} invites, {refused} refused",
            sessions.len()
        );
    }
}
