//! What a session has opened ends with it, on every worker, and what others have opened goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

#[path = "../common/mod.rs"]
mod common;
mod http2;
mod sandbox;
mod streams;

use sandbox::Sandbox;
use serde_json::{Value, json};
use streams::{KINDS, Stream};
use testkit::harness::{Builder, Hypervisor};
use testkit::person::Person;
use testkit::raw::Raw;
use testkit::wait::eventually;

/// Of each kind, so that every worker carries some.
const EACH: usize = 4;

/// The real program, and Alice in two browsers.
struct Site {
    gateway: Hypervisor,
    sandbox: Sandbox,
    here: Person,
    there: Person,
}

impl Site {
    async fn start(more: impl FnOnce(Builder) -> Builder) -> Self {
        let sandbox = Sandbox::start().await;
        let config = format!(
            "[runtime]\nkind = \"adopt\"\nprobe_secs = 60\n\
             [workspaces.sandbox.live]\naddress = \"{}\"\nidentity = false\n\
             [workspaces.sandbox.dev]\naddress = \"127.0.0.1:9\"\nidentity = false\n",
            sandbox.address
        );
        let quiet = common::builder().env("HYPERVISOR_LOG_FILTER", "error");
        let gateway = more(quiet.config(&config)).start().await.unwrap();
        let here = Person::register(&gateway, "alice").await.unwrap();
        let mut there = here.clone();
        there.client = gateway.client();
        there.log_in().await.unwrap();
        Self {
            gateway,
            sandbox,
            here,
            there,
        }
    }

    /// Streams of every kind, that this browser opens.
    async fn open(&self, person: &Person, name: &str) -> Vec<Stream> {
        let mut streams = Vec::new();
        for kind in KINDS {
            for number in 0..EACH {
                let path = format!("/{kind}/{name}/{number}");
                let stream = Stream::open(self, person, kind, path).await;
                streams.push(stream);
            }
        }
        streams
    }

    /// Opens streams in both browsers, and has `end` end the session of the first.
    async fn only_ours_end(&self, end: impl AsyncFnOnce()) {
        let ours = self.open(&self.here, "here").await;
        let theirs = self.open(&self.there, "there").await;
        let mut idle = Raw::connect(self.gateway.address()).await.unwrap();
        let request = streams::request(self, &self.here, "GET", "/");
        idle.send(&request).await.unwrap();
        assert!(idle.read_until("healthy").await.unwrap().contains(" 200 "));
        end().await;
        for stream in ours {
            stream.ended(&self.sandbox).await;
        }
        for stream in theirs {
            stream.goes_on(&self.sandbox).await;
        }
        idle.read_until("}").await.unwrap();
        idle.send(&request).await.unwrap();
        let refused = idle.read_until("}").await.unwrap();
        assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    }
}

/// The id of this browser's session.
async fn session(person: &Person) -> String {
    let sessions = person.client.get("/auth/sessions").await.unwrap();
    let sessions: Vec<Value> = sessions.json().unwrap();
    let current = sessions.iter().find(|it| it["current"] == true).unwrap();
    current["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_log_out() {
    let site = Site::start(|it| it).await;
    let log_out = async || {
        let response = site.here.client.post_json("/auth/logout", &json!({})).await;
        assert_eq!(response.unwrap().status, 303);
    };
    site.only_ours_end(log_out).await;
}

/// What an operator does to Alice; her browsers' streams are told by their own names.
async fn by_the_operator(site: &Site, order: &[&str]) {
    let order: Vec<_> = ["users"].iter().chain(order).copied().collect();
    let done = site.gateway.cli(&order).await.unwrap();
    assert!(done.status.success(), "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_its_person_is_disabled_or_logged_out_everywhere_but_not_when_they_are_renamed() {
    let site = Site::start(|it| it).await;
    let streams = async |round: &str| {
        let mut streams = site.open(&site.here, &format!("here{round}")).await;
        streams.extend(site.open(&site.there, &format!("there{round}")).await);
        streams
    };
    let goes_on = streams("1").await;
    let alice = site.here.username.clone();
    by_the_operator(&site, &["rename", &alice, "alicia"]).await;
    for stream in goes_on {
        stream.goes_on(&site.sandbox).await;
    }
    let ends = streams("2").await;
    by_the_operator(&site, &["end-sessions", "alicia"]).await;
    for stream in ends {
        stream.ended(&site.sandbox).await;
    }
    let mut alicia = site.here.clone();
    alicia.username = "alicia".to_owned();
    alicia.log_in().await.unwrap();
    let ends = site.open(&alicia, "last").await;
    by_the_operator(&site, &["disable", "alicia"]).await;
    for stream in ends {
        stream.ended(&site.sandbox).await;
    }
    let refused = alicia.log_in().await.unwrap_err().to_string();
    assert!(refused.contains("account_disabled"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_another_session_revokes_it() {
    let site = Site::start(|it| it).await;
    let id = session(&site.here).await;
    let revoke = async || {
        let session = json!({ "session_id": id });
        site.there.act("end_session", session).await.unwrap();
    };
    site.only_ours_end(revoke).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_log_in_in_the_same_browser_replaces_it() {
    let site = Site::start(|it| it).await;
    // What was opened before goes on with the cookie that it came with.
    let mut again = site.here.clone();
    again.client = site.gateway.client();
    let (name, value) = site.here.cookie().split_once('=').map(owned).unwrap();
    again.client.set_cookie(&name, &value);
    site.only_ours_end(async || again.log_in().await.unwrap())
        .await;
}

/// Who does not read does not keep the sandbox busy either.
#[tokio::test]
async fn a_download_that_nobody_reads_ends_at_the_sandbox() {
    let site = Site::start(|it| it).await;
    let stream = Stream::open(&site, &site.here, "flood", "/flood".into()).await;
    let response = site.here.client.post_json("/auth/logout", &json!({})).await;
    assert_eq!(response.unwrap().status, 303);
    site.sandbox.over("/flood").await;
    drop(stream);
}

#[tokio::test]
async fn a_frame_that_is_under_way_is_not_broken_into() {
    let site = Site::start(|it| it).await;
    let mut stream = Stream::open(&site, &site.here, "half", "/half".into()).await;
    // Nine bytes are to come, of which five do: the mask, and one more.
    let half = [0x81, 0x85, 1, 2, 3, 4, 5];
    stream.wire.send(half).await.unwrap();
    let come = async || site.sandbox.find("/half").filter(|it| it.bytes == half);
    eventually("half a frame", come).await.unwrap();
    let response = site.here.client.post_json("/auth/logout", &json!({})).await;
    assert_eq!(response.unwrap().status, 303);
    assert_eq!(stream.wire.read_to_end().await.unwrap().bytes, b"");
    assert_eq!(site.sandbox.over("/half").await.bytes, half);
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[cfg(feature = "fail-points")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_its_time_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ahead");
    let set = |hours: u32| std::fs::write(&file, (hours * 3600).to_string()).unwrap();
    set(0);
    let clock = |it: Builder| {
        it.env("HYPERVISOR_AUTH_SESSION_DAYS", "1")
            .env("CLOCK_AHEAD", file.to_str().unwrap())
    };
    let mut site = Site::start(clock).await;
    set(12);
    site.there.client = site.gateway.client();
    site.there.log_in().await.unwrap();
    site.only_ours_end(async || set(30)).await;
}
